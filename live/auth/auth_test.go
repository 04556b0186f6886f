package auth_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whet-k8s/whet/live/auth"
	"github.com/whet-k8s/whet/live/auth/authtest"
)

const (
	tokenA = "a-token-that-is-long-enough"
	tokenB = "b-token-that-is-long-enough"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bearer is a request with a token.
func bearer(token string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	authtest.Write(t, path, []byte(text))
	return path
}

func ingest(name, tokens string) auth.Client {
	return auth.Client{Name: name, Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"prod"}, TokenFile: tokens}
}

func TestTokens(t *testing.T) {
	now := &clock{now: time.Date(2027, 1, 30, 23, 59, 0, 0, time.UTC)}
	tokens := file(t, "tokens", "# ours\n"+tokenA+" 2027-01-31\r\n\n\t"+tokenB+"\n")
	a, err := auth.New(auth.Config{Clients: []auth.Client{ingest("api", tokens)}, Now: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	check := func(token string, want error) {
		t.Helper()
		who, err := a.Identify(bearer(token))
		if !errors.Is(err, want) || want == nil && who.Name != "api" {
			t.Errorf("token %q: %+v, %v; want %v", token, who, err, want)
		}
		if err != nil && token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("the message %q holds the token", err)
		}
	}
	check(tokenA, nil)
	check(tokenB, nil)
	check(tokenA+"x", auth.ErrUnknown)
	check(tokenA[:len(tokenA)-1], auth.ErrUnknown)
	check("", auth.ErrNoCredential)
	now.add(time.Minute)
	check(tokenA, auth.ErrExpired)
	check(tokenB, nil)
	basic := httptest.NewRequest(http.MethodPost, "/", nil)
	basic.SetBasicAuth("api", tokenB)
	if _, err := a.Identify(basic); !errors.Is(err, auth.ErrNoCredential) {
		t.Errorf("basic authentication: %v", err)
	}
}

func TestTokensAreReadAgain(t *testing.T) {
	var log bytes.Buffer
	now := &clock{now: time.Now()}
	tokens := file(t, "tokens", tokenA+"\n")
	a, err := auth.New(auth.Config{
		Clients: []auth.Client{ingest("api", tokens)}, Now: now.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name  string
		write func() error
		a, b  error
		log   string
	}{
		{"replaced", func() error { return os.WriteFile(tokens, []byte(tokenB), 0o600) }, auth.ErrUnknown, nil, "read again"},
		{"half written", func() error { return os.WriteFile(tokens, []byte(tokenA[:5]), 0o600) }, auth.ErrUnknown, nil, "has 5 characters"},
		{"emptied", func() error { return os.WriteFile(tokens, nil, 0o600) }, auth.ErrUnknown, nil, "holds no token"},
		{"deleted", func() error { return os.Remove(tokens) }, auth.ErrUnknown, auth.ErrUnknown, "no such file"},
		{"made again", func() error { return os.WriteFile(tokens, []byte(tokenA+"\n"+tokenB), 0o600) }, nil, nil, "read again"},
	}
	for _, step := range steps {
		log.Reset()
		if err := step.write(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			now.add(2 * time.Second)
			_, errA := a.Identify(bearer(tokenA))
			_, errB := a.Identify(bearer(tokenB))
			if !errors.Is(errA, step.a) || !errors.Is(errB, step.b) {
				t.Errorf("%s: %v and %v, want %v and %v", step.name, errA, errB, step.a, step.b)
			}
		}
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, step.log) {
			t.Errorf("%s: logged %q, want one line with %q", step.name, got, step.log)
		}
	}
}

func TestWrongConfigurations(t *testing.T) {
	good := file(t, "tokens", tokenA)
	tests := []struct {
		name   string
		change func(c *auth.Client)
		want   string
	}{
		{"no name", func(c *auth.Client) { c.Name = "" }, "is no name"},
		{"name with a slash", func(c *auth.Client) { c.Name = "a/b" }, `"a/b" is no name`},
		{"no role", func(c *auth.Client) { c.Roles = nil }, "client api has no role"},
		{"unknown role", func(c *auth.Client) { c.Roles = []auth.Role{"admin"} }, `unknown role "admin"`},
		{"no cluster", func(c *auth.Client) { c.Clusters = nil }, "no cluster"},
		{"all and one", func(c *auth.Client) { c.Clusters = []string{"*", "prod"} }, "must be alone"},
		{"no credential", func(c *auth.Client) { c.TokenFile = "" }, "no credential"},
		{"authority alone", func(c *auth.Client) { c.CA = good }, "no common name"},
		{"no authority", func(c *auth.Client) { c.CommonName = "api" }, "needs an authority"},
		{"authority that is none", func(c *auth.Client) { c.CommonName, c.CA = "api", good }, "holds no certificate"},
		{"missing file", func(c *auth.Client) { c.TokenFile = good + "2" }, "no such file"},
		{"empty file", func(c *auth.Client) { c.TokenFile = file(t, "t", "# none\n") }, "holds no token"},
		{"short token", func(c *auth.Client) { c.TokenFile = file(t, "t", "\n12345678901234567890\nshort\n") }, "t:3: the token has 5 characters"},
		{"wrong time", func(c *auth.Client) { c.TokenFile = file(t, "t", tokenA+" tomorrow") }, `t:1: the time at which the token ends: "tomorrow" is neither`},
		{"more words", func(c *auth.Client) { c.TokenFile = file(t, "t", tokenA+" 2027-01-31 18:00") }, "here is more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := ingest("api", good)
			test.change(&c)
			_, err := auth.New(auth.Config{Clients: []auth.Client{c}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	two := []auth.Client{ingest("one", good), ingest("two", file(t, "other", tokenB+"\n"+tokenA))}
	if _, err := auth.New(auth.Config{Clients: two}); err == nil || !strings.Contains(err.Error(), "one and two have the same token") {
		t.Errorf("a shared token: %v", err)
	}
	two[1] = ingest("one", file(t, "other", tokenB))
	if _, err := auth.New(auth.Config{Clients: two}); err == nil || !strings.Contains(err.Error(), "two clients are named one") {
		t.Errorf("a shared name: %v", err)
	}
}

func TestRolesAndClusters(t *testing.T) {
	who := auth.Identity{Name: "api", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"prod"}}
	all := auth.Identity{Name: "all", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{auth.AllClusters}}
	reader := auth.Identity{Name: "eve", Roles: []auth.Role{auth.RoleRead}, Clusters: []string{"prod"}}
	for _, test := range []struct {
		who     auth.Identity
		cluster string
		want    bool
	}{{who, "prod", true}, {who, "test", false}, {who, "", false}, {all, "test", true}, {reader, "prod", false}} {
		if got := test.who.MayIngest(test.cluster); got != test.want {
			t.Errorf("%s may send events of %q: %v", test.who.Name, test.cluster, got)
		}
	}
}

func TestRequire(t *testing.T) {
	reader := auth.Client{Name: "eve", Roles: []auth.Role{auth.RoleRead}, TokenFile: file(t, "r", tokenA)}
	a, err := auth.New(auth.Config{Clients: []auth.Client{reader, ingest("api", file(t, "i", tokenB))}})
	if err != nil {
		t.Fatal(err)
	}
	h := a.Require(auth.RoleRead, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := auth.FromRequest(r)
		_, _ = io.WriteString(w, who.Name)
	}))
	for _, test := range []struct {
		token, body string
		code        int
	}{{tokenA, "eve", 200}, {tokenB, "client api does not have the role read\n", 403}, {"wrong", "token: the credential is nobody's\n", 401}} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, bearer(test.token))
		if rec.Code != test.code || rec.Body.String() != test.body {
			t.Errorf("token %q: %d %q", test.token, rec.Code, rec.Body)
		}
		if (rec.Code == 401) != (rec.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("token %q: %v", test.token, rec.Header())
		}
	}
}

