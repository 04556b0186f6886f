package auth

import (
	"crypto/tls"
	"log/slog"
	"net/http"
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

// Authenticator finds the client of a request. Its methods may be used by
// several goroutines at once.
type Authenticator struct{}

// New makes an Authenticator. It reads every file of the configuration; one
// that is missing or wrong is an error, which names the client.
func New(c Config) (*Authenticator, error) { return nil, nil }

// Identify finds the client of a request, by its token, or else by its
// certificate. The error is ErrNoCredential, ErrUnknown or ErrExpired, with more
// words around it; it is for the sender as well as for the log.
func (a *Authenticator) Identify(r *http.Request) (Identity, error) { return Identity{}, nil }

// Require lets the requests of clients with a role through to next, which finds
// the client with FromContext. Others get 401 or 403 as plain text.
func (a *Authenticator) Require(role Role, next http.Handler) http.Handler { return next }

// FromRequest gives the client that Require found.
func FromRequest(r *http.Request) (Identity, bool) { return Identity{}, false }

// TLSFiles name the files of a listener with TLS, PEM each.
type TLSFiles struct {
	Certificate, Key string
}

// TLS makes the configuration of a listener, which asks clients for a
// certificate where some client has one, and takes connections without: who may
// do what is for Identify. The files are read again when they change.
func (a *Authenticator) TLS(files TLSFiles) (*tls.Config, error) { return nil, nil }
