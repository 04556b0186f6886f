package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/store"
)

// dayFolder is a data set of the recording of a day, made once for all tests
// that want it.
var dayFolder = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "whet-server-test-*")
	if err != nil {
		return "", err
	}
	made = dir
	return dir, build(context.Background(), dir, store.KeepAll, "../recordings/day.audit.jsonl.zst")
})

// made is the folder that dayFolder made, "" when no test wanted it.
var made string

// build analyses logs into a data set.
func build(ctx context.Context, dir string, keep store.Keep, logs ...string) error {
	w, err := store.Append(ctx, dir, store.WriterOptions{Keep: keep})
	if err != nil {
		return err
	}
	account, err := pipeline.Run(ctx, logs, nil, pipeline.Options{KeepGaps: keep == store.KeepAll}, w.Sink())
	if err != nil {
		return err
	}
	_, err = w.Commit(ctx, account)
	return err
}

func TestMain(m *testing.M) {
	code := m.Run()
	if made != "" {
		os.RemoveAll(made)
	}
	os.Exit(code)
}

// open opens a data set for a test.
func open(t testing.TB, dir string) *store.DataSet {
	t.Helper()
	data, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close() })
	return data
}

// dayServer is a server of the recording of a day.
func dayServer(t testing.TB, change ...func(*Options)) http.Handler {
	t.Helper()
	dir, err := dayFolder()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Listen: "127.0.0.1:8080", Version: "test", Source: []string{"day"}}
	for _, f := range change {
		f(&o)
	}
	handler, err := New(t.Context(), open(t, dir), o)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// contract checks answers against openapi.yaml.
type contract struct {
	router routers.Router
	doc    *openapi3.T
}

func newContract(t testing.TB) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("openapi.yaml is wrong: %v", err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{router, doc}
}

// check holds a request and its answer to the contract, and returns the body.
func (c *contract) check(t testing.TB, handler http.Handler, target string, status int) []byte {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+target, nil)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	body := w.Body.Bytes()
	if w.Code != status {
		t.Fatalf("GET %s: status %d, want %d: %.500s", target, w.Code, status, body)
	}
	route, path, err := c.router.FindRoute(r)
	if err != nil {
		t.Fatalf("GET %s: %v", target, err)
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: path, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if status == http.StatusOK {
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("GET %s: the request is not as openapi.yaml says: %v", target, err)
		}
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(body)),
	})
	if err != nil {
		message := err.Error()
		t.Errorf("GET %s: the answer is not as openapi.yaml says: %.1500s", target, message)
	}
	return body
}

// theContext is a context of the recording with much to show, thePod one that
// it deleted, theEvent the request that did.
const (
	theContext = "4e65af0c-7138-5116-883f-09c8d0d38c94"
	thePod     = "apiGroup=&resource=pods&namespace=data&name=web-api-77b586c99c-grh44"
	theEvent   = "3cd35fd8-de9b-4f62-8b7a-76f13ef95c9e"
)

// TestAnswersAreAsDescribed holds an answer of every path to openapi.yaml,
// which must describe every path that there is and no other.
func TestAnswersAreAsDescribed(t *testing.T) {
	handler, c := dayServer(t), newContract(t)
	asked := map[string]bool{"/contexts.jsonl": true, "/events.jsonl": true, "/openapi.yaml": true, "/live": true} // other tests ask for these
	for _, target := range []string{
		"/info", "/contexts", "/contexts?limit=3&sort=-effects", "/contexts?query=exists(origin)", "/contexts?query=actor==nobody",
		"/contexts/" + theContext, "/contexts/" + theContext + "/events", "/contexts/" + theContext + "/graph", "/contexts/" + theContext + "/objects",
		"/timeline", "/timeline?dots=0&width=50", "/timeline?lanes=1&actor=alice", "/timeline?query=actor==nobody",
		"/facets", "/facets?query=actor==nobody", "/fields", "/fields?over=events",
		"/values?field=username&prefix=a", "/values?field=by", "/values?over=events&field=context.actor", "/values?over=events&field=groups",
		"/parse?query=actor==alice", "/parse?query=xxx", "/parse?query=verb==get&over=events",
		"/events?limit=1000", "/events?query=code%3E=400", "/events/" + theEvent, "/events/" + theEvent + "/raw",
		"/objects?name=web-api", "/objects?namespace=data&limit=1", "/objects/revision?auditID=" + theEvent, "/object?" + thePod, "/object?limit=1&" + thePod,
		"/why?target=" + theEvent, "/why?all=true&target=pod/data/web-api-77b586c99c-grh44",
		"/noise", "/noise/leases/events", "/session",
	} {
		c.check(t, handler, "/api/v1"+target, http.StatusOK)
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/api/v1"+target, nil)
		if route, _, err := c.router.FindRoute(r); err == nil {
			asked[route.Path] = true
		}
	}
	for _, target := range []string{"/contexts?limit=x", "/contexts/" + theContext[1:] + "0", "/why?target=pod/x/y", "/events/none", "/contexts?query=("} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/api/v1"+target, nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		c.check(t, handler, "/api/v1"+target, w.Code)
		if w.Code < 400 {
			t.Errorf("GET %s: status %d", target, w.Code)
		}
	}
	for path := range c.doc.Paths.Map() {
		if !asked[path] {
			t.Errorf("no answer of %s is held to openapi.yaml", path)
		}
	}
	c.checkRoutes(t, handler)
}

// checkRoutes looks for paths that the server has and openapi.yaml lacks.
func (c *contract) checkRoutes(t *testing.T, handler http.Handler) {
	t.Helper()
	for path := range answerers() {
		if c.doc.Paths.Find(path) == nil {
			t.Errorf("openapi.yaml lacks %s", path)
		}
	}
	w := ask(handler, http.MethodGet, "/api/v1/openapi.yaml", "")
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), openAPI) {
		t.Errorf("openapi.yaml: status %d, %d bytes", w.Code, w.Body.Len())
	}
}

// TestStreams holds the lines of a stream to the rows of the pages.
func TestStreams(t *testing.T) {
	handler := dayServer(t)
	for target, want := range map[string]int{
		"/contexts.jsonl": 402, "/contexts.jsonl?query=actor==alice": 70, "/events.jsonl?query=role==root": 401, "/events.jsonl?query=actor==nobody": 0,
	} {
		w := ask(handler, http.MethodGet, "/api/v1"+target, "")
		lines := bytes.Count(w.Body.Bytes(), []byte("\n"))
		if w.Code != http.StatusOK || lines != want || w.Header().Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("GET %s: status %d, %d lines of %s, want %d", target, w.Code, lines, w.Header().Get("Content-Type"), want)
		}
		if strings.Contains(w.Body.String(), `{"error"`) {
			t.Errorf("GET %s: an error in the stream", target)
		}
	}
	if w := ask(handler, http.MethodGet, "/api/v1/contexts.jsonl?query=(", ""); w.Code != http.StatusBadRequest {
		t.Errorf("a wrong query: status %d", w.Code)
	}
}
