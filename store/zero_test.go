package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/whet-k8s/whet/store"
)

// oddTimes is a log with an event that has no stageTimestamp, and events with
// times before 1970, far ahead or finer than microseconds.
func oddTimes() string {
	const form = `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"00000000-0000-4000-8000-%012d",` +
		`"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/configmaps/c%d","verb":"delete","user":{"username":"bob"},` +
		`"userAgent":"kubectl/v1.37.2","objectRef":{"resource":"configmaps","namespace":"shop","name":"c%d","apiVersion":"v1"},` +
		`"responseStatus":{"metadata":{},"code":200}%s}` + "\n"
	times := []string{
		`,"requestReceivedTimestamp":"2026-11-23T18:00:09.000000Z"`,
		`,"requestReceivedTimestamp":"2026-11-23T18:00:10.000000Z","stageTimestamp":null`,
		`,"requestReceivedTimestamp":"1969-12-31T23:59:59.999999Z","stageTimestamp":"1970-01-01T00:00:00.000001Z"`,
		`,"requestReceivedTimestamp":"2026-11-23T18:00:10.000001Z"`,
		`,"requestReceivedTimestamp":"1800-01-01T00:00:00.000001Z","stageTimestamp":"2026-11-23T18:00:11.000000Z"`,
		`,"requestReceivedTimestamp":"9999-12-31T23:59:59.999999Z","stageTimestamp":"9999-12-31T23:59:59.999999Z"`,
		`,"requestReceivedTimestamp":"2026-11-23T18:00:12.123456789Z","stageTimestamp":"2026-11-23T18:00:12.123456999Z"`,
		`,"requestReceivedTimestamp":"2026-11-23T18:00:13.5+02:00","stageTimestamp":"2026-11-23T18:00:12.000000Z"`,
	}
	var log strings.Builder
	for i, moments := range times {
		fmt.Fprintf(&log, form, i, i, i, moments)
	}
	return log.String()
}

// TestOddTimes wants the events of such a log back, with the ids that a run
// gives.
func TestOddTimes(t *testing.T) {
	log := oddTimes()
	path := save(t, t.TempDir(), "log", log)
	wantEvents, wantContexts := stream(t, "default", path)
	dir := t.TempDir()
	o := store.WriterOptions{Keep: store.KeepAll}
	want := strings.Count(log, "\n")
	if added := add(t, dir, o, path); int(added.Events) != want {
		t.Errorf("added %+v, want %d events", added, want)
	}
	if again := add(t, dir, o, path); again != (store.Added{}) {
		t.Errorf("the same once more added %+v", again)
	}
	d := open(t, dir)
	byID := map[string]*store.Event{}
	for _, ev := range wantEvents {
		byID[ev.AuditID] = kept(ev)
	}
	for got, err := range d.Events(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		want := byID[got.AuditID]
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(999)); diff != "" {
			t.Errorf("event %s (-want +got):\n%s", got.AuditID, diff)
		}
		delete(byID, got.AuditID)
	}
	if len(byID) > 0 {
		t.Errorf("%d events are missing", len(byID))
	}
	ids := map[string]bool{}
	for _, c := range wantContexts {
		ids[c.ID] = true
	}
	for got, err := range d.Contexts(t.Context(), store.Where{}, store.Page{}) {
		if err != nil {
			t.Fatal(err)
		}
		if !ids[got.ID] {
			t.Errorf("the context %s of %s is none that the run gave", got.ID, got.Root.AuditID)
		}
	}
	if got := raw(t, dir)["log"]; got != log {
		t.Errorf("the log came back as\n%s", got)
	}
}
