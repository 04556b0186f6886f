package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/semaphore"
)

// FuzzBody reads bodies, plain and as gzip. Whatever comes, what is refused is
// refused in words, and what is not is a list whose items all stand in the
// pieces, in order.
func FuzzBody(f *testing.F) {
	list, err := os.ReadFile(filepath.Join("testdata", "eventlist.json"))
	if err != nil {
		f.Fatal(err)
	}
	zip := func(data []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(data)
		_ = w.Close()
		return b.Bytes()
	}
	f.Add([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"a"},5]}`), false)
	f.Add([]byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"stageTimestamp":"2199-01-01T00:00:00Z"},null]}`), false)
	f.Add(list[:2000], false)
	f.Add(zip(list[:4000]), true)
	f.Add(zip(list)[:700], true)
	f.Add(zip(make([]byte, 1<<20)), true)
	limits := Limits{Body: 64 << 10, Memory: 1 << 20}.withDefaults()
	until := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, sent []byte, compressed bool) {
		r := httptest.NewRequest(http.MethodPost, "/ingest/prod", bytes.NewReader(sent))
		if compressed {
			r.Header.Set("Content-Encoding", "gzip")
		}
		h := New(Options{Limits: limits})
		b := h.newBody()
		err := b.read(httptest.NewRecorder(), r, limits)
		if err == nil {
			err = b.split(until)
		}
		if err == nil {
			checkPieces(t, b)
		} else {
			checkRefusal(t, err)
		}
		if int64(len(b.data)) > limits.Body+1 && !compressed {
			t.Errorf("%d bytes were read", len(b.data))
		}
		h.freeBody(b)
		if !h.memory.TryAcquire(limits.Memory) {
			t.Fatal("some memory was not given back")
		}
		h.memory.Release(limits.Memory)
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var no *refusal
	if !errors.As(err, &no) || no.text == "" || !slices.Contains([]int{400, 413}, no.status) {
		t.Fatalf("refused with %#v", err)
	}
}

func checkPieces(t *testing.T, b *body) {
	t.Helper()
	var want struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(b.data, &want); err != nil {
		t.Fatalf("encoding/json refuses it: %v", err)
	}
	var lines []string
	events := 0
	for _, p := range b.pieces {
		lines = append(lines, strings.SplitAfter(string(p.lines), "\n")...)
		lines = lines[:len(lines)-1]
		events += p.events
	}
	if events != len(lines) || b.events != len(want.Items) {
		t.Fatalf("%d events in %d lines, of %d items (%d)", events, len(lines), b.events, len(want.Items))
	}
	late := 0
	for _, item := range want.Items {
		if late+len(lines) == 0 {
			t.Fatal("an item is missing")
		}
		body := strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, strings.TrimPrefix(string(item), "{"))
		if len(lines) == 0 || !strings.HasSuffix(strings.ToValidUTF8(lines[0], "\ufffd"), strings.ToValidUTF8(body, "\ufffd")+"\n") {
			late++
			continue
		}
		lines = lines[1:]
	}
	if len(lines) != 0 || (late > 0) != (b.future != nil) {
		t.Fatalf("%d lines are no items, %d items no lines, %v", len(lines), late, b.future)
	}
}

// TestBodyMemoryIsUsedAgain reads a large body and then a small one.
func TestBodyMemoryIsUsedAgain(t *testing.T) {
	b := &body{memory: semaphore.NewWeighted(1 << 20)}
	h := New(Options{})
	h.memory = b.memory
	for _, size := range []int{100 << 10, 10} {
		r := httptest.NewRequest(http.MethodPost, "/ingest/prod", strings.NewReader(strings.Repeat("x", size)))
		if err := b.read(httptest.NewRecorder(), r, h.options.Limits); err != nil {
			t.Fatal(err)
		}
		if len(b.data) != size || b.held < int64(cap(b.data)) {
			t.Errorf("%d bytes read, %d in memory, %d held", len(b.data), cap(b.data), b.held)
		}
		h.freeBody(b)
	}
	if !b.memory.TryAcquire(1 << 20) {
		t.Error("some memory was not given back")
	}
}
