package auth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Config says who the clients are.
type Config struct {
	// Clients are the clients, with names that differ.
	Clients []Client
	// ClientCA is a file with the authorities, in PEM, that issue the
	// certificates of clients without a CA of their own.
	ClientCA string
	// Log takes what a person who runs the server should know. Default is none.
	Log *slog.Logger
	// Now tells the time; nil is time.Now.
	Now func() time.Time
}

// lookEvery is how often files are looked at again at most.
const lookEvery = time.Second

// Authenticator finds the client of a request. Its methods may be used by
// several goroutines at once.
type Authenticator struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	looked  time.Time
	clients []*client
	shared  *watched[[]*x509.Certificate] // Config.ClientCA, nil without one
	changes int                           // counts those of authorities
}

// client is a Client with what its files say.
type client struct {
	Client
	tokens *watched[[]token]             // nil without a TokenFile
	issuer *watched[[]*x509.Certificate] // nil without a CommonName
}

// New makes an Authenticator. It reads every file of the configuration; one
// that is missing or wrong is an error, which names the client.
func New(c Config) (*Authenticator, error) {
	a := &Authenticator{log: c.Log, now: c.Now}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	if c.ClientCA != "" {
		a.shared = watchAuthorities(c.ClientCA)
		if err := a.shared.load(); err != nil {
			return nil, fmt.Errorf("reading the authorities of clients: %w", err)
		}
	}
	names := map[string]bool{}
	for _, one := range c.Clients {
		if err := one.Check(); err != nil {
			return nil, err
		}
		if names[one.Name] {
			return nil, fmt.Errorf("two clients are named %s", one.Name)
		}
		names[one.Name] = true
		if err := a.add(one); err != nil {
			return nil, fmt.Errorf("client %s: %w", one.Name, err)
		}
	}
	a.looked = a.now()
	return a, a.checkShared()
}

// add reads the files of a client.
func (a *Authenticator) add(one Client) error {
	c := &client{Client: one}
	if one.TokenFile != "" {
		c.tokens = &watched[[]token]{names: []string{one.TokenFile}, parse: func(raw [][]byte) ([]token, error) {
			return parseTokens(one.TokenFile, raw[0])
		}}
		if err := c.tokens.load(); err != nil {
			return fmt.Errorf("reading its tokens: %w", err)
		}
	}
	if one.CommonName != "" {
		c.issuer = a.shared
		if one.CA != "" {
			c.issuer = watchAuthorities(one.CA)
			if err := c.issuer.load(); err != nil {
				return fmt.Errorf("reading the authorities of its certificate: %w", err)
			}
		}
		if c.issuer == nil {
			return errors.New("its certificate needs an authority: its own, or one for all clients")
		}
	}
	a.clients = append(a.clients, c)
	return nil
}

// checkShared finds a token or a certificate that would be two clients'.
func (a *Authenticator) checkShared() error {
	tokens := map[[sha256.Size]byte]string{}
	names := map[[2]string]string{}
	for _, c := range a.clients {
		if c.tokens != nil {
			for _, t := range c.tokens.value {
				if other, taken := tokens[t.sum]; taken && other != c.Name {
					return fmt.Errorf("clients %s and %s have the same token", other, c.Name)
				}
				tokens[t.sum] = c.Name
			}
		}
		if c.issuer != nil {
			key := [2]string{c.CA, c.CommonName}
			if other, taken := names[key]; taken {
				return fmt.Errorf("clients %s and %s have certificates with the same common name and authority", other, c.Name)
			}
			names[key] = c.Name
		}
	}
	return nil
}

// refresh looks at the files again, where the last look is a while ago. The
// caller holds mu.
func (a *Authenticator) refresh() {
	now := a.now()
	if now.Sub(a.looked) < lookEvery {
		return
	}
	a.looked = now
	changed := a.shared != nil && a.shared.refresh(a.log)
	if changed {
		a.changes++
	}
	for _, c := range a.clients {
		if c.tokens != nil && c.tokens.refresh(a.log) {
			changed = true
		}
		if c.issuer != nil && c.issuer != a.shared && c.issuer.refresh(a.log) {
			a.changes++
			changed = true
		}
	}
	if !changed {
		return
	}
	if err := a.checkShared(); err != nil {
		a.log.Error("credentials are ambiguous; the client that is named first has them", "error", err)
	}
}

