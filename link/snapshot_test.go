package link

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/whet-k8s/whet/audit"
)

// outcome is all that a linker says, in the order in which it says it.
type outcome struct {
	said    []string
	records []ContextRecord
}

func (o *outcome) emit(a Assignment) {
	root := ""
	if a.Root != nil {
		root = fmt.Sprint(a.Root.AuditID, a.Root.Position)
	}
	o.said = append(o.said, fmt.Sprintf("%d %s %s evidence=%s rival=%s confidence=%v root=%s event=%s",
		a.Tag, brief(a), a.Event.AuditID, a.Evidence, a.Rival, a.Confidence, root, a.Event.Stage))
}

func (o *outcome) report(r ContextRecord) { o.records = append(o.records, r) }

// again saves a linker and restores it, and lets it go on into the same
// outcome.
func again(tb testing.TB, l *Linker, options Options, o *outcome) *Linker {
	tb.Helper()
	var b bytes.Buffer
	if err := l.Snapshot(&b); err != nil {
		tb.Fatal(err)
	}
	restored, err := Restore(&b, options, o.emit, o.report)
	if err != nil {
		tb.Fatal(err)
	}
	return restored
}

// TestSnapshotGoesOn cuts logs at random places, saves the linker, restores it,
// and wants all that it says afterwards to be what it says uncut.
func TestSnapshotGoesOn(t *testing.T) {
	for _, name := range []string{"day.audit", "day.metadata", "crowd.audit", "crowd.metadata", "medium.audit", "medium.metadata"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := recording(t, name)
			options := Options{}
			if strings.HasSuffix(name, "metadata") {
				options = Options{ContextIdle: 20 * time.Second, ObjectIdle: time.Minute, Totals: true}
			}
			rng := rand.New(rand.NewPCG(5, uint64(len(events))))
			cuts := map[int]bool{0: true, 1: true}
			for range 8 {
				cuts[rng.IntN(len(events))] = true
			}
			compareCut(t, events, options, cuts)
		})
	}
}

// TestSnapshotAtEveryEvent cuts a log after each of its events.
func TestSnapshotAtEveryEvent(t *testing.T) {
	events := recording(t, "crowd.audit")[1000:1250]
	cuts := map[int]bool{}
	for i := range events {
		cuts[i] = true
	}
	compareCut(t, events, Options{}, cuts)
}

func compareCut(t *testing.T, events []*audit.Event, options Options, cuts map[int]bool) {
	t.Helper()
	run := func(cuts map[int]bool) *outcome {
		o := new(outcome)
		l := New(options, o.emit, o.report)
		for i, ev := range events {
			if cuts[i] {
				l = again(t, l, options, o)
			}
			slim := *ev
			slim.Raw = nil
			l.Add(&slim, uint64(ev.Position.Line))
		}
		l.Close()
		return o
	}
	want, got := run(nil), run(cuts)
	// Contexts of one moment may close in any order.
	for _, o := range []*outcome{want, got} {
		slices.SortStableFunc(o.records, func(a, b ContextRecord) int { return strings.Compare(a.ID, b.ID) })
	}
	if diff := cmp.Diff(want.said, got.said); diff != "" {
		t.Errorf("assignments (-uncut +cut):\n%.3000s", diff)
	}
	if diff := cmp.Diff(want.records, got.records); diff != "" {
		t.Errorf("contexts (-uncut +cut):\n%.3000s", diff)
	}
}

// TestSnapshotIsWhole compares, field by field, the state of a linker in the
// middle of a log with the state restored from it, and wants the same bytes of
// both.
func TestSnapshotIsWhole(t *testing.T) {
	for _, name := range []string{"day.audit", "crowd.metadata"} {
		events := recording(t, name)
		l := New(Options{}, func(Assignment) {}, nil)
		for _, ev := range events[:len(events)*2/3] {
			slim := *ev
			slim.Raw = nil
			l.Add(&slim, uint64(ev.Position.Line))
		}
		compareStates(t, l)
	}
}

func compareStates(t *testing.T, l *Linker) {
	t.Helper()
	var first, second bytes.Buffer
	if err := l.Snapshot(&first); err != nil {
		t.Fatal(err)
	}
	restored, err := Restore(bytes.NewReader(first.Bytes()), l.options, l.emit, l.report)
	if err != nil {
		t.Fatal(err)
	}
	if err := restored.Snapshot(&second); err != nil {
		t.Fatal(err)
	}
	w := walker{pairs: map[unsafe.Pointer]unsafe.Pointer{}, back: map[unsafe.Pointer]unsafe.Pointer{}}
	w.compare("Linker", reflect.ValueOf(l).Elem(), reflect.ValueOf(restored).Elem())
	for _, d := range w.differences {
		t.Error(d)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("a restored linker gives other bytes: %d, and %d at first", second.Len(), first.Len())
	}
}

