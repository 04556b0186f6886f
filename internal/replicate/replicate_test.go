package replicate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/evaluate"
	"github.com/whet-k8s/whet/pipeline"
)

const recordings = "../../recordings/"

func read(t testing.TB, name string) *Recording {
	t.Helper()
	r, err := Read(t.Context(), []string{recordings + name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// part gives some lines of a recording, since all of them take the race
// detector minutes, and reads them.
func part(t testing.TB, name string, lines int) (*Recording, []byte) {
	t.Helper()
	log := bytes.Join(bytes.SplitAfterN(plain(t, name), []byte("\n"), lines+1)[:lines], nil)
	r, err := Read(t.Context(), []string{"-"}, bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	return r, log
}

func write(t testing.TB, r *Recording, o Options) ([]byte, Written) {
	t.Helper()
	var b bytes.Buffer
	done, err := r.Write(t.Context(), &b, o)
	if err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != done.Bytes || bytes.Count(b.Bytes(), []byte("\n")) != done.Lines {
		t.Fatalf("said %+v, wrote %d bytes, %d lines", done, b.Len(), bytes.Count(b.Bytes(), []byte("\n")))
	}
	return b.Bytes(), done
}

func plain(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(recordings + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	data, err = io.ReadAll(decoder)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCopyIsTheRecordingRenamed takes the names, UUIDs and times of the second
// copy back by other means and expects the recording, byte for byte.
func TestCopyIsTheRecordingRenamed(t *testing.T) {
	for _, name := range []string{"day.audit.jsonl.zst", "crowd.metadata.jsonl.zst"} {
		t.Run(name, func(t *testing.T) {
			r, original := part(t, name, 800)
			all, done := write(t, r, Options{Copies: 2, Seed: 7})
			if done.Copies != 2 || done.LastLines != r.Lines() || done.Lines != 2*r.Lines() {
				t.Fatalf("%+v of %d lines", done, r.Lines())
			}
			lines := strings.SplitAfter(string(all), "\n")
			second := strings.Join(lines[r.Lines():], "")
			for namespace := range r.namespaces {
				second = strings.ReplaceAll(second, namespace+"-r2", namespace)
			}
			if strings.Contains(second, "-r2\"") {
				t.Error("a suffix stands after what is no namespace")
			}
			second = takeBackUUIDs(t, string(original), second)
			second = takeBackTimes(t, second, r.Period())
			if second != string(original) {
				at := 0
				for at < len(second) && at < len(original) && second[at] == original[at] {
					at++
				}
				t.Errorf("differs at byte %d:\n%.200s\n%.200s", at, second[max(0, at-100):], original[max(0, at-100):])
			}
		})
	}
}

// takeBackUUIDs replaces the UUIDs of a copy with those that stand at the same
// place of the original, and checks that they belong together one to one.
func takeBackUUIDs(t *testing.T, original, changed string) string {
	t.Helper()
	pattern := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	olds, news := pattern.FindAllString(original, -1), pattern.FindAllString(changed, -1)
	if len(olds) != len(news) || len(olds) == 0 {
		t.Fatalf("%d UUIDs became %d", len(olds), len(news))
	}
	back, forth := map[string]string{}, map[string]string{}
	for i := range olds {
		if olds[i] == news[i] {
			t.Fatalf("%s stayed", olds[i])
		}
		if b, f := back[news[i]], forth[olds[i]]; b != "" && b != olds[i] || f != "" && f != news[i] {
			t.Fatalf("%s stands for %s and %s, or became %s and %s", news[i], b, olds[i], f, news[i])
		}
		back[news[i]], forth[olds[i]] = olds[i], news[i]
	}
	return pattern.ReplaceAllStringFunc(changed, func(uuid string) string { return back[uuid] })
}

// takeBackTimes moves every time of this century back, and those in the names of
// Events.
func takeBackTimes(t *testing.T, changed string, period time.Duration) string {
	t.Helper()
	changed = regexp.MustCompile(`\.18[0-9a-f]{14}\b`).ReplaceAllStringFunc(changed, func(text string) string {
		nanos, err := strconv.ParseInt(text[1:], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return "." + strconv.FormatInt(nanos-period.Nanoseconds(), 16)
	})
	return regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d`).ReplaceAllStringFunc(changed, func(text string) string {
		at, err := time.Parse("2006-01-02T15:04:05", text)
		if err != nil {
			return text
		}
		return at.Add(-period).Format("2006-01-02T15:04:05")
	})
}

// TestNamespacesAreRenamedEverywhere decodes a copy and looks for namespaces
// that kept their names.
func TestNamespacesAreRenamedEverywhere(t *testing.T) {
	r, _ := part(t, "day.audit.jsonl.zst", 2500)
	all, _ := write(t, r, Options{Copies: 1})
	for i, ev := range decode(t, all) {
		names := []string{ev.Object.Namespace}
		if ev.Object.Resource == "namespaces" {
			names = append(names, ev.Object.Name)
		}
		if parts := strings.Split(ev.User.Username, ":"); len(parts) == 4 {
			names = append(names, parts[2])
		}
		for _, body := range []*audit.Body{ev.Request, ev.Response} {
			if body == nil {
				continue
			}
			names = append(names, body.Namespace, body.Labels["kubernetes.io/metadata.name"])
			if body.Involved != nil {
				names = append(names, body.Involved.Namespace)
			}
			for _, subject := range body.Subjects {
				names = append(names, subject.Namespace)
			}
			for _, item := range body.ItemRefs {
				names = append(names, item.Namespace)
			}
		}
		for _, name := range names {
			if r.namespaces[name] {
				t.Errorf("line %d: the namespace %s stands there under its old name: %.300s", i+1, name, ev.Raw)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func decode(t testing.TB, log []byte) []audit.Event {
	t.Helper()
	var decoder audit.Decoder
	var events []audit.Event
	for i, raw := range bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n")) {
		var ev audit.Event
		if err := decoder.Decode(raw, audit.Position{Source: "copy", Line: i + 1}, &ev); err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
	}
	return events
}

// TestCopiesShareNothing holds that no auditID stands in two copies, that no
// two copies overlap in time, and that the seed decides about the bytes.
func TestCopiesShareNothing(t *testing.T) {
	r, log := part(t, "crowd.metadata.jsonl.zst", 1500)
	all, _ := write(t, r, Options{Copies: 3, Seed: 1})
	copyOf := map[string]int{}
	var last time.Time
	for i, ev := range decode(t, all) {
		number := i / r.Lines()
		if other, known := copyOf[ev.AuditID]; known && other != number {
			t.Fatalf("the auditID %s stands in copies %d and %d", ev.AuditID, other+1, number+1)
		}
		copyOf[ev.AuditID] = number
		begins := r.first.Add(time.Duration(number) * r.Period())
		if ev.RequestReceived.Before(begins) || number > 0 && i%r.Lines() == 0 && !begins.After(last) {
			t.Fatalf("line %d of copy %d is at %s, the copy begins %s, the last one ended %s", i, number+1, ev.RequestReceived, begins, last)
		}
		if ev.StageTime.After(last) {
			last = ev.StageTime
		}
	}
	again, err := Read(t.Context(), []string{"-"}, bytes.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	if same, _ := write(t, again, Options{Copies: 3, Seed: 1}); !bytes.Equal(all, same) {
		t.Error("the same seed gave other bytes")
	}
	if other, _ := write(t, r, Options{Copies: 3, Seed: 2}); bytes.Equal(all, other) {
		t.Error("another seed gave the same bytes")
	}
}

// TestCopyIsLinkedLikeTheRecording analyses the recording and its third copy
// alone: every line has the same role, the same company and the same cause.
// Like requests that were received in the same microsecond may change places,
// since the linker then goes by the auditID.
func TestCopyIsLinkedLikeTheRecording(t *testing.T) {
	r, original := part(t, "crowd.metadata.jsonl.zst", 3000)
	all, _ := write(t, r, Options{Copies: 3})
	third := bytes.Join(bytes.SplitAfter(all, []byte("\n"))[2*r.Lines():], nil)
	want, got := analyse(t, original), analyse(t, third)
	if len(want) != len(got) {
		t.Fatalf("%d events became %d", len(want), len(got))
	}
	alike := map[string][]int{}
	for i, ev := range decode(t, original) {
		key := fmt.Sprint(ev.RequestReceived, ev.User.Username, ev.Verb, ev.RequestURI)
		alike[key] = append(alike[key], i)
	}
	if len(alike) < len(want)*99/100 {
		t.Fatalf("only %d of %d lines are unlike all others", len(alike), len(want))
	}
	for _, lines := range alike {
		var wanted, given []string
		for _, i := range lines {
			wanted, given = append(wanted, want[i]), append(given, got[i])
		}
		slices.Sort(wanted)
		slices.Sort(given)
		if !slices.Equal(wanted, given) {
			t.Fatalf("line %d: in the recording %s, in the copy %s", lines[0]+1, wanted, given)
		}
	}
}

// analyse links a log and writes each line's verdict without identifiers: the
// line that first had the same context, and the one of the cause.
func analyse(t testing.TB, log []byte) []string {
	t.Helper()
	firstOf, lineOf := map[string]int{}, map[string]int{}
	for i, ev := range decode(t, log) {
		lineOf[ev.AuditID] = i + 1
	}
	var verdicts []string
	sink := pipeline.Sink{Annotation: func(a *pipeline.Annotation) error {
		if _, known := firstOf[a.Context]; !known {
			firstOf[a.Context] = a.Line
		}
		verdicts = append(verdicts, fmt.Sprint(a.Role, " of the context of line ", firstOf[a.Context], " because of line ", lineOf[a.Cause], " by ", a.Rule))
		return nil
	}}
	if _, err := pipeline.Run(t.Context(), []string{"-"}, bytes.NewReader(log), pipeline.Options{}, sink); err != nil {
		t.Fatal(err)
	}
	return verdicts
}

// TestTruth writes two copies and a part of a third with their truth, and
// scores annotations that say the truth.
func TestTruth(t *testing.T) {
	r := read(t, "day.metadata.jsonl.zst")
	one, _ := write(t, r, Options{Copies: 1})
	o := Options{Size: int64(len(one))*2 + int64(len(one))/3, Seed: 3}
	log, done := write(t, r, o)
	if done.Copies != 3 || done.LastLines == 0 || done.LastLines >= r.Lines() || done.Bytes > o.Size {
		t.Fatalf("%+v for at most %d bytes", done, o.Size)
	}
	prefix := filepath.Join(t.TempDir(), "big")
	var truth, contexts bytes.Buffer
	err := r.WriteTruth(t.Context(), bytes.NewReader(plain(t, "day.truth.jsonl.zst")), bytes.NewReader(plain(t, "day.contexts.jsonl.zst")),
		&truth, &contexts, o, done)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{".audit.jsonl": log, ".truth.jsonl": truth.Bytes(), ".contexts.jsonl": contexts.Bytes()} {
		if err := os.WriteFile(prefix+name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	told, err := evaluate.Load(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	events := decode(t, log)
	if len(told.Lines) != len(events) {
		t.Fatalf("%d lines have %d lines of truth", len(events), len(told.Lines))
	}
	for i, l := range told.Lines {
		ev := events[i]
		if l.Line != i+1 || l.AuditID != ev.AuditID || l.User != ev.User.Username || l.Verb != ev.Verb {
			t.Fatalf("line %d is %s %s of %s, its truth says %+v", i+1, ev.AuditID, ev.Verb, ev.User.Username, l)
		}
		if l.Context != "" {
			if c := told.Commands[l.Context]; c.RootLine <= len(told.Lines) && told.Lines[c.RootLine-1].Context != l.Context {
				t.Fatalf("the root of %s is line %d, which is of %s", l.Context, c.RootLine, told.Lines[c.RootLine-1].Context)
			}
		}
	}
	for id := range told.RootLabels {
		if !strings.Contains(id, "-r") {
			t.Errorf("command %s has the id of the recording", id)
		}
	}
}

// TestOddLines holds what is kept of lines that are no usual events.
func TestOddLines(t *testing.T) {
	event := func(id, namespace string) string {
		b, err := json.Marshal(map[string]any{
			"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": "ResponseComplete", "verb": "get",
			"objectRef":                map[string]any{"resource": "pods", "namespace": namespace, "name": namespace},
			"requestReceivedTimestamp": "2026-11-23T18:00:00.000000Z", "stageTimestamp": "2026-11-23T18:00:01.500000Z",
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Replace(string(b), `{`, `{"auditID":"`+id+`",`, 1)
	}
	log := event("MINE", "shop") + "\n\nnot an event in namespace shop\n" + event("a/b c", "kube-system") + "\n" + event("x", "shop-2")
	r, err := Read(t.Context(), []string{"-"}, strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	got, done := write(t, r, Options{Copies: 2})
	if done.Lines != 10 {
		t.Errorf("%d lines, want 10", done.Lines)
	}
	for _, want := range []string{
		`"auditID":"MINE-r1"`, `"auditID":"MINE-r2"`, `"auditID":"a/b c-r1"`, `"name":"shop","namespace":"shop-r2"`,
		"\n\nnot an event in namespace shop-r1\n", `"namespace":"kube-system"`, `"namespace":"shop-2-r1"`,
		`"2026-11-23T18:00:12.000000Z"`, `"2026-11-23T18:00:13.500000Z"`,
	} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
}

func TestRefuses(t *testing.T) {
	if _, err := Read(t.Context(), []string{"-"}, strings.NewReader("no event\n")); err == nil || !strings.Contains(err.Error(), "no audit event") {
		t.Errorf("a log without events: %v", err)
	}
	r := read(t, "crowd.metadata.jsonl.zst")
	if _, err := r.Write(t.Context(), io.Discard, Options{}); err == nil {
		t.Error("neither size nor copies: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Write(ctx, io.Discard, Options{Copies: 2}); err == nil {
		t.Error("cancelled: no error")
	}
	err := r.WriteTruth(t.Context(), strings.NewReader("{}\nx"), strings.NewReader(""), io.Discard, io.Discard, Options{}, Written{})
	if err == nil || !strings.Contains(err.Error(), "reading the truth: line 2") {
		t.Errorf("truth that is none: %v", err)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1GB": 1e9, "1.5gb": 15e8, "2GiB": 2 << 30, "64 MiB": 64 << 20, "10": 10, "10B": 10, "3kB": 3000,
		"": 0, "-1GB": 0, "0": 0, "big": 0, "1XB": 0, "NaN": 0, "Inf": 0, "1e30": 0,
	} {
		got, err := ParseSize(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

// FuzzScan holds that slots are in order and apart, and that a text rendered
// with its own values is itself.
func FuzzScan(f *testing.F) {
	at := time.Unix(0, 0x18eac2450725b679)
	recording := Recording{namespaces: map[string]bool{"shop": true}, first: at, last: at}
	f.Add([]byte(`{"namespace":"shop","name":"api.18eac2450725b679"}`))
	f.Add([]byte(`{"auditID":"88874686-9ca0-4a4c-97b3-51adcc33084e","objectRef":{"namespace":"shop"},"t":"2026-11-23T18:21:47.774155Z"}`))
	f.Add([]byte(`"auditID":"shop" /namespaces/shop?x=2026-11-23T18:21:47-88874686-9ca0-4a4c-97b3-51adcc33084e-`))
	f.Fuzz(func(t *testing.T, text []byte) {
		found := values{index: map[value]int{}}
		slots := newScanner(&recording, &found).scan(nil, text, 0, true)
		end := 0
		for _, s := range slots {
			if s.start < end || s.end <= s.start || s.end > len(text) {
				t.Fatalf("slot %+v after %d of %d bytes", s, end, len(text))
			}
			end = s.end
		}
		var same []string
		for _, v := range found.list {
			same = append(same, v.text)
		}
		if got := render(nil, text, 0, len(text), slots, same); !bytes.Equal(got, text) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	r := read(b, "day.audit.jsonl.zst")
	done, err := r.Write(b.Context(), io.Discard, Options{Copies: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(done.Bytes)
	for b.Loop() {
		if _, err := r.Write(b.Context(), io.Discard, Options{Copies: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
