package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/audit"
)

// lines gives the events of a recording.
func lines(t testing.TB, name string) [][]byte {
	t.Helper()
	r, err := audit.Open([]string{filepath.Join("..", "recordings", name)}, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out [][]byte
	for {
		c, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range c.Records {
			out = append(out, record.Raw)
		}
	}
}

// secrets are the values of a recording that must not be stored, found in
// another way than the package finds them: in a tree of values, and by the
// shape of a token.
type secrets struct {
	values map[string]bool
	all    *strings.Replacer
}

var webToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// public are keys of a service account's Secret that hold what anybody may know
// and what stands elsewhere: the name of the namespace and the cluster's
// certificate.
var public = []string{"namespace", "ca.crt"}

func (s *secrets) event(line []byte) {
	secret := bytes.Contains(line, []byte(`"Secret`)) || bytes.Contains(line, []byte(`"secrets"`))
	if !secret && !bytes.Contains(line, []byte("eyJ")) {
		return
	}
	for _, found := range webToken.FindAllString(string(line), -1) {
		s.add(found)
	}
	var ev struct {
		ObjectRef                     struct{ Resource string }
		RequestObject, ResponseObject any
	}
	if json.Unmarshal(line, &ev) != nil {
		return
	}
	s.object(ev.RequestObject, ev.ObjectRef.Resource == "secrets")
	s.object(ev.ResponseObject, ev.ObjectRef.Resource == "secrets")
}

func (s *secrets) object(v any, secret bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			s.object(item, secret)
		}
	case map[string]any:
		secret = secret || v["kind"] == "Secret" || v["kind"] == "SecretList"
		for key, value := range v {
			if text, ok := value.(string); ok && strings.Contains(key, "last-applied") {
				var applied any
				if json.Unmarshal([]byte(text), &applied) == nil {
					s.object(applied, false)
				}
			}
			if secret && (key == "data" || key == "stringData") {
				s.data(value)
			}
			s.object(value, secret)
		}
	}
}

func (s *secrets) data(v any) {
	data, _ := v.(map[string]any)
	for key, value := range data {
		if text, ok := value.(string); ok && !slices.Contains(public, key) {
			s.add(text)
		}
	}
}

// minLength is how long a value must be to be looked for in a text, in bytes: a
// shorter one stands in other words too.
const minLength = 6

// add takes a value in all the forms in which it could stand somewhere.
func (s *secrets) add(value string) {
	forms := []string{value, base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value))}
	if plain, err := base64.StdEncoding.DecodeString(value); err == nil {
		forms = append(forms, string(plain))
	}
	for _, form := range forms {
		quoted, _ := json.Marshal(form)
		for _, form := range []string{form, strings.Trim(string(quoted), `"`)} {
			if len(form) >= minLength {
				s.values[form] = true
			}
		}
	}
}

// in gives the values that stand in a text.
func (s *secrets) in(text string) []string {
	if s.all == nil {
		var pairs []string
		for value := range s.values {
			pairs = append(pairs, value, "")
		}
		s.all = strings.NewReplacer(pairs...)
	}
	if s.all.Replace(text) == text {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.values)), func(v string) bool { return !strings.Contains(text, v) })
}

// TestRecordingsHoldNoSecret takes every value of a Secret and every token of
// the recordings and looks for it in what is left of them.
func TestRecordingsHoldNoSecret(t *testing.T) {
	r := redactor(t)
	for _, name := range []string{"day", "crowd", "medium", "v136"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := lines(t, name+".audit.jsonl.zst")
			found := secrets{values: map[string]bool{}}
			for _, line := range events {
				found.event(line)
			}
			if len(found.values) < 400 {
				t.Errorf("only %d values to look for: the test says little", len(found.values))
			}
			changed := 0
			for _, line := range events {
				out := r.Raw(nil, line)
				for _, value := range found.in(string(out)) {
					t.Errorf("%q is still in %.2000s", value, out)
				}
				if !bytes.Equal(out, line) {
					changed++
					raw(t, r, line)
					sameEvent(t, r, line)
				}
			}
			t.Logf("%d forms of values; %d of %d events changed", len(found.values), changed, len(events))
		})
	}
}

// TestRecordedLinesThatAreNotSuspicious: the quick look misses nothing that the
// long one finds.
func TestRecordedLinesThatAreNotSuspicious(t *testing.T) {
	r := redactor(t)
	suspects, changed := 0, 0
	events := lines(t, "medium.audit.jsonl.zst")
	for _, line := range events {
		n := len(edits(r, line))
		suspect := suspiciousLine(string(line))
		if n > 0 && !suspect {
			t.Errorf("nothing is suspicious in %s", line)
		}
		if n > 0 {
			changed++
		}
		if suspect {
			suspects++
		}
	}
	t.Logf("%d of %d events are suspicious, %d hold a secret", suspects, len(events), changed)
	if suspects*4 > len(events) {
		t.Errorf("%d of %d events are suspicious: the quick look spares little", suspects, len(events))
	}
}

func BenchmarkRaw(b *testing.B) {
	r := redactor(b)
	events := lines(b, "day.audit.jsonl.zst")
	size := 0
	for _, line := range events {
		size += len(line)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		for _, line := range events {
			out = r.Raw(out[:0], line)
		}
	}
}

func BenchmarkEvent(b *testing.B) {
	r := redactor(b)
	var events []*audit.Event
	for _, line := range lines(b, "day.audit.jsonl.zst") {
		events = append(events, decoded(b, line))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, ev := range events {
			r.Event(ev)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
}
