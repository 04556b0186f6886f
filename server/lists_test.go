package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/whet-k8s/whet/internal/actor"
	"github.com/whet-k8s/whet/store"
)

// get asks and reads the answer into a value.
func get[T any](t testing.TB, handler http.Handler, target string) T {
	t.Helper()
	w := ask(handler, http.MethodGet, "/api/v1"+target, "")
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", target, w.Code, w.Body)
	}
	var answer T
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("GET %s: %v", target, err)
	}
	return answer
}

// row is what the tests look at of a row of a list.
type row struct {
	ID       string `json:"id"`
	AuditID  string `json:"auditID"`
	Stage    string `json:"stage"`
	Start    string `json:"start"`
	Duration int64  `json:"duration"`
	Effects  int    `json:"effects"`
	Events   int    `json:"events"`
	Line     int    `json:"line"`
	Origin   string `json:"origin"`
	Root     struct {
		AuditID string `json:"auditID"`
	} `json:"root"`
}

type rows struct {
	Items []row  `json:"items"`
	Total int    `json:"total"`
	Next  string `json:"next"`
}

// pages reads a list page by page.
func pages(t testing.TB, handler http.Handler, target string, limit int) []row {
	t.Helper()
	var all []row
	cursor := ""
	for range 10_000 {
		at := fmt.Sprintf("%slimit=%d", target, limit)
		if cursor != "" {
			at += "&cursor=" + cursor
		}
		got := get[rows](t, handler, at)
		if len(got.Items) > limit {
			t.Fatalf("GET %s: %d rows", at, len(got.Items))
		}
		all = append(all, got.Items...)
		if got.Next == "" {
			return all
		}
		cursor = got.Next
	}
	t.Fatalf("GET %s has no end", target)
	return nil
}

func TestPagesOfContextsAreTheWhole(t *testing.T) {
	handler := dayServer(t)
	for _, sort := range orders() {
		whole := pages(t, handler, "/contexts?sort="+sort+"&", 1000)
		if len(whole) != 402 {
			t.Fatalf("sort=%s: %d contexts, want 402", sort, len(whole))
		}
		if got := pages(t, handler, "/contexts?sort="+sort+"&", 97); !slices.Equal(got, whole) {
			t.Errorf("sort=%s: pages of 97 are not the whole", sort)
		}
		key := func(r row) int64 {
			return map[string]int64{"duration": r.Duration, "effects": int64(r.Effects), "events": int64(r.Events)}[sort]
		}
		if !slices.IsSortedFunc(whole, func(a, b row) int { return int(key(a) - key(b)) }) {
			t.Errorf("sort=%s: not sorted", sort)
		}
	}
}

func TestPagesOfEventsAreTheWhole(t *testing.T) {
	handler := dayServer(t)
	whole := pages(t, handler, "/events?", 1000)
	if len(whole) != 9905 {
		t.Fatalf("%d events, want 9905", len(whole))
	}
	if got := pages(t, handler, "/events?", 997); !slices.Equal(got, whole) {
		t.Error("pages of 997 are not the whole")
	}
}

// TestPagesHoldAtOneTime pages through events that all came in one
// microsecond, as in a log with coarse times.
func TestPagesHoldAtOneTime(t *testing.T) {
	dir := t.TempDir()
	if err := build(t.Context(), dir, store.KeepAll, "testdata/onetime.jsonl"); err != nil {
		t.Fatal(err)
	}
	handler, err := New(t.Context(), open(t, dir), Options{Listen: "127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, r := range pages(t, handler, "/events?", 2) {
		seen[fmt.Sprint(r.AuditID, r.Stage, r.Line)]++
	}
	if len(seen) != 7 {
		t.Errorf("%d events, want 7: %v", len(seen), seen)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("event %s came %d times", id, n)
		}
	}
}

