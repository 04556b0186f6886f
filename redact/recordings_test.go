package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
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

// secrets are the values of the Secrets of a recording, found in another way
// than the package finds them: in a tree of values.
type secrets struct {
	values map[string]bool
}

// webToken is the shape of a service account's token, webTokenInBase64 what it
// begins with in base64.
var webToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

var webTokenInBase64 = base64.StdEncoding.EncodeToString([]byte(`eyJhbGciOi`))[:12]

// public are keys of a service account's Secret that hold what anybody may know
// and what stands elsewhere: the name of the namespace and the cluster's
// certificate.
var public = []string{"namespace", "ca.crt"}

func (s *secrets) event(line []byte) {
	if !bytes.Contains(line, []byte(`"Secret`)) && !bytes.Contains(line, []byte(`"secrets"`)) {
		return
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

// TestRecordingsHoldNoSecret takes every value of a Secret of the recordings and
// looks for it in what is left of them, and looks for tokens by their shape.
func TestRecordingsHoldNoSecret(t *testing.T) {
	r := redactor(t)
	for _, name := range []string{"day", "crowd", "medium", "v136"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := lines(t, name+".audit.jsonl.zst")
			found := secrets{values: map[string]bool{}}
			var before, after strings.Builder
			changed := 0
			for _, line := range events {
				found.event(line)
				before.Write(line)
				out := r.Raw(nil, line)
				after.Write(out)
				if !bytes.Equal(out, line) {
					changed++
					raw(t, r, line)
					sameEvent(t, r, line)
				}
			}
			left := after.String()
			for value := range found.values {
				if i := strings.Index(left, value); i >= 0 {
					t.Errorf("%q is still in …%s…", value, left[max(0, i-500):i+len(value)])
				}
			}
			tokens := len(webToken.FindAllStringIndex(before.String(), -1))
			if left := webToken.FindAllString(left, -1); len(left) > 0 {
				t.Errorf("%d tokens are left, the first one %s", len(left), left[0])
			}
			if strings.Contains(left, webTokenInBase64) {
				t.Error("a token in base64 is left")
			}
			t.Logf("%d forms of values, %d tokens; %d of %d events changed", len(found.values), tokens, changed, len(events))
			if len(found.values) < 10 || tokens < 100 {
				t.Error("there is little to look for: the test says little")
			}
		})
	}
}

// TestRecordedLinesThatAreNotSuspicious: the quick look misses nothing that the
// long one finds.
func TestRecordedLinesThatAreNotSuspicious(t *testing.T) {
	r := redactor(t)
	suspects, changed := 0, 0
	events := lines(t, "day.audit.jsonl.zst")
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
