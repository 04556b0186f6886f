package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/whet-k8s/whet/pipeline"
	"github.com/whet-k8s/whet/query"
	"github.com/whet-k8s/whet/store"
)

// problemIn reads the problem in an answer.
func problemIn(t testing.TB, w *httptest.ResponseRecorder) *problem {
	t.Helper()
	var answer struct {
		Error *problem `json:"error"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error == nil || answer.Error.Message == "" {
		t.Fatalf("status %d without a problem: %.300s", w.Code, w.Body)
	}
	return answer.Error
}

func TestWrongParameters(t *testing.T) {
	handler := dayServer(t)
	long := strings.Repeat("x", 9000)
	for _, tt := range []struct {
		target, field string
		status        int
		message       string
	}{
		{"/contexts?limit=0", "limit", 400, "from 1 to 1000"},
		{"/contexts?limit=1001", "limit", 400, "from 1 to 1000"},
		{"/contexts?limit=x", "limit", 400, "from 1 to 1000"},
		{"/contexts?limit=1&limit=2", "limit", 400, "given 2 times"},
		{"/contexts?sort=name", "sort", 400, "-duration"},
		{"/contexts?from=yesterday", "from", 400, "2026-11-23T18:00:00Z"},
		{"/contexts?from=2026-11-23T19:00:00Z&to=2026-11-23T18:00:00Z", "to", 400, "not after from"},
		{"/contexts?form=2026-11-23T19:00:00Z", "form", 400, "no such parameter"},
		{"/contexts?query=" + long, "query", 400, "longer"},
		{"/contexts?query=%FF", "query", 400, "UTF-8"},
		{"/contexts?query=%zz", "", 400, "encoded"},
		{"/contexts?cursor=xxx", "cursor", 400, "not one that this server gave"},
		{"/contexts?query=usrname%3D%3Dalice", "query", 400, "usrname"},
		{"/events?query=effects%3E3", "query", 400, "effects"},
		{"/contexts/1", "id", 400, "UUID"},
		{"/contexts/00000000-0000-5000-8000-000000000000", "", 404, "no context"},
		{"/contexts/00000000-0000-5000-8000-000000000000/events", "", 404, "no context"},
		{"/contexts/00000000-0000-5000-8000-000000000000/graph", "", 404, "no context"},
		{"/contexts/00000000-0000-5000-8000-000000000000/objects", "", 404, "no context"},
		{"/events/none", "", 404, "no event"},
		{"/object?name=x", "resource", 400, "missing"},
		{"/object?resource=pods&name=x", "", 404, "no request about"},
		{"/timeline?width=5", "width", 400, "from 10 to 4000"},
		{"/values?field=nothing", "field", 400, "nothing"},
		{"/values?field=start", "field", 400, "start"},
		{"/nothing", "", 404, "has no"},
	} {
		w := ask(handler, http.MethodGet, "/api/v1"+tt.target, "")
		if w.Code != tt.status {
			t.Errorf("GET %.100s: status %d, want %d: %s", tt.target, w.Code, tt.status, w.Body)
			continue
		}
		p := problemIn(t, w)
		if p.Field != tt.field || !strings.Contains(p.Message, tt.message) {
			t.Errorf("GET %.100s: field %q, message %q; want %q and %q", tt.target, p.Field, p.Message, tt.field, tt.message)
		}
		if w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("GET %.100s: content type %q", tt.target, w.Header().Get("Content-Type"))
		}
	}
}

func TestQueryProblemTellsThePlace(t *testing.T) {
	handler := dayServer(t)
	w := ask(handler, http.MethodGet, "/api/v1/contexts?query="+url.QueryEscape(`action == "é" and usrname == alice`), "")
	p := problemIn(t, w)
	if p.Position == nil || *p.Position != 19 || p.Column != 19 || p.Length != 7 || p.Hint != "did you mean username?" {
		t.Errorf("got %+v, position %v", p, p.Position)
	}
}

// TestWhatClientsSendIsNoSQL looks for the text of parameters in the conditions
// made of them: it must be among the arguments alone.
func TestWhatClientsSendIsNoSQL(t *testing.T) {
	const mark = "zqx"
	for _, raw := range []string{
		"cluster=zqx", "query=actor%3D%3Dzqx", "query=actor+in+(zqx,zqx2)+and+action+~+%22*zqx*%22", "query=touches(zqx)+or+by(zqx)+or+caused-by(zqx)",
		"query=name+contains+%22zqx%27%3B--%22", "query=name+%3D%3D+regexp(%22zqx%22)",
	} {
		for over, column := range map[query.Over]string{query.Contexts: "contexts", query.Events: "events"} {
			if over == query.Events && strings.Contains(raw, "action") {
				continue // no field of events
			}
			r := httptest.NewRequest(http.MethodGet, "http://localhost/?"+raw, nil)
			p := paramsOf(r)
			where := p.where(over)
			if err := p.done(); err != nil {
				t.Fatalf("%s over %s: %v", raw, column, err)
			}
			if where.SQL == "" || len(where.Args) == 0 || strings.Contains(where.SQL, mark) {
				t.Errorf("%s over %s: %s with %d arguments", raw, column, where.SQL, len(where.Args))
			}
		}
	}
	w := about(&objectAnswer{mark, mark, mark, mark, mark})
	w = all(w, store.IsOneOf("id", mark), ofContext(&store.Context{Context: pipeline.Context{ID: mark, Origin: mark}}))
	if strings.Contains(w.SQL, mark) || strings.Count(w.SQL, "?") != len(w.Args) {
		t.Errorf("%s with %d arguments", w.SQL, len(w.Args))
	}
}

// FuzzParams gives the parameters of every path to the code that reads them:
// whatever comes, it ends in values within their bounds or in a problem that
// can be shown.
func FuzzParams(f *testing.F) {
	for _, s := range []string{
		"query=actor%3D%3Dalice&from=2026-11-23T18:00:00Z&to=2026-11-24T00:00:00Z&limit=10", "cursor=eyJsIjoxfQ", "limit=9223372036854775808",
		"query=%28%28%28&cluster=%00", "from=0000-00-00T00:00:00Z", "limit=+5", "a;b", "query=since+2h&query=x", "actor=%E2%80%AE",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/timeline", nil)
		r.URL.RawQuery = raw
		p := paramsOf(r)
		where := p.where(query.Contexts)
		limit, width := p.number("limit", 5, 1, 10), p.number("width", defaultWidth, 10, maxWidth)
		p.order()
		p.over()
		p.flag("all")
		c := p.cursor(fingerprint("/timeline", p.values))
		name := p.text("actor", maxText)
		if limit < 1 || limit > 10 || width < 10 || width > maxWidth || len(name) > maxText || !utf8.ValidString(name) {
			t.Errorf("out of bounds: limit %d, width %d, actor %q", limit, width, name)
		}
		if c != nil && c.Skip < 0 {
			t.Errorf("a cursor skips %d rows", c.Skip)
		}
		if n := strings.Count(where.SQL, "?"); n != len(where.Args) {
			t.Errorf("%d places for %d arguments: %s", n, len(where.Args), where.SQL)
		}
		err := p.done()
		if err == nil {
			return
		}
		w := httptest.NewRecorder()
		writeProblem(w, problemOf(err))
		if problemIn(t, w); w.Code != http.StatusBadRequest {
			t.Errorf("status %d for %v", w.Code, err)
		}
	})
}
