package edit

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/label"
)

// FuzzKey holds the finder of members against encoding/json, and that a label
// changes nothing but itself.
func FuzzKey(f *testing.F) {
	for _, object := range []string{
		`{}`, `{"label":1}`, `{ "a" : {"label":2} , "label" : "3" }`, `{"label":1,"label":[2,{"x":"}"}]}`,
		`{"l\u0061bel":-1,"b":"\\\""}`, `{"a":"\"label\":7"}`, `{"a":1.5e3,"label":null}`, `[1]`, "{\"a\":\t[]\n}",
	} {
		f.Add(object)
	}
	k, err := newKey("label")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, object string) {
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(object), &members) != nil || members == nil {
			return
		}
		want, there := members["label"]
		got, at, ok := k.Find([]byte(object))
		if ok != there || ok && !bytes.Equal(bytes.TrimSpace(want), got) {
			t.Fatalf("%q: %s %v, want %s %v", object, got, ok, want, there)
		}
		if len(members) == 0 {
			return // no event is empty
		}
		labelled := k.append(nil, []byte(object), 65984)
		var after map[string]json.RawMessage
		if err := json.Unmarshal(labelled, &after); err != nil {
			t.Fatalf("%q became %q: %v", object, labelled, err)
		}
		if string(after["label"]) != "65984" {
			t.Fatalf("%q became %q", object, labelled)
		}
		back := strings.Replace(string(labelled), `,"label":65984}`, "}", 1)
		if ok {
			back = string(labelled[:at.Start]) + object[at.Start:at.End] + string(labelled[at.Start+len("65984"):])
		}
		if back != object {
			t.Fatalf("%q became %q: more than the label is changed", object, labelled)
		}
	})
}

// FuzzJournal opens any journal. One that is taken gives the same labels when
// it is opened again, and can be gone on with.
func FuzzJournal(f *testing.F) {
	log := []byte(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1","stage":"ResponseComplete",` +
		`"requestURI":"/api/v1/namespaces/a/pods/p","verb":"get","user":{"username":"u"},` +
		`"objectRef":{"resource":"pods","namespace":"a","name":"p"},"requestReceivedTimestamp":"2026-11-23T18:00:00.000000Z"}` + "\n")
	log = append(log, bytes.ReplaceAll(log, []byte(`"auditID":"1"`), []byte(`"auditID":"2"`))...)
	dir := f.TempDir()
	name := filepath.Join(dir, "audit.log")
	if err := os.WriteFile(name, log, 0o600); err != nil {
		f.Fatal(err)
	}
	l, err := OpenLog(context.Background(), name, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	begin := func(j *Journal) (*Session, error) {
		s, err := NewSession(l, j, Options{})
		if err != nil {
			return nil, err
		}
		scanned, err := s.Scan(context.Background(), func(entries []Entry, _ int64) error { s.Append(entries); return nil })
		if err != nil {
			return nil, err
		}
		return s, s.Begin(scanned)
	}
	fresh, err := OpenJournal(JournalName(name))
	if err != nil {
		f.Fatal(err)
	}
	if _, err := begin(fresh); err != nil {
		f.Fatal(err)
	}
	_ = fresh.Close()
	head, err := os.ReadFile(JournalName(name))
	if err != nil {
		f.Fatal(err)
	}
	for _, rest := range []string{
		"", `{"decide":[[1,2,4496]],"by":"person"}` + "\n" + `{"undo":true}` + "\n", `{"automatic":[[1,1]]}` + "\n" + `{"remove":[[1,2]],"by":"person"}` + "\n",
		`{"decide":[[1,1,4496],[1,1,4512]],"by":"accepted"}` + "\n" + `{"dec`, `{"decide":[[-1,9999999999,1]]}` + "\n", "null\n", "[]\n", "{}\n",
		`{"decide":[[1,1,4496],[1,1,4512]],"by":"person"}` + "\n" + `{"undo":true}` + "\n" + `{"redo":true}` + "\n",
	} {
		f.Add(string(head) + rest)
	}
	f.Add("")
	f.Add(`{"journal":"whet label edit","version":2}` + "\n")
	f.Fuzz(func(t *testing.T, content string) {
		name := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		open := func() (*Session, func(), error) {
			j, err := OpenJournal(name)
			if err != nil {
				return nil, nil, err
			}
			s, err := begin(j)
			return s, func() { _ = j.Close() }, err
		}
		s, done, err := open()
		if done != nil {
			defer func() { done() }()
		}
		if err != nil {
			if after, readErr := os.ReadFile(name); readErr != nil || string(after) != content {
				t.Fatalf("a journal that is refused (%v) was changed", err)
			}
			return
		}
		if err := s.Decide(1, 4496); err != nil {
			t.Fatal(err)
		}
		marks := []Mark{s.Mark(0), s.Mark(1)}
		done()
		s, done, err = open()
		if err != nil {
			t.Fatal(err)
		}
		if s.Mark(0) != marks[0] || s.Mark(1) != marks[1] || s.Mark(1) != (Mark{label.Label(4496), Person}) {
			t.Fatalf("%v and %v, want %v", s.Mark(0), s.Mark(1), marks)
		}
	})
}

// FuzzPredictions reads any file of predictions.
func FuzzPredictions(f *testing.F) {
	entries := []Entry{{Line: 1, check: checkOf("1", "ResponseComplete")}, {Line: 3, check: checkOf("2", "ResponseComplete")}}
	for _, text := range []string{
		`{"line":1,"auditID":"1","stage":"ResponseComplete","label":4400,"confidence":0.5}`,
		`{"auditID":"1","stage":"ResponseComplete","predicted_label":4400}` + "\n\n" + `{"auditID":"2","stage":"ResponseComplete","label":-1,"confidence":7}`,
		`{"line":3,"item":1}`, `{`, "[]", `{"label":1e9}`,
	} {
		f.Add(text)
	}
	codec := label.New(label.Options{})
	f.Fuzz(func(t *testing.T, text string) {
		p := &Predictions{entries: entries, codec: codec}
		err := p.Read(context.Background(), strings.NewReader(text), func(list []Prediction) error {
			for _, said := range list {
				if said.Event < 0 || said.Event >= len(entries) {
					t.Fatalf("a prediction for event %d of %d", said.Event, len(entries))
				}
				if _, err := codec.Decode(said.Label); err != nil {
					t.Fatal(err)
				}
				pack(said.Confidence)
			}
			return nil
		})
		if err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Fatalf("the error names no line: %v", err)
		}
	})
}
