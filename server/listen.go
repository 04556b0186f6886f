package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

// minToken is the least length of a token, in bytes: shorter ones can be
// tried out.
const minToken = 20

// TLSFiles name the files of a server with TLS, PEM each. The zero value is a
// server without.
type TLSFiles struct {
	// Certificate and Key are the server's own.
	Certificate, Key string
	// ClientCA holds the authorities whose certificates clients must show, ""
	// when they need none.
	ClientCA string
}

// Config reads the files. It is nil without a certificate.
func (f *TLSFiles) Config() (*tls.Config, error) {
	if f.Certificate == "" && f.Key == "" {
		if f.ClientCA != "" {
			return nil, errors.New("client certificates need TLS: give a certificate and its key too")
		}
		return nil, nil
	}
	if f.Certificate == "" || f.Key == "" {
		return nil, errors.New("TLS needs both a certificate and its key")
	}
	certificate, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate %s and its key %s: %w", f.Certificate, f.Key, err)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"},
	}
	if f.ClientCA == "" {
		return config, nil
	}
	pem, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("reading the authorities of clients: %w", err)
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the authorities of clients: %s holds no certificate", f.ClientCA)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}

// ReadToken reads the token in a file: its one line, without spaces around it.
func ReadToken(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	switch {
	case len(token) < minToken:
		return "", fmt.Errorf("the token in %s has %d characters, and %d are the least: make one with openssl rand -hex 32",
			name, len(token), minToken)
	case strings.ContainsAny(token, " \t\r\n"):
		return "", fmt.Errorf("the token in %s holds spaces or several lines", name)
	}
	return token, nil
}

// CheckListen refuses an address that others can reach, unless the server asks
// who they are: guarded tells that it asks for a token or for certificates of
// clients.
func CheckListen(address string, guarded bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen address %q: write it as 127.0.0.1:8080", address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("listen address %q: %q is no port", address, port)
	}
	if guarded || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("listen address %s can be reached by others, who could then read the whole log: "+
		"give --token-file, or --tls-cert, --tls-key and --tls-client-ca", address)
}

// isLoopback tells an address that only this machine reaches. A name other
// than localhost is not resolved: what it points to may change.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
