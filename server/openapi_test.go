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

// dayFolder is a data set of the recording of a day, made once for all tests.
var dayFolder = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "whet-server-test-*")
	if err != nil {
		return "", err
	}
	return dir, build(context.Background(), dir, store.KeepAll, "../recordings/day.audit.jsonl.zst")
})

// build analyses logs into a data set.
func build(ctx context.Context, dir string, keep store.Keep, logs ...string) error {
	w, err := store.Append(ctx, dir, store.WriterOptions{Keep: keep})
	if err != nil {
		return err
	}
	account, err := pipeline.Run(ctx, logs, nil, pipeline.Options{KeepRaw: keep == store.KeepAll}, w.Sink())
	if err != nil {
		return err
	}
	_, err = w.Commit(ctx, account)
	return err
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := dayFolder(); err == nil {
		os.RemoveAll(dir)
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
	handler, err := New(open(t, dir), o)
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

func TestAnswersAreAsDescribed(t *testing.T) {
	handler, c := dayServer(t), newContract(t)
	for _, target := range []string{
		"/api/v1/contexts", "/api/v1/contexts?limit=3&sort=-effects", "/api/v1/timeline", "/api/v1/timeline?dots=0",
		"/api/v1/facets", "/api/v1/fields", "/api/v1/fields?over=events", "/api/v1/events?limit=1000",
		"/api/v1/values?field=username&prefix=a", "/api/v1/parse?query=" + strings.Repeat("x", 10),
	} {
		c.check(t, handler, target, http.StatusOK)
	}
}
