package cluster

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
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
	// Kubeconfig is a file with the address and the credentials, for kubectl,
	// operators and client-go.
	Kubeconfig string
}

// Newcomer has a key and a request for a certificate, which the cluster has to
// sign before the access is good for anything.
type Newcomer struct {
	*Access
	// Request is the certificate request in PEM.
	Request []byte
	user    string
	file    string
}

// Newcomer makes a key for a person whom the cluster does not know yet.
func (c *Cluster) Newcomer(user string, groups ...string) (*Newcomer, error) {
	c.clients++
	file := fmt.Sprintf("newcomer-%d", c.clients)
	pair, request, err := c.ca.Request(file, user, groups...)
	if err != nil {
		return nil, err
	}
	access, err := c.access(file, credentials{pair: pair})
	if err != nil {
		return nil, err
	}
	return &Newcomer{Access: access, Request: request, user: user, file: pair.Cert}, nil
}

// Certify gives the newcomer the certificate that the cluster has signed, in
// PEM. Commands that run meanwhile see the old one or the new one.
func (n *Newcomer) Certify(certificate []byte) error {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return errors.New("reading a newcomer's certificate: it is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("reading a newcomer's certificate: %w", err)
	}
	if cert.Subject.CommonName != n.user {
		return fmt.Errorf("reading a newcomer's certificate: it is for %q and not for %q", cert.Subject.CommonName, n.user)
	}
	if err := os.WriteFile(n.file+".new", certificate, 0o600); err != nil { //nolint:gosec // The name is the lab's own.
		return fmt.Errorf("writing a newcomer's certificate: %w", err)
	}
	if err := os.Rename(n.file+".new", n.file); err != nil {
		return fmt.Errorf("writing a newcomer's certificate: %w", err)
	}
	return nil
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
	return &Access{Kubeconfig: config}, nil
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
