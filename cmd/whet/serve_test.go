package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// serving is a whet serve in progress.
type serving struct {
	url  string
	err  *bytes.Buffer
	stop func() int // gives the exit status
}

// serve runs a command line that serves, and waits until it says where.
func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	s := &serving{err: new(bytes.Buffer)}
	status := make(chan int, 1)
	go func() {
		code := run(ctx, args, &stdio{in: strings.NewReader(""), out: w, err: s.err})
		w.Close()
		status <- code
	}()
	s.stop = func() int { cancel(); return <-status }
	t.Cleanup(cancel)
	said := regexp.MustCompile(`^Serving (https?://\S+) \(Ctrl-C ends it\)$`)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if m := said.FindStringSubmatch(lines.Text()); m != nil {
			s.url = m[1]
			go io.Copy(io.Discard, r)
			return s
		}
	}
	t.Fatalf("whet %s ended with status %d: %s", strings.Join(args, " "), <-status, s.err)
	return nil
}

// events asks a server how many events it has.
func (s *serving) events(t *testing.T, client *http.Client, change ...func(*http.Request)) (n, status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"api/v1/info", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	w, err := client.Do(r)
	if err != nil {
		return 0, 0
	}
	defer w.Body.Close()
	var info struct {
		Events int `json:"events"`
	}
	if err := json.NewDecoder(w.Body).Decode(&info); err != nil {
		t.Fatal(err)
	}
	return info.Events, w.StatusCode
}

func TestServeLog(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := serve(t, "serve", "--listen", "127.0.0.1:0", "testdata/small.jsonl")
	if n, status := s.events(t, http.DefaultClient); n != 20 || status != 200 {
		t.Errorf("%d events, status %d; want 20, 200", n, status)
	}
	if s.url == "http://127.0.0.1:0/" || len(folders(t, tmp)) != 1 {
		t.Errorf("serving %s with %v", s.url, folders(t, tmp))
	}
	// Another one on the same port says so.
	var errs bytes.Buffer
	address := strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/")
	code := run(t.Context(), []string{"serve", "--listen", address, "x"}, &stdio{in: strings.NewReader(""), out: io.Discard, err: &errs})
	if code != exitFailed || !strings.Contains(errs.String(), "is in use: choose another with --listen") {
		t.Errorf("a port in use: status %d, %s", code, errs.String())
	}
	if code := s.stop(); code != 0 {
		t.Errorf("ending it gave status %d: %s", code, s.err)
	}
	if left := folders(t, tmp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func folders(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "whet-*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestServeDemo(t *testing.T) {
	s := serve(t, "demo", "--lines", "1", "--serve", "--listen", "127.0.0.1:0")
	if n, status := s.events(t, http.DefaultClient); n != 9905 || status != 200 {
		t.Errorf("%d events, status %d; want 9905, 200", n, status)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("ending it gave status %d: %s", code, s.err)
	}
}

func TestServeWithToken(t *testing.T) {
	const token = "0123456789abcdefghij"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "serve", "--listen", "127.0.0.1:0", "--token-file", file, "testdata/small.jsonl")
	if _, status := s.events(t, http.DefaultClient); status != 401 {
		t.Errorf("without the token: status %d", status)
	}
	with := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	if n, status := s.events(t, http.DefaultClient, with); n == 0 || status != 200 {
		t.Errorf("with the token: %d events, status %d", n, status)
	}
	s.stop()
	if !strings.Contains(s.err.String(), "travel unencrypted") {
		t.Errorf("no word about the missing encryption: %s", s.err)
	}
}

func TestServeWithClientCertificates(t *testing.T) {
	files := newCertificates(t)
	s := serve(t, "serve", "--listen", "127.0.0.1:0", "--tls-cert", files.cert, "--tls-key", files.key, "--tls-client-ca", files.cert, "testdata/small.jsonl")
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatalf("serving %s", s.url)
	}
	roots := x509.NewCertPool()
	roots.AddCert(files.pair.Leaf)
	client := func(certificates ...tls.Certificate) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates}}}
	}
	if _, status := s.events(t, client()); status != 0 {
		t.Errorf("without a certificate: status %d", status)
	}
	if n, status := s.events(t, client(files.pair)); n == 0 || status != 200 {
		t.Errorf("with the certificate: %d events, status %d", n, status)
	}
	s.stop()
}

// certificates is a certificate that serves as authority, server and client.
type certificates struct {
	cert, key string
	pair      tls.Certificate
}

func newCertificates(t *testing.T) certificates {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := certificates{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{c.cert: {Type: "CERTIFICATE", Bytes: der}, c.key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c.pair, err = tls.LoadX509KeyPair(c.cert, c.key); err != nil {
		t.Fatal(err)
	}
	return c
}
