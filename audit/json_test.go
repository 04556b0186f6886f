package audit

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// skipAll tells whether a scanner takes a text as one value.
func skipAll(text []byte) bool {
	s := scanner{data: text}
	s.space()
	s.skip()
	return s.end()
}

// texts that are JSON, or nearly.
func jsonTexts() []string {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	mixed := strings.Repeat(`{"a":[`, maxDepth/2) + strings.Repeat(`]}`, maxDepth/2)
	return []string{
		``, ` `, `null`, `nul`, `nulll`, `true`, `tru`, `false`, `fals`, `True`,
		`0`, `-0`, `-`, `01`, `1.`, `.1`, `1.5`, `1e5`, `1E+5`, `1e-05`, `1e`, `1e+`, `+1`, `0x1`, `1 2`, `-01`, `0e0`, `1_000`,
		`""`, `"`, `"a`, `"abcdefg"`, `"abcdefgh"`, `"abcdefghijklmnopq"`, `"abcdefg`, `"é€😀"`, `"\"`, `"\""`, `"\\"`, `"\\\"`,
		`"\b\f\n\r\t\/\\\""`, `"\u0041"`, `"\u004"`, `"\u00g1"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83dA"`, `"\ud83d\u0041"`,
		`"\ud83d\n"`, `"\x41"`, `"\'"`, "\"\x1f\"", "\"abcdefghij\x00klm\"", "\"\x7f\"", "\"a\nb\"", "\"\t\"", "'a'",
		`{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{"a":1,"b":[]}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a" : 1 , "b" : 2 }`, `{,}`, `{"a":1 "b":2}`, `{"a":1]`, `{1:1}`,
		`[]`, `[ ]`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `[[],{}]`, `[{]}`, `[`, `{`, `]`, `}`, `[]]`, `{}{}`, "\n[\r1\t,2 ]\n", "\v[]", "\u00a0[]",
		deep(maxDepth), deep(maxDepth + 1), mixed, `[` + mixed + `]`, deep(64), deep(65), strings.Repeat(`{"a":`, 70),
	}
}

// TestScannerAcceptsJSON compares with encoding/json what is JSON.
func TestScannerAcceptsJSON(t *testing.T) {
	for _, text := range jsonTexts() {
		if got, want := skipAll([]byte(text)), json.Valid([]byte(text)); got != want {
			t.Errorf("%.80q: the scanner says %v, encoding/json %v", text, got, want)
		}
	}
}

// TestScannerAcceptsMutatedEvents does the same with events in which a few
// bytes are changed.
func TestScannerAcceptsMutatedEvents(t *testing.T) {
	events := fixtures(t)
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // The same events at each run.
	valid := 0
	for range 4000 {
		text := mutate(random, events[random.IntN(len(events))])
		if !utf8.Valid(text) {
			continue
		}
		want := json.Valid(text)
		if got := skipAll(text); got != want {
			t.Fatalf("the scanner says %v, encoding/json %v: %s", got, want, text)
		}
		if want {
			valid++
		}
	}
	if valid < 500 || valid > 3900 {
		t.Errorf("%d of the texts are JSON: they say little", valid)
	}
}

// TestScannerReadsStrings compares the texts of strings with encoding/json.
func TestScannerReadsStrings(t *testing.T) {
	for _, text := range jsonTexts() {
		var want string
		if !strings.HasPrefix(text, `"`) || json.Unmarshal([]byte(text), &want) != nil {
			continue
		}
		s := scanner{data: []byte(text)}
		var got string
		s.text(&got)
		if !s.end() || got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzScanner compares with encoding/json what is JSON, and a string's text.
func FuzzScanner(f *testing.F) {
	for _, text := range jsonTexts() {
		if len(text) < 200 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) {
			return
		}
		want := json.Valid(text)
		if got := skipAll(text); got != want {
			t.Fatalf("the scanner says %v, encoding/json %v: %q", got, want, text)
		}
		var wanted string
		if want && text[0] == '"' && json.Unmarshal(text, &wanted) == nil {
			s := scanner{data: text}
			if got := s.quoted(); got != wanted {
				t.Fatalf("%q: got %q, want %q", text, got, wanted)
			}
		}
	})
}

// TestFailedScannerStops: a loop over what does not fit must end.
func TestFailedScannerStops(t *testing.T) {
	for _, text := range []string{`[1,2`, `[1;2]`, `["a`, `[`} {
		s := scanner{data: []byte(text), names: &interner{}}
		items := 0
		for more := s.list(); more && items < 9; more = s.more(']') {
			s.integer(64)
			items++
		}
		if !s.failed || items > 3 {
			t.Errorf("%s: failed %v after %d items", text, s.failed, items)
		}
	}
}

