// Package cluster starts a Kubernetes cluster on this machine, without
// containers: etcd, kube-apiserver, kube-controller-manager (with a service
// account for each controller), kube-scheduler and kubelets, each a process of
// its own made from the lab's one binary (see package parts).
//
// A cluster lives in a folder: pki/ and kubeconfig/ hold credentials, logs/ a
// log file for each part, audit.log what the API server writes. [Start] returns
// when every node is ready; [Cluster.Stop] ends everything.
package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/whet-k8s/whet/lab/internal/netns"
	"github.com/whet-k8s/whet/lab/internal/pki"
	"github.com/whet-k8s/whet/lab/internal/process"
)

// Ports that the parts listen on, all on loopback or the lab's own network.
const (
	portAPIServer   = 6443
	portEtcd        = 2379
	portEtcdPeer    = 2380
	portControllers = 10257
	portScheduler   = 10259
	portKubelet     = 10250 // the n-th node's is n higher
)

// Config says what cluster to start.
type Config struct {
	// Dir is the cluster's folder; it must exist and be empty: credentials and logs
	// of another cluster would be taken for this one's.
	Dir string
	// Lab is the lab's own binary, which becomes the parts.
	Lab string
	// Plan holds the addresses.
	Plan netns.Plan
	// Nodes names the nodes; at least one.
	Nodes []string
	// Policy is the audit policy in YAML.
	Policy []byte
	// AuditWebhook is a kubeconfig file of a server that the API server sends its
	// audit events to, beside writing the log; none when it is empty. They are sent
	// at the latest AuditWait after they happened, 30 s unless that is set
	// (kube-apiserver's --audit-webhook-batch-max-wait).
	AuditWebhook string
	AuditWait    time.Duration
	// Progress is told what is being started, for people.
	Progress func(string)
}

// Cluster is a running cluster. Use [Start].
type Cluster struct {
	config  Config
	group   *process.Group
	ca      *pki.Authority
	admin   pki.Pair
	http    *http.Client
	server  string
	clients int
}

// Admin is the user that the lab itself acts as, before a recording starts.
const Admin = "kubernetes-admin"

// Start starts a cluster and returns when its API server and all its nodes are
// ready. On an error nothing is left running; the error names the part that
// failed and shows the end of its log.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	if len(config.Nodes) == 0 {
		return nil, errors.New("a cluster needs at least one node")
	}
	if err := checkEmpty(config.Dir); err != nil {
		return nil, err
	}
	if err := checkPorts(config); err != nil {
		return nil, err
	}
	for _, d := range []string{"pki", "kubeconfig", "logs", "tmp"} {
		if err := os.MkdirAll(filepath.Join(config.Dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("making the cluster's folder: %w", err)
		}
	}
	c := &Cluster{config: config, group: process.NewGroup(filepath.Join(config.Dir, "logs"))}
	c.server = "https://" + net.JoinHostPort(c.config.Plan.Client(0), strconv.Itoa(portAPIServer))
	if err := c.start(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	keys, err := c.makeKeys()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.path("policy.yaml"), c.config.Policy, 0o600); err != nil {
		return fmt.Errorf("writing the audit policy: %w", err)
	}
	steps := []struct {
		spec  process.Spec
		ready func(context.Context) error
	}{
		{c.etcd(), c.dialled(portEtcd)},
		{c.apiServer(keys), c.serverReady},
		{c.controllerManager(keys), nil},
		{c.scheduler(keys), nil},
	}
	for i, name := range c.config.Nodes {
		steps = append(steps, struct {
			spec  process.Spec
			ready func(context.Context) error
		}{c.kubelet(keys, i, name), nil})
	}
	for _, s := range steps {
		c.config.Progress("starting " + s.spec.Name)
		if err := c.group.Start(s.spec); err != nil {
			return err
		}
		if s.ready == nil {
			continue
		}
		if err := c.Wait(ctx, s.spec.Name, 2*time.Minute, s.ready); err != nil {
			return err
		}
	}
	c.config.Progress("waiting for the nodes")
	return c.Wait(ctx, "the nodes", 3*time.Minute, c.nodesReady)
}

