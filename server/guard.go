package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The policies of content. A page of the app may load its own files alone; an
// answer of the API is never a page, and may load nothing should a browser
// take it for one. Pictures may come from blob: and data:, since the app
// exports them.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
		"font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	answerPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
)

// guard lets through what a browser sends for the app itself, or a program
// with no browser around it. A page of somebody else, which could reach this
// server through the user's browser, is refused:
//
//   - Host must be a name of this server, so that no foreign name that was
//     made to point here (DNS rebinding) passes for it;
//   - Origin, where a browser sends it, must be this server's;
//   - Sec-Fetch-Site must say same-origin, or none for what the user typed; a
//     link elsewhere may open a page of the app, but not ask the API.
type guard struct {
	hosts hosts
	next  http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setPolicy(w.Header(), isAPI(r.URL.Path))
	if !g.hosts.has(r.Host) {
		forbid(w, r, "the host "+quoteName(r.Host)+" is not a name of this server",
			"open it by the address that it printed, or start it with --host")
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" && !sameHost(origin, r.Host) {
		forbid(w, r, "a page of another origin may not ask this server", "")
		return
	}
	if !fetchAllowed(r) {
		forbid(w, r, "a page of another site may not ask this server", "")
		return
	}
	g.next.ServeHTTP(w, r)
}

// Guard puts what a Server has before it before a handler of somebody else, for
// a server that listens on an address and has further names.
func Guard(listen string, names []string, next http.Handler) http.Handler {
	return &guard{hosts: hostsOf(listen, names), next: next}
}

func setPolicy(h http.Header, api bool) {
	policy := pagePolicy
	if api {
		policy = answerPolicy
		// What somebody did is for whoever asked, not for a disk.
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// forbid answers 403, to a program as JSON and to a person as text.
func forbid(w http.ResponseWriter, r *http.Request, message, hint string) {
	p := &problem{status: http.StatusForbidden, Message: message, Hint: hint}
	if isAPI(r.URL.Path) {
		writeProblem(w, p)
		return
	}
	if hint != "" {
		message += ": " + hint
	}
	http.Error(w, message, http.StatusForbidden)
}

// fetchAllowed judges the metadata that browsers send
// (https://www.w3.org/TR/fetch-metadata/). Programs and old browsers send
// none; Origin and Host protect those.
func fetchAllowed(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.Method == http.MethodGet && !isAPI(r.URL.Path) &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

func isAPI(path string) bool { return path == "/api" || strings.HasPrefix(path, "/api/") }

// hosts are the names that a server answers to.
type hosts struct {
	names map[string]bool
	// addresses allows every address written in digits: such a name cannot be
	// made to point elsewhere.
	addresses bool
}

// hostsOf makes the names of a server that listens on an address: localhost
// and its addresses, the address itself, and the names the user gave. A server
// that listens on every address answers to every address.
func hostsOf(listen string, names []string) hosts {
	h := hosts{names: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}}
	for _, name := range names {
		h.names[strings.ToLower(strings.Trim(name, "[]"))] = true
	}
	name, _, err := net.SplitHostPort(listen)
	if err != nil {
		return h
	}
	address, err := netip.ParseAddr(name)
	switch {
	case name == "", err == nil && address.IsUnspecified():
		h.addresses = true
	case err == nil:
		h.names[address.WithZone("").String()] = true
	default:
		h.names[strings.ToLower(name)] = true
	}
	return h
}

// has tells whether a Host header names the server. The port is not looked
// at, since a tunnel has one of its own, and a foreign page on another port is
// known by its Origin.
func (h hosts) has(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	if h.names[name] {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && (h.addresses || h.names[address.String()])
}

// quoteName is a name that a client sent, short enough for a message.
func quoteName(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
