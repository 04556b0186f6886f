package cluster

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whet-k8s/whet/lab/internal/netns"
	"github.com/whet-k8s/whet/lab/internal/process"
)

// newTestCluster returns a cluster whose API server is the handler and in which
// nothing runs.
func newTestCluster(t *testing.T, handler http.HandlerFunc) *Cluster {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"pki", "kubeconfig", "logs"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := &Cluster{
		config: Config{Dir: dir, Nodes: []string{"a", "b"}, Lab: "/bin/lab", Plan: netns.Plan{Advertise: "192.0.2.1", Listen: "127.0.0.1"}},
		group:  process.NewGroup(filepath.Join(dir, "logs")),
	}
	t.Cleanup(c.Stop)
	if handler != nil {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		c.server, c.http = server.URL, server.Client()
	}
	return c
}

func TestAPortInUseIsNamedWithItsPart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:10259")
	if err != nil {
		t.Skipf("the port is in use already: %v", err)
	}
	defer l.Close()
	_, err = Start(context.Background(), Config{Dir: t.TempDir(), Nodes: []string{"a"}})
	if err == nil || !strings.Contains(err.Error(), "10259") || !strings.Contains(err.Error(), "kube-scheduler") {
		t.Errorf("Start says %v; want the port and kube-scheduler", err)
	}
}

func TestStartNeedsANode(t *testing.T) {
	if _, err := Start(context.Background(), Config{Dir: t.TempDir()}); err == nil {
		t.Error("a cluster without nodes starts")
	}
}

// What an earlier cluster has left would be taken for this one's.
func TestStartNeedsAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "audit.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, want string }{{dir, "is not empty: it holds audit.log"}, {filepath.Join(dir, "none"), "looking at the cluster's folder"}} {
		if _, err := Start(context.Background(), Config{Dir: tt.dir, Nodes: []string{"a"}}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Start says %v; want %q", err, tt.want)
		}
	}
}

func TestNodesReady(t *testing.T) {
	name := "a"
	node := func(ready, taints string) string {
		defer func() { name = map[string]string{"a": "b", "b": "a"}[name] }()
		return `{"metadata":{"name":"` + name + `"},"spec":{"taints":` + taints + `},"status":{"conditions":[{"type":"Ready","status":"` + ready + `"}]}}`
	}
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"both are ready", `{"items":[` + node("True", "[]") + `,` + node("True", "null") + `]}`, 200, ""},
		{"one is not", `{"items":[` + node("True", "[]") + `,` + node("False", "[]") + `]}`, 200, "1 of 2 nodes are ready; not ready: b"},
		{"one is tainted", `{"items":[` + node("True", "[]") + `,` + node("True", `[{"key":"x"}]`) + `]}`, 200, "1 of 2 nodes are ready"},
		{"one is missing", `{"items":[` + node("True", "[]") + `]}`, 200, "1 of 2 nodes are ready"},
		{"none is there", `{"items":[]}`, 200, "0 of 2 nodes are ready; not ready: a, b"},
		{"no JSON", `{`, 200, "reading the list of nodes"},
		{"an error", ``, 503, "503 Service Unavailable"},
	}
	for _, tt := range tests {
		c := newTestCluster(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(tt.status)
			fmt.Fprint(w, tt.body)
		})
		err := c.nodesReady(context.Background())
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

func TestLostAuditEventsAreAnError(t *testing.T) {
	for _, tt := range []struct {
		metrics string
		ok      bool
	}{
		{"apiserver_audit_event_total 12\n", true},
		{"apiserver_audit_error_total{plugin=\"log\"} 0\n", true},
		{"apiserver_audit_error_total{plugin=\"log\"} 3\n", false},
	} {
		c := newTestCluster(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, tt.metrics) })
		err := c.AuditComplete(context.Background())
		if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "3 audit events") {
			t.Errorf("%q gives %v", tt.metrics, err)
		}
	}
}