// Identify finds the client of a request, by its token, or else by its
// certificate. The error is ErrNoCredential, ErrUnknown or ErrExpired, with more
// words around it; it is for the sender as well as for the log.
func (a *Authenticator) Identify(r *http.Request) (Identity, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refresh()
	if kind, text, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(kind, "Bearer") {
		return a.byToken(strings.TrimSpace(text))
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return a.byCertificate(r.TLS.VerifiedChains)
	}
	return Identity{}, ErrNoCredential
}

func (a *Authenticator) byToken(text string) (Identity, error) {
	sum := sha256.Sum256([]byte(text))
	var found *client
	var its token
	for _, c := range a.clients {
		if c.tokens == nil {
			continue
		}
		if t, ok := match(c.tokens.value, &sum); ok && found == nil {
			found, its = c, t
		}
	}
	switch {
	case found == nil:
		return Identity{}, fmt.Errorf("token: %w", ErrUnknown)
	case !its.ends.IsZero() && !a.now().Before(its.ends):
		return Identity{}, fmt.Errorf("token of client %s: %w, at %s", found.Name, ErrExpired, its.ends.UTC().Format(time.RFC3339))
	}
	return found.identity(), nil
}

// byCertificate looks at chains that the handshake verified, against the
// authorities of all clients as they were then.
func (a *Authenticator) byCertificate(chains [][]*x509.Certificate) (Identity, error) {
	leaf := chains[0][0]
	name := leaf.Subject.CommonName
	for _, c := range a.clients {
		if c.issuer == nil || c.CommonName != name || !issued(chains, c.issuer.value) {
			continue
		}
		// A connection may outlive its certificate.
		if a.now().After(leaf.NotAfter) {
			return Identity{}, fmt.Errorf("certificate of client %s: %w, at %s", c.Name, ErrExpired, leaf.NotAfter.UTC().Format(time.RFC3339))
		}
		return c.identity(), nil
	}
	return Identity{}, fmt.Errorf("certificate with the common name %q: %w", cut(name), ErrUnknown)
}

// issued tells whether a chain ends in one of the authorities.
func issued(chains [][]*x509.Certificate, authorities []*x509.Certificate) bool {
	for _, chain := range chains {
		for _, authority := range authorities {
			if chain[len(chain)-1].Equal(authority) {
				return true
			}
		}
	}
	return false
}

func (c *client) identity() Identity {
	return Identity{Name: c.Name, Roles: c.Roles, Clusters: c.Clusters}
}

func watchAuthorities(name string) *watched[[]*x509.Certificate] {
	return &watched[[]*x509.Certificate]{names: []string{name}, parse: func(raw [][]byte) ([]*x509.Certificate, error) {
		list, err := parseCertificates(raw[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return list, nil
	}}
}

// parseCertificates reads the certificates of a PEM file, at least one.
func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(list)+1, err)
		}
		list = append(list, certificate)
	}
	if len(list) == 0 {
		return nil, errors.New("the file holds no certificate in PEM")
	}
	return list, nil
}

type identityKey struct{}

// Require lets the requests of clients with a role through to next, which finds
// the client with FromRequest. Others get 401 or 403 as plain text.
func (a *Authenticator) Require(role Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := a.Identify(r)
		if err != nil {
			a.log.Warn("a request was refused", "remote", r.RemoteAddr, "path", r.URL.Path, "error", err)
			w.Header().Set("WWW-Authenticate", `Bearer realm="whet"`)
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		if !who.Has(role) {
			a.log.Warn("a request was refused", "remote", r.RemoteAddr, "path", r.URL.Path, "client", who.Name, "error", "it lacks the role "+string(role))
			http.Error(w, "client "+who.Name+" does not have the role "+string(role), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, who)))
	})
}

// FromRequest gives the client that Require found.
func FromRequest(r *http.Request) (Identity, bool) {
	who, ok := r.Context().Value(identityKey{}).(Identity)
	return who, ok
}
