package live

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/whet-k8s/whet/lab/internal/pki"
	"github.com/whet-k8s/whet/lab/internal/process"
)

// address is where whet listens.
const address = "127.0.0.1:18443"

// clusterName is what whet calls the cluster.
const clusterName = "lab"

// whet is a running whet serve.
type whet struct {
	program    string
	data       string
	kubeconfig string // of the API server's webhook
	token      string // of the reader
	client     *http.Client
	group      *process.Group
	log        string
}

// settings is the configuration of whet serve, as docs/live.md explains it. The
// API server sends what it has twice a second, so that nothing is held back for
// long.
const settings = `apiVersion: whet/v1
kind: ServeConfig
data: %[1]s/data
listen: %[2]s
tls: {certificate: %[3]s, key: %[4]s}
clients:
- {name: apiserver, roles: [ingest], clusters: [lab], tokenFile: %[1]s/ingest.token}
- {name: reader, roles: [read], tokenFile: %[1]s/read.token}
clusters:
- name: lab
  sources: [{webhook: true}]
checkpoint: {every: 500ms, grace: 5s}
log: {level: info}
`

// startWhet starts whet serve with a certificate and tokens made here, and waits
// until it is ready.
func startWhet(ctx context.Context, program, dir string) (*whet, error) {
	for _, d := range []string{"pki", "logs"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("making whet's folder: %w", err)
		}
	}
	ca, err := pki.NewAuthority(filepath.Join(dir, "pki"), "whet-ca")
	if err != nil {
		return nil, err
	}
	pair, err := ca.Server("whet", "127.0.0.1")
	if err != nil {
		return nil, err
	}
	w := &whet{
		program: program, data: filepath.Join(dir, "data"), token: rand.Text(),
		kubeconfig: filepath.Join(dir, "webhook.kubeconfig"),
		group:      process.NewGroup(filepath.Join(dir, "logs")), log: filepath.Join(dir, "logs", "whet.log"),
	}
	ingest := rand.Text()
	webhook, err := webhookKubeconfig(ca.Cert, ingest)
	if err != nil {
		return nil, err
	}
	for name, content := range map[string]string{
		"ingest.token": ingest + "\n", "read.token": w.token + "\n", "webhook.kubeconfig": webhook,
		"whet.yaml": fmt.Sprintf(settings, dir, address, pair.Cert, pair.Key),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
	}
	if w.client, err = trusting(ca.Cert); err != nil {
		return nil, err
	}
	spec := process.Spec{Name: "whet", Path: program, Args: []string{"serve", "--config", filepath.Join(dir, "whet.yaml")}}
	if err := w.group.Start(spec); err != nil {
		return nil, err
	}
	if err := w.wait(ctx, time.Minute, func(ctx context.Context) error {
		_, err := w.get(ctx, "/readyz")
		return err
	}); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

// webhookKubeconfig is what --audit-webhook-config-file takes. JSON is YAML.
func webhookKubeconfig(ca, token string) (string, error) {
	data, err := json.MarshalIndent(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "whet",
		"clusters": []any{map[string]any{"name": "whet", "cluster": map[string]any{
			"server": "https://" + address + "/ingest/" + clusterName, "certificate-authority": ca,
		}}},
		"users":    []any{map[string]any{"name": "apiserver", "user": map[string]any{"token": token}}},
		"contexts": []any{map[string]any{"name": "whet", "context": map[string]any{"cluster": "whet", "user": "apiserver"}}},
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("writing the webhook's kubeconfig: %w", err)
	}
	return string(data), nil
}

// trusting gives a client that trusts an authority.
func trusting(ca string) (*http.Client, error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("reading whet's authority: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}, nil
}

func (w *whet) stop() { w.group.Stop(30 * time.Second) }

// open sends a request to whet as the reader. The caller closes the body.
func (w *whet) open(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+path, nil)
	if err != nil {
		return nil, fmt.Errorf("asking whet for %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking whet for %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		resp.Body.Close()
		return nil, fmt.Errorf("asking whet for %s: %s: %s", path, resp.Status, bytes.TrimSpace(said))
	}
	return resp, nil
}

func (w *whet) get(ctx context.Context, path string) ([]byte, error) {
	resp, err := w.open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, 16<<20))
}

// wait calls ready until it gives no error.
func (w *whet) wait(ctx context.Context, limit time.Duration, ready func(context.Context) error) error {
	deadline := time.Now().Add(limit)
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("whet is not ready after %v: %w; the end of its log:\n%s", limit, err, process.Tail(w.log, 15))
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case died := <-w.group.Died():
			return died
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// settled waits until whet has nothing open to decide about: what it counts as
// received is analysed, and the data set does not change any more.
func (w *whet) settled(ctx context.Context) error {
	var last string
	quiet := 0
	return w.wait(ctx, 2*time.Minute, func(ctx context.Context) error {
		info, err := w.get(ctx, "/api/v1/info")
		if err != nil {
			return err
		}
		if string(info) == last {
			quiet++
		} else {
			last, quiet = string(info), 0
		}
		// Fifteen seconds without a change are more than grace and the time for
		// which events are put in order.
		if quiet < 75 {
			return errors.New("the data set still changes")
		}
		return nil
	})
}

// rows runs a whet command and gives the lines that it printed.
func (w *whet) rows(ctx context.Context, args ...string) ([]string, error) {
	out, errs, status, err := process.Output(ctx, process.Spec{Name: "whet", Path: w.program, Args: args}, strings.NewReader(""))
	if err != nil {
		return nil, err
	}
	if status != 0 {
		return nil, fmt.Errorf("whet %s ended with status %d: %s", args[0], status, strings.TrimSpace(errs))
	}
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(out, "\r\n", "\n")), "\n"), nil
}
