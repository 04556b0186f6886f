// Package pki makes the certificates and keys of one lab: an authority, server
// certificates, and client certificates whose common name is the user and whose
// organisations are the groups, as Kubernetes reads them
// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/).
// Everything is written under one folder, valid for a day, and of no use
// elsewhere.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Pair names the two PEM files of a certificate and its key.
type Pair struct{ Cert, Key string }

// Authority signs certificates. Its own pair lies in the folder as NAME.crt and
// NAME.key.
type Authority struct {
	Pair
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority called name and writes its pair to dir,
// which must exist.
func NewAuthority(dir, name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key of authority %s: %w", name, err)
	}
	template, err := newTemplate(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("making the certificate of authority %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of authority %s back: %w", name, err)
	}
	pair, err := write(dir, name, der, key)
	if err != nil {
		return nil, err
	}
	return &Authority{Pair: pair, dir: dir, cert: cert, key: key}, nil
}

// Client makes a client certificate for user in groups and writes it as
// FILE.crt and FILE.key.
func (a *Authority) Client(file, user string, groups ...string) (Pair, error) {
	template, err := newTemplate(pkix.Name{CommonName: user, Organization: groups})
	if err != nil {
		return Pair{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(file, template)
}

// Server makes a server certificate for the DNS names and IP addresses in
// hosts and writes it as FILE.crt and FILE.key.
func (a *Authority) Server(file string, hosts ...string) (Pair, error) {
	template, err := newTemplate(pkix.Name{CommonName: file})
	if err != nil {
		return Pair{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return a.sign(file, template)
}

// Request makes a key for user in groups, writes it to the authority's folder as
// FILE.key, and returns a request for a client certificate in PEM, for somebody
// to have signed. Pair names the key and the file for the certificate, which is
// not there yet.
func (a *Authority) Request(file, user string, groups ...string) (Pair, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, nil, fmt.Errorf("making the key of %s: %w", file, err)
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Pair{}, nil, fmt.Errorf("encoding the key of %s: %w", file, err)
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: user, Organization: groups}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		return Pair{}, nil, fmt.Errorf("making the certificate request of %s: %w", file, err)
	}
	p := Pair{Cert: filepath.Join(a.dir, file+".crt"), Key: filepath.Join(a.dir, file+".key")}
	if err := writePEM(p.Key, "EC PRIVATE KEY", encoded, 0o600); err != nil {
		return Pair{}, nil, err
	}
	return p, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

func (a *Authority) sign(file string, template *x509.Certificate) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("making the key of %s: %w", file, err)
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("signing the certificate of %s: %w", file, err)
	}
	return write(a.dir, file, der, key)
}

// SigningKey makes a key pair for service account tokens and writes it as
// FILE.key (private) and FILE.pub.
func SigningKey(dir, file string) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("making the key %s: %w", file, err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return Pair{}, fmt.Errorf("encoding the key %s: %w", file, err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("encoding the key %s: %w", file, err)
	}
	p := Pair{Cert: filepath.Join(dir, file+".pub"), Key: filepath.Join(dir, file+".key")}
	if err := writePEM(p.Cert, "PUBLIC KEY", public, 0o644); err != nil {
		return Pair{}, err
	}
	return p, writePEM(p.Key, "EC PRIVATE KEY", private, 0o600)
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: subject,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}, nil
}

func write(dir, file string, der []byte, key *ecdsa.PrivateKey) (Pair, error) {
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("encoding the key of %s: %w", file, err)
	}
	p := Pair{Cert: filepath.Join(dir, file+".crt"), Key: filepath.Join(dir, file+".key")}
	if err := writePEM(p.Cert, "CERTIFICATE", der, 0o644); err != nil {
		return Pair{}, err
	}
	return p, writePEM(p.Key, "EC PRIVATE KEY", encoded, 0o600)
}

func writePEM(path, kind string, der []byte, mode os.FileMode) error {
	data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, data, mode); err != nil {
		return fmt.Errorf("writing a certificate or key: %w", err)
	}
	return nil
}