// TestCanonicalNames compares with encoding/json which names mean the same.
func TestCanonicalNames(t *testing.T) {
	tests := []string{"AuditID", "AUDITID", "auditid", "auditI", "auditIDs", "\u017ftage", "\u212aind", "stagé", "", "İtems", "x", "ſ", "status", "Namespace"}
	for _, known := range memberNames.names {
		tests = append(tests, known, strings.ToUpper(known), strings.ToLower(known), known+"s", "x"+known[1:])
	}
	for _, name := range tests {
		want := name
		if i := slices.IndexFunc(memberNames.names, func(known string) bool { return strings.EqualFold(known, name) }); i >= 0 {
			want = memberNames.names[i]
		}
		if got := memberNames.canonical(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if len(memberNames.names) < 90 {
		t.Errorf("the table has only %d names", len(memberNames.names))
	}
}

// TestEveryMemberIsRead: the scanner reads each member of the wire types, in
// its place. Each is set to something, read, and found where it belongs.
func TestEveryMemberIsRead(t *testing.T) {
	var want wireEvent[*wireBody]
	n := 0
	fillIn(reflect.ValueOf(&want).Elem(), &n)
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var d Decoder
	if !d.readEvent(text) {
		t.Fatalf("the scanner fails at byte %d of %s", d.scan.failedAt, text)
	}
	if diff := cmp.Diff(want, d.reading.wire, cmp.AllowUnexported(wireSpec{})); diff != "" {
		t.Error(diff)
	}
}

// fillIn sets everything in a value to what is set nowhere else.
func fillIn(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanSet() {
				fillIn(field, n)
			} else {
				fillIn(reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem(), n)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillIn(v.Index(0), n)
		fillIn(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		item := reflect.New(v.Type().Elem()).Elem()
		key := reflect.ValueOf("k" + letters(*n))
		fillIn(item, n)
		v.SetMapIndex(key, item)
	case reflect.String:
		v.SetString(letters(*n))
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(int64(*n))
	}
}

func letters(n int) string {
	return strings.Repeat("v", n%5) + string(rune('0'+n%10)) + string(rune(0x4e00+n))
}

// TestSharedMapsAreNotChanged: two events share the maps and lists that say the
// same, and an event that adds to one gets its own.
func TestSharedMapsAreNotChanged(t *testing.T) {
	with := func(members string) []byte {
		return []byte(strings.Replace(minimalEvent, `"verb"`, members+`,"verb"`, 1))
	}
	var d Decoder
	var first, second, third Event
	for _, step := range []struct {
		raw string
		ev  *Event
	}{
		{`"annotations":{"a":"b"}`, &first},
		{`"annotations":{"a":"b"},"annotations":{"c":"d"}`, &second},
		{`"annotations":{"a":"b"}`, &third},
	} {
		if err := d.Decode(with(step.raw), Position{}, step.ev); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]string{"a": "b"}, first.Annotations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "b", "c": "d"}, second.Annotations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(first.Annotations, third.Annotations); diff != "" {
		t.Error(diff)
	}
}

// TestSharedExtraIsNotChanged does the same for user.extra.
func TestSharedExtraIsNotChanged(t *testing.T) {
	with := func(extra string) []byte {
		return []byte(strings.Replace(minimalEvent, `"verb"`, `"user":{"username":"mia",`+extra+`},"verb"`, 1))
	}
	one := map[string][]string{"a": {"b", "c"}}
	both := map[string][]string{"a": {"b", "c"}, "d": {"e"}}
	var d Decoder
	for _, step := range []struct {
		extra string
		want  map[string][]string
	}{
		{`"extra":{"a":["b","c"]}`, one},
		{`"extra":{"a":["b","c"]},"extra":{"d":["e"]}`, both},
		{`"extra":{"a":["b","c"]}`, one},
		{`"extra":{"a":["x"]},"extra":{"a":["b","c"]}`, one},
		{`"extra":{"a":["b"]},"extra":null`, nil},
	} {
		var ev Event
		if err := d.Decode(with(step.extra), Position{}, &ev); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, ev.User.Extra); diff != "" {
			t.Errorf("%s: %s", step.extra, diff)
		}
	}
}

// TestMemoForgivesNothing: a map that passes in a body, where a number counts
// as "", must not pass in the event's own fields after that.
func TestMemoForgivesNothing(t *testing.T) {
	labels := `{"a":5}`
	raw := strings.Replace(minimalEvent, `"verb"`, `"requestObject":{"metadata":{"labels":`+labels+`}},"annotations":`+labels+`,"verb"`, 1)
	var d Decoder
	err := d.Decode([]byte(raw), Position{}, &Event{})
	if err == nil || !strings.Contains(err.Error(), "a number where a string belongs") {
		t.Errorf("got %v", err)
	}
}

func TestMemoIsBounded(t *testing.T) {
	var m memo[int]
	for i := range 3 * memoEntries {
		m.put([]byte(letters(i)+letters(i/7)), i)
	}
	m.put([]byte(strings.Repeat("x", memoLength+1)), 1)
	if n := len(m.table); n != memoEntries {
		t.Errorf("the table has %d entries, want %d", n, memoEntries)
	}
	for _, known := range m.table {
		if len(known.json) > memoLength {
			t.Errorf("a piece of %d bytes is remembered", len(known.json))
		}
	}
	if got, ok := m.get([]byte(letters(7) + letters(1))); ok && got != 7 {
		t.Errorf("the memo takes one piece for another: %d", got)
	}
}
