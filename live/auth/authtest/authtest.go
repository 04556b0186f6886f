// Package authtest makes certificates and files with credentials for tests.
package authtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA is an authority that issues certificates.
type CA struct {
	// File has its certificate, in PEM.
	File string
	// Pool has its certificate alone.
	Pool *x509.CertPool

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	dir         string
}

// NewCA makes an authority whose files go into a folder.
func NewCA(tb testing.TB, dir, name string) *CA {
	tb.Helper()
	ca := &CA{File: filepath.Join(dir, name+".crt"), Pool: x509.NewCertPool(), dir: dir}
	template := &x509.Certificate{
		SerialNumber: serial(tb), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	ca.key = newKey(tb)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &ca.key.PublicKey, ca.key)
	if err != nil {
		tb.Fatal(err)
	}
	if ca.certificate, err = x509.ParseCertificate(der); err != nil {
		tb.Fatal(err)
	}
	ca.Pool.AddCert(ca.certificate)
	Write(tb, ca.File, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return ca
}

// Issue makes a certificate for a common name, of a client and of a server on
// loopback, which ends at a time, and gives the files with it and its key.
func (ca *CA) Issue(tb testing.TB, commonName string, ends time.Time) (certificate, key string) {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: serial(tb), Subject: pkix.Name{CommonName: commonName},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: ends, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"},
	}
	its := newKey(tb)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, &its.PublicKey, ca.key)
	if err != nil {
		tb.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(its)
	if err != nil {
		tb.Fatal(err)
	}
	base := filepath.Join(ca.dir, commonName+"-of-"+ca.certificate.Subject.CommonName)
	Write(tb, base+".crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	Write(tb, base+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	return base + ".crt", base + ".key"
}

// Pair is Issue for a client that has the certificate in memory.
func (ca *CA) Pair(tb testing.TB, commonName string, ends time.Time) tls.Certificate {
	tb.Helper()
	pair, err := tls.LoadX509KeyPair(ca.Issue(tb, commonName, ends))
	if err != nil {
		tb.Fatal(err)
	}
	return pair
}

// Write writes a file that only its owner reads.
func Write(tb testing.TB, name string, data []byte) {
	tb.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func serial(tb testing.TB) *big.Int {
	tb.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