// Wait calls ready until it gives no error, and fails when the context ends, a
// part dies, or the time is over: then with what ready said last, and the end of
// the log of the part that is not ready.
func (c *Cluster) Wait(ctx context.Context, what string, limit time.Duration, ready func(context.Context) error) error {
	deadline := time.Now().Add(limit)
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			part := what
			if late := (*notReady)(nil); errors.As(err, &late) {
				part = late.part
			}
			log := c.path("logs", part+".log")
			if _, missing := os.Stat(log); missing != nil {
				log = c.path("logs", "kube-apiserver.log")
			}
			return fmt.Errorf("%s is not ready after %v: %w; the end of %s:\n%s", what, limit, err, log, process.Tail(log, 15))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case died := <-c.group.Died():
			return died
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Died gives an error when a part of the cluster dies.
func (c *Cluster) Died() <-chan error { return c.group.Died() }

// Stop ends all parts, the last started first. It may be called twice.
func (c *Cluster) Stop() { c.group.Stop(10 * time.Second) }

// Dir returns the cluster's folder.
func (c *Cluster) Dir() string { return c.config.Dir }

// Nodes returns the nodes' names.
func (c *Cluster) Nodes() []string { return c.config.Nodes }

// Run starts one more process beside the parts, such as an operator. It lives
// and dies with the cluster.
func (c *Cluster) Run(spec process.Spec) error {
	spec.Env = append(spec.Env, "TMPDIR="+c.path("tmp"), "HOME="+c.path("tmp"))
	return c.group.Start(spec)
}

// AuditComplete fails when the API server could not write every audit event,
// for lack of disk for example. It asks the server's own counter of errors.
func (c *Cluster) AuditComplete(ctx context.Context) error {
	body, err := c.get(ctx, "/metrics")
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(body), "\n") {
		name, value, _ := strings.Cut(line, " ")
		if strings.HasPrefix(name, "apiserver_audit_error_total") && value != "0" {
			return fmt.Errorf("kube-apiserver could not write %s audit events; the end of its log:\n%s", value, process.Tail(c.path("logs", "kube-apiserver.log"), 15))
		}
	}
	return nil
}

// AuditLog returns the path of the log that the API server writes.
func (c *Cluster) AuditLog() string { return c.path("audit.log") }

func (c *Cluster) path(elem ...string) string {
	return filepath.Join(append([]string{c.config.Dir}, elem...)...)
}

// checkEmpty fails for a folder that is not there or holds something.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking at the cluster's folder: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("the cluster's folder %s is not empty: it holds %s; name another one, or remove what it holds", dir, entries[0].Name())
	}
	return nil
}

// checkPorts fails for a port that somebody uses, before anything is started.
func checkPorts(config Config) error {
	ports := map[string]int{
		"etcd": portEtcd, "etcd's peers": portEtcdPeer, "kube-apiserver": portAPIServer,
		"kube-controller-manager": portControllers, "kube-scheduler": portScheduler,
	}
	for i, n := range config.Nodes {
		ports["kubelet-"+n] = portKubelet + i*kubeletPortStep
	}
	for part, port := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return fmt.Errorf("port %d is not free for %s: %w (is another lab running?)", port, part, err)
		}
		l.Close()
	}
	return nil
}

func (c *Cluster) dialled(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

func (c *Cluster) serverReady(ctx context.Context) error {
	_, err := c.get(ctx, "/readyz")
	return err
}

func (c *Cluster) nodesReady(ctx context.Context) error {
	body, err := c.get(ctx, "/api/v1/nodes")
	if err != nil {
		return err
	}
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ Taints []json.RawMessage }
			Status   struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("reading the list of nodes: %w", err)
	}
	ready := map[string]bool{}
	for _, n := range list.Items {
		for _, cond := range n.Status.Conditions {
			if cond.Type == "Ready" && cond.Status == "True" && len(n.Spec.Taints) == 0 {
				ready[n.Metadata.Name] = true
			}
		}
	}
	var late []string
	for _, n := range c.config.Nodes {
		if !ready[n] {
			late = append(late, n)
		}
	}
	if len(late) > 0 {
		return &notReady{
			part:  kubeletName(late[0]),
			cause: fmt.Errorf("%d of %d nodes are ready; not ready: %s", len(c.config.Nodes)-len(late), len(c.config.Nodes), strings.Join(late, ", ")),
		}
	}
	return nil
}

// notReady names the part whose log may say why the cluster is not ready.
type notReady struct {
	part  string
	cause error
}

func (e *notReady) Error() string { return e.cause.Error() }

func (e *notReady) Unwrap() error { return e.cause }

// get reads a path from the API server as the administrator.
func (c *Cluster) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, fmt.Errorf("asking the API server for %s: %w", path, err)
	}
	req.Header.Set("User-Agent", "lab")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the API server for %s: %w", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the API server's answer to %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the API server answers %s to %s", resp.Status, path)
	}
	return body, nil
}

// newHTTP returns a client with the pair's certificate that trusts the cluster.
func (c *Cluster) newHTTP(pair pki.Pair) (*http.Client, error) {
	pem, err := os.ReadFile(c.ca.Cert)
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's authority: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	cert, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return nil, fmt.Errorf("reading a client's certificate: %w", err)
	}
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true},
		Timeout:   2 * time.Minute,
	}, nil
}
