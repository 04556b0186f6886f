package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
)

func TestCertificatesVerify(t *testing.T) {
	dir := t.TempDir()
	ca, err := NewAuthority(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.Server("server", "localhost", "10.20.0.1")
	if err != nil {
		t.Fatal(err)
	}
	client, err := ca.Client("alice", "alice", "developers")
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(ca.Cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the authority's file holds no certificate")
	}
	leaf := func(p Pair) *x509.Certificate {
		t.Helper()
		c, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf
	}
	tests := []struct {
		name  string
		cert  *x509.Certificate
		opts  x509.VerifyOptions
		valid bool
	}{
		{"server by name", leaf(server), x509.VerifyOptions{Roots: roots, DNSName: "localhost"}, true},
		{"server by address", leaf(server), x509.VerifyOptions{Roots: roots, DNSName: "10.20.0.1"}, true},
		{"server elsewhere", leaf(server), x509.VerifyOptions{Roots: roots, DNSName: "10.20.0.2"}, false},
		{"client", leaf(client), x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, true},
		{"client as server", leaf(client), x509.VerifyOptions{Roots: roots}, false},
	}
	for _, tt := range tests {
		if _, err := tt.cert.Verify(tt.opts); (err == nil) != tt.valid {
			t.Errorf("%s: verify says %v; want valid %v", tt.name, err, tt.valid)
		}
	}
	if got := leaf(client).Subject; got.CommonName != "alice" || len(got.Organization) != 1 || got.Organization[0] != "developers" {
		t.Errorf("client's subject is %v; want alice of developers", got)
	}
}

func TestKeysAreNotReadableByOthers(t *testing.T) {
	dir := t.TempDir()
	p, err := SigningKey(dir, "sa")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(p.Key)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v; want 0600", info.Mode().Perm())
	}
}

func TestMissingFolder(t *testing.T) {
	if _, err := NewAuthority(t.TempDir()+"/none", "ca"); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}