// certificates is a server with TLS whose answer is the client's name, or what
// Identify says, and the authorities of its clients.
type certificates struct {
	server      *httptest.Server
	ours, other *authtest.CA
	files       auth.TLSFiles
	clock       *clock
	log         *bytes.Buffer
}

func newCertificates(t *testing.T) *certificates {
	t.Helper()
	dir := t.TempDir()
	c := &certificates{
		ours: authtest.NewCA(t, dir, "ours"), other: authtest.NewCA(t, dir, "other"),
		clock: &clock{now: time.Now()}, log: new(bytes.Buffer),
	}
	api := auth.Client{Name: "api", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"prod"}, CommonName: "kube-apiserver"}
	theirs := auth.Client{Name: "theirs", Roles: []auth.Role{auth.RoleIngest}, Clusters: []string{"test"}, CommonName: "apiserver", CA: c.other.File}
	a, err := auth.New(auth.Config{Clients: []auth.Client{api, theirs}, ClientCA: c.ours.File, Now: c.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.files.Certificate, c.files.Key = c.ours.Issue(t, "server", time.Now().Add(time.Hour))
	config, err := a.TLS(c.files)
	if err != nil {
		t.Fatal(err)
	}
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := a.Identify(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, who.Name)
	}))
	c.server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), slog.LevelError)
	c.server.TLS = config
	c.server.StartTLS()
	t.Cleanup(c.server.Close)
	return c
}