func TestWait(t *testing.T) {
	c := newTestCluster(t, nil)
	if err := os.WriteFile(c.path("logs", "etcd.log"), []byte("the reason\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	never := func(context.Context) error { return errors.New("not yet") }
	err := c.Wait(context.Background(), "etcd", 10*time.Millisecond, never)
	for _, want := range []string{"etcd is not ready after 10ms", "not yet", "the reason"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Wait says %v; want %q in it", err, want)
		}
	}
	// The log of a node's kubelet says why the node is not ready.
	if err := os.WriteFile(c.path("logs", "kubelet-b.log"), []byte("no sandbox\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	late := func(context.Context) error {
		return fmt.Errorf("not yet: %w", &notReady{part: "kubelet-b", cause: errors.New("b is late")})
	}
	err = c.Wait(context.Background(), "the nodes", 10*time.Millisecond, late)
	for _, want := range []string{"the nodes is not ready after 10ms", "b is late", "kubelet-b.log", "no sandbox"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Wait says %v; want %q in it", err, want)
		}
	}
	if err := c.Run(process.Spec{Name: "operator", Path: "/bin/false"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(context.Background(), "the nodes", time.Minute, never); err == nil || !strings.Contains(err.Error(), "operator died") {
		t.Errorf("Wait says %v; want that the operator died", err)
	}
}

func TestKeysAndAccess(t *testing.T) {
	c := newTestCluster(t, nil)
	k, err := c.makeKeys()
	if err != nil {
		t.Fatal(err)
	}
	if len(k.nodes) != 2 {
		t.Errorf("%d nodes have credentials; want 2", len(k.nodes))
	}
	person, err := c.User("alice", "developers")
	if err != nil {
		t.Fatal(err)
	}
	account, err := c.Token("secret-token")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file, want, unwanted string
	}{{person.Kubeconfig, "client-certificate", "token"}, {account.Kubeconfig, "secret-token", "client-certificate"}} {
		data, err := os.ReadFile(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) || !strings.Contains(string(data), tt.want) || strings.Contains(string(data), `"`+tt.unwanted+`"`) {
			t.Errorf("%s holds %s", tt.file, data)
		}
	}
}

// A newcomer's certificate must be the one that was asked for.
func TestNewcomer(t *testing.T) {
	c := newTestCluster(t, nil)
	if _, err := c.makeKeys(); err != nil {
		t.Fatal(err)
	}
	n, err := c.Newcomer("dora", "developers")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(n.Request)
	if block == nil {
		t.Fatalf("the request is %q", n.Request)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || request.Subject.CommonName != "dora" || request.CheckSignature() != nil {
		t.Errorf("the request is for %v: %v", request.Subject, err)
	}
	other, err := c.ca.Client("other", "intern")
	if err != nil {
		t.Fatal(err)
	}
	own, err := c.ca.Client("own", "dora", "developers")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ file, want string }{{other.Cert, `for "intern" and not for "dora"`}, {own.Key, "reading a newcomer's certificate"}, {own.Cert, ""}} {
		data, err := os.ReadFile(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		err = n.Certify(data)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Certify(%s) says %v; want %q", tt.file, err, tt.want)
		}
	}
	if err := n.Certify([]byte("no PEM")); err == nil {
		t.Error("what is no certificate is taken for one")
	}
}

func TestPartsListenWhereTheyMay(t *testing.T) {
	c := newTestCluster(t, nil)
	k, err := c.makeKeys()
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]bool{}
	for i, n := range c.config.Nodes {
		for _, a := range c.kubelet(k, i, n).Args {
			if strings.HasPrefix(a, "--port=") {
				ports[a] = true
			}
		}
	}
	if len(ports) != 2 {
		t.Errorf("two kubelets on one address use the ports %v", ports)
	}
	spec := c.apiServer(k)
	line := strings.Join(spec.Args, " ")
	for _, want := range []string{"--advertise-address=192.0.2.1", "--bind-address=127.0.0.1", "--audit-log-path=" + c.AuditLog()} {
		if !strings.Contains(line, want) {
			t.Errorf("the API server lacks %s", want)
		}
	}
	if spec.Program != "kube-apiserver" {
		t.Errorf("the API server would call itself %s", spec.Program)
	}
}
