package auth

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// TLSFiles name the files of a listener with TLS, PEM each.
type TLSFiles struct {
	// Certificate has the server's certificate and those between it and its
	// authority, Key its private key.
	Certificate, Key string
}

// listener makes the configurations of TLS connections.
type listener struct {
	auth   *Authenticator
	pair   *watched[*tls.Certificate]
	looked time.Time // at pair
	made   *tls.Config
	state  int // Authenticator.changes when made was made
}

// TLS makes the configuration of a listener, which asks clients for a
// certificate where some client has one, and takes connections without: who may
// do what is for Identify. A certificate that no authority of a client issued
// ends the handshake. The files are read again when they change; a server's
// certificate stays in force when its file is gone. An error says what is wrong
// with the files.
func (a *Authenticator) TLS(files TLSFiles) (*tls.Config, error) {
	if files.Certificate == "" || files.Key == "" {
		return nil, errors.New("TLS needs both a certificate and its key")
	}
	l := &listener{auth: a, pair: &watched[*tls.Certificate]{
		names: []string{files.Certificate, files.Key}, keep: true,
		parse: func(raw [][]byte) (*tls.Certificate, error) {
			pair, err := tls.X509KeyPair(raw[0], raw[1])
			if err != nil {
				return nil, fmt.Errorf("the certificate %s and its key %s: %w", files.Certificate, files.Key, err)
			}
			return &pair, nil
		},
	}}
	if err := l.pair.load(); err != nil {
		return nil, fmt.Errorf("reading the server's certificate: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	l.looked = a.now()
	config := l.make()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return l.current(), nil }
	return config, nil
}

// current is the configuration by what the files say now.
func (l *listener) current() *tls.Config {
	a := l.auth
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); now.Sub(l.looked) >= lookEvery {
		l.looked = now
		if l.pair.refresh(a.log) {
			l.made = nil
		}
	}
	a.refresh()
	if l.made == nil || l.state != a.changes {
		l.made = l.make()
	}
	return l.made
}

// make makes a configuration. The caller holds the Authenticator's mu.
func (l *listener) make() *tls.Config {
	l.state = l.auth.changes
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*l.pair.value}, NextProtos: []string{"h2", "http/1.1"},
	}
	pool, some := l.auth.authorities()
	if some {
		config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, pool
	}
	return config
}

// authorities are those of all clients together, and whether some client has a
// certificate.
func (a *Authenticator) authorities() (pool *x509.CertPool, some bool) {
	pool = x509.NewCertPool()
	for _, c := range a.clients {
		if c.issuer == nil {
			continue
		}
		some = true
		for _, certificate := range c.issuer.value {
			pool.AddCert(certificate)
		}
	}
	return pool, some
}