// notSaved are the fields that a snapshot leaves out: what the one who restores
// gives, what follows from that, and an event's bytes.
var notSaved = map[string]bool{
	"Linker.options": true, "Linker.emit": true, "Linker.report": true, "Linker.rules": true, "Linker.gap": true,
	"Linker.choice": true, "Linker.found": true, "Linker.quiet": true,
	"window.wait": true, "window.maxItems": true, "window.maxBytes": true, "index.max": true, "Event.Raw": true,
}

// stateTypes are the types that pointers are shared to.
var stateTypes = []reflect.Type{
	reflect.TypeFor[audit.Event](), reflect.TypeFor[actor](), reflect.TypeFor[object](), reflect.TypeFor[change](),
	reflect.TypeFor[contextState](), reflect.TypeFor[operation](), reflect.TypeFor[command](), reflect.TypeFor[entry](),
}

// walker compares two states that may refer to themselves: where one has a
// pointer to what was met before, the other must have it too.
type walker struct {
	pairs, back map[unsafe.Pointer]unsafe.Pointer
	differences []string
}

func (w *walker) differ(path string, a, b any) {
	if len(w.differences) < 20 {
		w.differences = append(w.differences, fmt.Sprintf("%s: %v became %v", path, a, b))
	}
}

func (w *walker) compare(path string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Pointer:
		w.pointer(path, a, b)
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[time.Time]() {
			if x, y := exported(a).(time.Time), exported(b).(time.Time); !x.Equal(y) {
				w.differ(path, x, y)
			}
			return
		}
		for i := range a.NumField() {
			name := a.Type().Name() + "." + a.Type().Field(i).Name
			if !notSaved[name] {
				w.compare(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
			}
		}
	case reflect.Slice:
		if a.Len() != b.Len() {
			w.differ(path, a.Len(), b.Len())
			return
		}
		for i := range a.Len() {
			w.compare(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
		}
	case reflect.Map:
		w.mapping(path, a, b)
	default:
		if !a.Equal(b) {
			w.differ(path, a, b)
		}
	}
}

func (w *walker) pointer(path string, a, b reflect.Value) {
	if a.IsNil() || b.IsNil() {
		if a.IsNil() != b.IsNil() {
			w.differ(path, a, b)
		}
		return
	}
	p, q := a.UnsafePointer(), b.UnsafePointer()
	if known, ok := w.pairs[p]; ok || w.back[q] != nil {
		if known != q || w.back[q] != p {
			w.differ(path, "one pointer", "another")
		}
		return
	}
	if slices.Contains(stateTypes, a.Type().Elem()) {
		w.pairs[p], w.back[q] = q, p
	}
	w.compare(path, a.Elem(), b.Elem())
}

// mapping compares maps. A key that is a pointer is found by what it points to.
func (w *walker) mapping(path string, a, b reflect.Value) {
	if a.Len() != b.Len() {
		w.differ(path, a.Len(), b.Len())
		return
	}
	for iter := a.MapRange(); iter.Next(); {
		key := iter.Key()
		if key.Kind() == reflect.Pointer {
			if q := w.pairs[key.UnsafePointer()]; q != nil && b.MapIndex(reflect.NewAt(key.Type().Elem(), q)).IsValid() {
				continue
			}
			w.differ(path, key, "missing")
			continue
		}
		other := b.MapIndex(key)
		if !other.IsValid() {
			w.differ(fmt.Sprintf("%s[%v]", path, key), iter.Value(), "missing")
			continue
		}
		w.compare(fmt.Sprintf("%s[%v]", path, key), iter.Value(), other)
	}
}

// exported reads a field that is not exported.
func exported(v reflect.Value) any {
	if !v.CanAddr() {
		c := reflect.New(v.Type()).Elem()
		reflect.NewAt(v.Type(), c.Addr().UnsafePointer()).Elem().Set(v)
		v = c
	}
	return reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem().Interface()
}

// filler gives every field of a state a value of its own.
type filler struct {
	n    int64
	pool map[reflect.Type][]reflect.Value
}

// TestSnapshotCoversAll fills every field of every type of the state, and wants
// all of them back: it fails when a field was added and is not saved.
func TestSnapshotCoversAll(t *testing.T) {
	l := New(Options{}, func(Assignment) {}, nil)
	f := filler{pool: map[reflect.Type][]reflect.Value{}}
	f.fill(reflect.ValueOf(l).Elem())
	for _, kind := range stateTypes {
		if len(f.pool[kind]) != poolSize {
			t.Errorf("the state has %d of %v, want %d", len(f.pool[kind]), kind, poolSize)
		}
	}
	// What a state must be like to be accepted.
	var before *contextState
	for _, v := range f.pool[reflect.TypeFor[contextState]()] {
		c := v.Interface().(*contextState)
		c.origin = before
		before = c
	}
	for _, v := range f.pool[reflect.TypeFor[entry]()] {
		l.requests[keyOfEntry(v.Interface().(*entry))] = &settled{}
	}
	clear(l.index.byKey)
	for namespace, n := range l.index.spaces {
		for kind, byName := range n.byKind {
			for name, o := range byName {
				l.index.byKey[objectKey{kind, namespace, name}] = o
			}
		}
	}
	compareStates(t, l)
}

// poolSize is how many nodes of each type a filled state has.
const poolSize = 3

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Kind() {
	case reflect.Pointer:
		f.pointer(v)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(f.n, 1000*f.n).UTC()))
			return
		}
		for i := range v.NumField() {
			if notSaved[v.Type().Name()+"."+v.Type().Field(i).Name] {
				continue
			}
			field := v.Field(i)
			f.fill(reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(key)
			f.fill(value)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(fmt.Sprint("text ", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(f.n) / 7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		v.SetUint(uint64(f.n%200) + 1)
	default:
		v.SetInt(f.n)
	}
}

// pointer gives a pointer to a node of a small pool, so that nodes are shared
// and refer to themselves, or to a value of its own.
func (f *filler) pointer(v reflect.Value) {
	kind := v.Type().Elem()
	shared := slices.Contains(stateTypes, kind)
	if pool := f.pool[kind]; shared && len(pool) == poolSize {
		v.Set(pool[int(f.n)%poolSize])
		return
	}
	node := reflect.New(kind)
	v.Set(node)
	if shared {
		f.pool[kind] = append(f.pool[kind], node)
	}
	f.fill(node.Elem())
}

// TestSnapshotLayout holds the fields of the state against a list, so that
// nobody changes them without a thought for the snapshots that there are: raise
// snapshotVersion, then run with -update.
func TestSnapshotLayout(t *testing.T) {
	var b strings.Builder
	seen := map[reflect.Type]bool{}
	fmt.Fprintf(&b, "version %d\n", snapshotVersion)
	describeType(&b, reflect.TypeFor[Linker](), seen)
	golden(t, filepath.Join("testdata", "snapshot.golden"), b.String())
}

func describeType(b *strings.Builder, kind reflect.Type, seen map[reflect.Type]bool) {
	switch kind.Kind() {
	case reflect.Pointer, reflect.Slice:
		describeType(b, kind.Elem(), seen)
	case reflect.Map:
		describeType(b, kind.Key(), seen)
		describeType(b, kind.Elem(), seen)
	case reflect.Struct:
		if seen[kind] || kind == reflect.TypeFor[time.Time]() {
			return
		}
		seen[kind] = true
		var fields []reflect.Type
		for i := range kind.NumField() {
			name := kind.Name() + "." + kind.Field(i).Name
			if !notSaved[name] {
				fmt.Fprintf(b, "%s %v\n", name, kind.Field(i).Type)
				fields = append(fields, kind.Field(i).Type)
			}
		}
		for _, f := range fields {
			describeType(b, f, seen)
		}
	}
}

// TestSnapshotRefusesWhatIsBroken cuts and changes a snapshot, and wants an
// error each time.
func TestSnapshotRefusesWhatIsBroken(t *testing.T) {
	whole := snapshotOf(t, 400)
	for n := 0; n < len(whole); n += 1 + n/50 {
		if _, err := Restore(bytes.NewReader(whole[:n]), Options{}, func(Assignment) {}, nil); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(whole))
		}
	}
	for at := 0; at < len(whole); at += 1 + at/50 {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x41
		if _, err := Restore(bytes.NewReader(broken), Options{}, func(Assignment) {}, nil); err == nil {
			t.Fatalf("a change of byte %d was accepted", at)
		}
	}
	other := bytes.Clone(whole)
	other[len(snapshotMagic)]++
	_, err := Restore(bytes.NewReader(other), Options{}, func(Assignment) {}, nil)
	if err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("of another version: %v", err)
	}
}

// snapshotOf gives the state of a linker after so many events.
func snapshotOf(tb testing.TB, n int) []byte {
	tb.Helper()
	l := New(Options{}, func(Assignment) {}, nil)
	for _, ev := range recording(tb, "crowd.audit")[1000 : 1000+n] {
		slim := *ev
		slim.Raw = nil
		l.Add(&slim, uint64(ev.Position.Line))
	}
	var b bytes.Buffer
	if err := l.Snapshot(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}
