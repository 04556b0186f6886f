package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/whet-k8s/whet/lab/internal/pki"
)

// credentials are a certificate or a token.
type credentials struct {
	pair  pki.Pair
	token string
}

// Access is how one client reaches the API server.
type Access struct {
	// Kubeconfig is a file for kubectl and for operators.
	Kubeconfig string
	// Server is the address with its scheme, HTTP a client that presents the
	// certificate, Token the bearer token where there is no certificate.
	Server string
	HTTP   *http.Client
	Token  string
}

// User gives a person access: a certificate for the user name in the groups,
// and an address of its own.
func (c *Cluster) User(user string, groups ...string) (*Access, error) {
	c.clients++
	file := fmt.Sprintf("user-%d", c.clients)
	pair, err := c.ca.Client(file, user, groups...)
	if err != nil {
		return nil, err
	}
	return c.access(file, credentials{pair: pair})
}

// Administrator gives access as [Admin].
func (c *Cluster) Administrator() (*Access, error) {
	return c.access("admin", credentials{pair: c.admin})
}

// Token gives access with a service account's token.
func (c *Cluster) Token(token string) (*Access, error) {
	c.clients++
	return c.access(fmt.Sprintf("account-%d", c.clients), credentials{token: token})
}

func (c *Cluster) access(file string, cred credentials) (*Access, error) {
	host := c.config.Plan.Client(c.clients)
	config, err := c.writeKubeconfig(file, host, cred)
	if err != nil {
		return nil, err
	}
	client, err := c.newHTTP(cred.pair)
	if err != nil {
		return nil, err
	}
	return &Access{Kubeconfig: config, Server: c.address(host), HTTP: client, Token: cred.token}, nil
}

// writeKubeconfig writes a kubeconfig file for the credentials and returns its
// path. JSON is YAML, so the file is JSON.
func (c *Cluster) writeKubeconfig(name, host string, cred credentials) (string, error) {
	user := map[string]any{}
	if cred.token != "" {
		user["token"] = cred.token
	} else {
		user["client-certificate"], user["client-key"] = cred.pair.Cert, cred.pair.Key
	}
	data, err := json.MarshalIndent(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "lab",
		"clusters": []any{map[string]any{"name": "lab", "cluster": map[string]any{"server": c.address(host), "certificate-authority": c.ca.Cert}}},
		"users":    []any{map[string]any{"name": "lab", "user": user}},
		"contexts": []any{map[string]any{"name": "lab", "context": map[string]any{"cluster": "lab", "user": "lab"}}},
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("writing the kubeconfig of %s: %w", name, err)
	}
	path := c.path("kubeconfig", name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", fmt.Errorf("writing the kubeconfig of %s: %w", name, err)
	}
	return path, nil
}