// ask gives the server's answer to a client with a certificate, nil for none.
func (c *certificates) ask(t *testing.T, pair *tls.Certificate) (string, error) {
	t.Helper()
	// Of TLS 1.3 a client may have sent its request before it is told why its
	// certificate is refused.
	config := &tls.Config{RootCAs: c.ours.Pool, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}
	if pair != nil {
		// Whatever authorities the server names.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	resp, err := client.Get(c.server.URL)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return strings.TrimSpace(string(body)), err
}

func TestCertificates(t *testing.T) {
	c := newCertificates(t)
	foreign := authtest.NewCA(t, t.TempDir(), "foreign")
	later := time.Now().Add(time.Hour)
	for _, test := range []struct {
		name   string
		ca     *authtest.CA
		common string
		ends   time.Time
		want   string
	}{
		{"right", c.ours, "kube-apiserver", later, "api"},
		{"right, with an authority of its own", c.other, "apiserver", later, "theirs"},
		{"unknown name", c.ours, "somebody", later, `certificate with the common name "somebody": the credential is nobody's`},
		{"name of another authority's client", c.other, "kube-apiserver", later, `certificate with the common name "kube-apiserver": the credential is nobody's`},
		{"name of a client with another authority", c.ours, "apiserver", later, `certificate with the common name "apiserver": the credential is nobody's`},
		{"foreign authority", foreign, "kube-apiserver", later, "unknown certificate authority"},
		{"expired", c.ours, "kube-apiserver", time.Now().Add(-time.Minute), "expired certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pair := test.ca.Pair(t, test.common, test.ends)
			got, err := c.ask(t, &pair)
			if err != nil {
				got = err.Error()
			}
			if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got, err := c.ask(t, nil); err != nil || got != auth.ErrNoCredential.Error() {
		t.Errorf("without a certificate: %q, %v", got, err)
	}
}

// TestCertificatesAreReadAgain replaces the server's certificate and the
// clients' authority while the server runs.
func TestCertificatesAreReadAgain(t *testing.T) {
	c := newCertificates(t)
	pair := c.ours.Pair(t, "kube-apiserver", time.Now().Add(time.Hour))
	if got, err := c.ask(t, &pair); got != "api" {
		t.Fatal(got, err)
	}
	fresh := authtest.NewCA(t, t.TempDir(), "fresh")
	certificate, key := fresh.Issue(t, "server", time.Now().Add(time.Hour))
	replace := func(from, to string) {
		t.Helper()
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		authtest.Write(t, to, data)
	}
	replace(certificate, c.files.Certificate)
	c.clock.add(2 * time.Second)
	if got, err := c.ask(t, &pair); got != "api" {
		t.Errorf("with a key that does not fit: %q, %v", got, err)
	}
	replace(key, c.files.Key)
	c.clock.add(2 * time.Second)
	if got, err := c.ask(t, &pair); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("the server still has its old certificate: %q, %v", got, err)
	}
	old := c.ours.Pool
	c.ours.Pool = fresh.Pool
	replace(fresh.File, c.ours.File)
	c.clock.add(2 * time.Second)
	if got, err := c.ask(t, &pair); err == nil {
		t.Errorf("a certificate of the old authority: %q", got)
	}
	renewed := fresh.Pair(t, "kube-apiserver", time.Now().Add(time.Hour))
	if got, err := c.ask(t, &renewed); got != "api" {
		t.Errorf("a certificate of the new authority: %q, %v", got, err)
	}
	if old.Equal(c.ours.Pool) {
		t.Error("the authorities are the same")
	}
}

// TestConnectionOutlivesItsCertificate has a connection on which the client's
// certificate ends.
func TestConnectionOutlivesItsCertificate(t *testing.T) {
	c := newCertificates(t)
	pair := c.ours.Pair(t, "kube-apiserver", time.Now().Add(time.Hour))
	config := &tls.Config{RootCAs: c.ours.Pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	for _, want := range []string{"api", "the credential has expired"} {
		resp, err := client.Get(c.server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !strings.Contains(string(body), want) {
			t.Errorf("got %q, want %q", body, want)
		}
		c.clock.add(2 * time.Hour)
	}
}

func FuzzTokens(f *testing.F) {
	f.Add(tokenA + " 2027-01-31\n# more\n")
	f.Add("\x00\n" + tokenB)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := auth.New(auth.Config{Clients: []auth.Client{ingest("api", file(t, "t", text))}, Now: func() time.Time { return time.Unix(0, 0) }})
		if err != nil {
			return
		}
		// Some line begins with a token, and a token of no line is nobody's.
		some := false
		for _, line := range strings.Split(text, "\n") {
			if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(fields[0], "#") {
				_, err := a.Identify(bearer(fields[0]))
				some = some || err == nil || errors.Is(err, auth.ErrExpired)
			}
		}
		if !some {
			t.Errorf("no token of %q holds", text)
		}
		if _, err := a.Identify(bearer("not-in-the-file-" + tokenA + tokenB)); err == nil && !strings.Contains(text, "not-in-the-file-") {
			t.Error("another token holds")
		}
	})
}