func TestContextEventsAreAllOfThem(t *testing.T) {
	dir := t.TempDir()
	if err := build(t.Context(), dir, store.KeepEvents, "../recordings/v136.metadata.jsonl.zst"); err != nil {
		t.Fatal(err)
	}
	handler, err := New(t.Context(), open(t, dir), Options{Listen: "127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	started := 0
	for i, c := range pages(t, handler, "/contexts?", 1000) {
		if i%20 != 0 && c.Origin == "" || started > 20 {
			continue
		}
		if c.Origin != "" {
			started++
		}
		events := get[rows](t, handler, "/contexts/"+c.ID+"/events?limit=1000")
		if events.Total != c.Events || len(events.Items) != c.Events {
			t.Errorf("context %s has %d events; total %d, listed %d", c.ID, c.Events, events.Total, len(events.Items))
		}
	}
	if started == 0 {
		t.Error("the clock started nothing")
	}
}

func TestCursorBelongsToItsList(t *testing.T) {
	handler := dayServer(t)
	next := get[rows](t, handler, "/contexts?limit=2").Next
	if w := ask(handler, http.MethodGet, "/api/v1/contexts?sort=-effects&cursor="+next, ""); w.Code != http.StatusBadRequest {
		t.Errorf("a cursor of another order: status %d", w.Code)
	}
	if w := ask(handler, http.MethodGet, "/api/v1/events?cursor="+next, ""); w.Code != http.StatusBadRequest {
		t.Errorf("a cursor of another list: status %d", w.Code)
	}
}

func TestTimeIsAsGiven(t *testing.T) {
	handler := dayServer(t)
	whole := pages(t, handler, "/contexts?", 1000)
	from, to := "2026-11-23T18:24:00.5Z", "2026-11-23T20:26:00.123456%2B02:00"
	want := 0
	for _, c := range whole {
		if c.Start >= "2026-11-23T18:24:00.5" && c.Start < "2026-11-23T18:26:00.123456" {
			want++
		}
	}
	if got := get[rows](t, handler, "/contexts?from="+from+"&to="+to).Total; got != want || want == 0 {
		t.Errorf("%d contexts, want %d", got, want)
	}
}

func TestTimelineSumsUp(t *testing.T) {
	handler := dayServer(t)
	for _, target := range []string{
		"/timeline", "/timeline?dots=0", "/timeline?lanes=2", "/timeline?dots=0&lanes=2&width=10", "/timeline?dots=0&width=4000",
		"/timeline?from=2026-11-23T18:24:00Z&to=2026-11-23T18:26:00Z", "/timeline?query=verb==delete&dots=0",
		"/timeline?query=actor==nobody",
	} {
		got := get[timelineAnswer](t, handler, target)
		sum, effects := got.Others.Total, 0
		if n := total(got.Others.Bins.Count); n != got.Others.Total {
			t.Errorf("%s: the bins of others hold %d of %d", target, n, got.Others.Total)
		}
		for _, l := range got.Lanes {
			sum += l.Total
			effects += l.Effects
			held := 0
			if l.Dots != nil {
				held = len(l.Dots.ID)
				if total(l.Dots.Effects) != l.Effects {
					t.Errorf("%s: the dots of %s have %d effects of %d", target, l.Actor, total(l.Dots.Effects), l.Effects)
				}
			} else {
				held = total(l.Bins.Count)
			}
			if held != l.Total {
				t.Errorf("%s: the lane of %s holds %d of %d", target, l.Actor, held, l.Total)
			}
		}
		if sum != got.Total || total(got.Density.Count) != got.Total {
			t.Errorf("%s: total %d, lanes %d, density %d", target, got.Total, sum, total(got.Density.Count))
		}
		if total(got.Density.Effects) != effects+total(got.Others.Bins.Effects) {
			t.Errorf("%s: effects do not add up", target)
		}
		if got.Step <= 0 || got.To <= got.From {
			t.Errorf("%s: from %d to %d by %d", target, got.From, got.To, got.Step)
		}
		for _, at := range got.Density.At {
			if at < 0 || got.From+int64(at)*got.Step >= got.To {
				t.Errorf("%s: bin %d is out of the time", target, at)
			}
		}
	}
}

func total(list []int) int {
	sum := 0
	for _, n := range list {
		sum += n
	}
	return sum
}

// TestFacetsSelectWhatTheyCount asks for every value of every facet.
func TestFacetsSelectWhatTheyCount(t *testing.T) {
	handler := dayServer(t)
	facets := get[facetsAnswer](t, handler, "/facets")
	if len(facets.Facets) != len(facetFields()) || facets.Total != 402 {
		t.Fatalf("%d facets, total %d", len(facets.Facets), facets.Total)
	}
	for _, f := range facets.Facets {
		for _, v := range f.Values[:min(len(f.Values), 8)] {
			if got := get[rows](t, handler, "/contexts?limit=1&query="+url.QueryEscape(v.Query)).Total; got != v.Count {
				t.Errorf("%s %q: %s selects %d, want %d", f.Field, v.Value, v.Query, got, v.Count)
			}
		}
	}
}

// TestKindSQL holds the SQL of kinds to package actor.
func TestKindSQL(t *testing.T) {
	dir, err := dayFolder()
	if err != nil {
		t.Fatal(err)
	}
	data := open(t, dir)
	order := []actor.Kind{actor.Person, actor.ServiceAccount, actor.Component}
	for _, name := range []string{
		"", "alice", "system:admin", "system:anonymous", "system:node:a", "system:", "system", "system:serviceaccount:kube-system:x",
		"system:serviceaccount:kube-systemd:x", "system:serviceaccount:ci:x", "system:serviceaccount:", "System:node:a",
	} {
		var kind int
		if err := data.DB().QueryRowContext(t.Context(), "SELECT "+kindSQL+" FROM (SELECT ? AS username)", name).Scan(&kind); err != nil {
			t.Fatal(err)
		}
		if order[kind] != actor.KindOf(name) {
			t.Errorf("%q is a %s in SQL, a %s in Go", name, order[kind], actor.KindOf(name))
		}
	}
}
