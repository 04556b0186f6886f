package rank

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model/safetensors"
)

// events reads a log.
func events(tb testing.TB, name string) []*audit.Event {
	tb.Helper()
	reader, err := audit.Open([]string{name}, audit.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	defer reader.Close()
	var list []*audit.Event
	var decoder audit.Decoder
	for {
		chunk, err := reader.Next(context.Background())
		if err != nil {
			break
		}
		var batch audit.Batch
		decoder.DecodeInto(&batch, chunk)
		for i := range batch.Events {
			ev := batch.Events[i]
			list = append(list, &ev)
		}
	}
	return list
}

// linked links events, and gives the rule and cause of each by its line.
func linked(list []*audit.Event, r link.Ranker) map[int]link.Assignment {
	said := map[int]link.Assignment{}
	l := link.New(link.Options{Rank: r}, func(a link.Assignment) { said[a.Event.Position.Line] = a }, nil)
	for _, ev := range list {
		l.Add(ev, 0)
	}
	l.Close()
	return said
}

func defaultRanker(tb testing.TB) link.Ranker {
	tb.Helper()
	m, err := Default()
	if err != nil {
		tb.Fatal(err)
	}
	return m.Ranker()
}

// synthetic makes examples in which the right candidate is the one with the
// smaller "quota" age, and the rules picked any.
func synthetic(n int, seed uint64) []Example {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // A test's data.
	var list []Example
	for range n {
		e := Example{vectors: make([]vector, 3), right: make([]bool, 3), picked: random.IntN(3)}
		best := 0
		for i := range e.vectors {
			for f := range e.vectors[i] {
				e.vectors[i][f] = random.Float32()
			}
			e.vectors[i][fPicked] = yes(i == e.picked)
			if e.vectors[i][fAges+int(link.TieQuota)] < e.vectors[best][fAges+int(link.TieQuota)] {
				best = i
			}
		}
		lead(e.vectors, fAges+int(link.TieQuota), fNearestLead)
		e.right[best] = true
		list = append(list, e)
	}
	return list
}

// TestLearns fits a forest to what can be learned, and wants it to do so on
// examples that it has not seen.
func TestLearns(t *testing.T) {
	o := DefaultOptions()
	o.Thin, o.Trees = 1, 40
	f, err := grow(context.Background(), synthetic(2000, 1), o)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	const all = 1000
	for _, e := range synthetic(all, 2) {
		if best, _ := f.choose(e.vectors, e.picked, make([]float32, len(e.vectors))); e.right[best] {
			right++
		}
	}
	if right < all*9/10 {
		t.Errorf("%d of %d right", right, all)
	}
}

// TestSlopes compares the derivatives of the loss with finite differences.
func TestSlopes(t *testing.T) {
	scores, right := []float32{0.3, -1.2, 2, 0.7}, []bool{true, false, false, true}
	loss := func() float64 {
		sum := 0.0
		for i, p := range softmax(scores) {
			if right[i] {
				sum += p
			}
		}
		return -math.Log(sum)
	}
	slope, bend := make([]float32, 4), make([]float32, 4)
	derive(scores, right, 1, slope, bend)
	for i := range scores {
		const step = 1e-2
		kept := scores[i]
		scores[i] = kept + step
		up := loss()
		scores[i] = kept - step
		down := loss()
		scores[i] = kept
		if want := (up - down) / (2 * step); math.Abs(want-float64(slope[i])) > 1e-4 {
			t.Errorf("slope %d: %v, want %v", i, slope[i], want)
		}
	}
}

// TestSameModel wants the same bytes for any number of goroutines, and others
// for another seed.
func TestSameModel(t *testing.T) {
	files := map[string][]byte{}
	for _, c := range []struct {
		name    string
		workers int
		seed    uint64
	}{{"one", 1, 1}, {"three", 3, 1}, {"other seed", 1, 2}} {
		o := DefaultOptions()
		o.Trees, o.Workers, o.Seed = 10, c.workers, c.seed
		m, err := Fit(context.Background(), [][]Example{synthetic(300, 1), synthetic(300, 2)}, o)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatal(err)
		}
		files[c.name] = b.Bytes()
	}
	if !bytes.Equal(files["one"], files["three"]) {
		t.Error("another number of goroutines gives another model")
	}
	if bytes.Equal(files["one"], files["other seed"]) {
		t.Error("another seed gives the same model")
	}
}

func TestFitRefuses(t *testing.T) {
	if _, err := Fit(context.Background(), nil, DefaultOptions()); !errors.Is(err, errNoExamples) {
		t.Errorf("without examples: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Fit(ctx, [][]Example{synthetic(10, 1)}, DefaultOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCurve(t *testing.T) {
	var tally curveTally
	c := tally.curve()
	if err := c.check(); err != nil {
		t.Fatalf("of nothing: %v in %v", err, c)
	}
	// Nine in ten are right, whatever the share.
	for i := range Edges() {
		tally.all[i], tally.right[i] = 1e6, 9e5
	}
	for _, share := range []float64{0, 0.3, 0.55, 0.999, 1} {
		if got := tally.curve().at(share); math.Abs(got-0.9) > 0.001 {
			t.Errorf("at %v: %v, want 0.9", share, got)
		}
	}
	for _, broken := range []Curve{nil, make(Curve, 3), append(slices.Repeat(Curve{0.5}, len(Edges())-1), 1.5), append(Curve{0.9}, slices.Repeat(Curve{0.5}, len(Edges())-1)...)} {
		if broken.check() == nil {
			t.Errorf("%v was accepted", broken)
		}
	}
}

// TestDefault wants the model that whet comes with to be read, and to be
// written as it was.
func TestDefault(t *testing.T) {
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), defaultModel) {
		t.Error("it is written as other bytes than it was read from")
	}
	if len(featureNames()) != featureCount || slices.Contains(featureNames(), "") {
		t.Errorf("features without a name: %q", featureNames())
	}
}

func TestReadRefuses(t *testing.T) {
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	file := func(change func(*Model)) []byte {
		other := *m
		other.forest = &forest{prior: m.forest.prior, nodes: slices.Clone(m.forest.nodes), roots: slices.Clone(m.forest.roots)}
		change(&other)
		var b bytes.Buffer
		if err := other.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	changed := bytes.Clone(defaultModel)
	changed[len(changed)-2] ^= 1
	var foreign bytes.Buffer
	if err := safetensors.Write(&foreign, map[string]string{"format": "pt"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, ""},
		{"cut off", defaultModel[:len(defaultModel)-3], ""},
		{"foreign", foreign.Bytes(), "no ranker"},
		{"another format", file(func(m *Model) { m.Format++ }), "format"},
		{"other features", file(func(m *Model) { m.Features = m.Features[1:] }), "features"},
		{"a falling curve", file(func(m *Model) { m.Curve = slices.Repeat(Curve{2}, len(Edges())) }), "curve"},
		{"a circle", file(func(m *Model) { m.forest.nodes[0].left = 0 }), "node 0"},
		{"a feature too many", file(func(m *Model) { m.forest.nodes[0].feature = int32(featureCount) }), "node 0"},
		{"no number", file(func(m *Model) { m.forest.nodes[0].value = float32(math.NaN()) }), "NaN"},
		{"a huge value", file(func(m *Model) { m.forest.nodes[0].value = 1e35 }), "node 0"},
		{"a huge prior", file(func(m *Model) { m.Prior = 1e300 }), "prior"},
		{"negative choices", file(func(m *Model) { m.Choices = -1 }), "choices"},
		{"no hash", file(func(m *Model) { m.Data = []Data{{Name: "a", Truth: "12"}} }), "SHA-256"},
		{"changed", changed, "was changed since it was written"},
		{"a root outside", file(func(m *Model) { m.forest.roots[0] = int32(len(m.forest.nodes)) }), "root"},
	} {
		if _, err := Read(bytes.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// TestStories wants the causes that only a weighing of evidence finds, in logs
// that were cut from recordings at Metadata level.
func TestStories(t *testing.T) {
	ranker := defaultRanker(t)
	for _, c := range []struct {
		log         string
		effect      int // lines
		byRules, by int
	}{
		{"quota.jsonl", 87, 7, 85},
		{"cronjob-deleted.jsonl", 101, 5, 98},
		{"shared-labels.jsonl", 55, 15, 33},
	} {
		t.Run(c.log, func(t *testing.T) {
			list := events(t, filepath.Join("testdata", c.log))
			root := func(r link.Ranker) int {
				a := linked(list, r)[c.effect]
				if a.Root == nil {
					return 0
				}
				return a.Root.Position.Line
			}
			if got := root(nil); got != c.byRules {
				t.Errorf("by rules: the root of line %d is on line %d, want %d", c.effect, got, c.byRules)
			}
			if got := root(ranker); got != c.by {
				t.Errorf("ranked: the root of line %d is on line %d, want %d", c.effect, got, c.by)
			}
		})
	}
}

// TestSameLinks wants the same links from a shuffled log, and twice the same.
func TestSameLinks(t *testing.T) {
	list := events(t, filepath.Join("..", "..", "recordings", "crowd.metadata.jsonl.zst"))[:2500]
	want := linked(list, defaultRanker(t))
	// Within a second the order of a log says nothing.
	random := rand.New(rand.NewPCG(1, 0)) //nolint:gosec // A test's data.
	shuffled := slices.Clone(list)
	for i := range shuffled {
		j := min(i+random.IntN(20), len(shuffled)-1)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	for name, again := range map[string][]*audit.Event{"again": list, "shuffled": shuffled} {
		got := linked(again, defaultRanker(t))
		for line, a := range want {
			if a.Role != link.RoleEffect || a.Event.Verb == "watch" {
				continue
			}
			if b := got[line]; a.Context != b.Context || a.Cause != b.Cause || a.Confidence != b.Confidence {
				t.Fatalf("%s: line %d: context %s by %s (%v), at first %s by %s (%v)", name, line, b.Context, b.Cause, b.Confidence, a.Context, a.Cause, a.Confidence)
			}
		}
	}
}

// FuzzRead wants no file to make reading, or choosing with what was read, fail
// to return.
func FuzzRead(f *testing.F) {
	f.Add(defaultModel)
	f.Add(defaultModel[:200])
	vectors := synthetic(1, 1)[0].vectors
	f.Fuzz(func(_ *testing.T, data []byte) {
		m, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		m.forest.choose(vectors, 0, make([]float32, len(vectors)))
	})
}

// FuzzContent does the same with files whose checksum is right, whatever they
// hold, and wants a share and a confidence of every choice.
func FuzzContent(f *testing.F) {
	metadata, tensors, err := safetensors.Read(bytes.NewReader(defaultModel), maxFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(metadata[headerKey], 0, 0, float32(3))
	f.Add(metadata[headerKey], 0, 7, float32(1e29))
	vectors := synthetic(1, 1)[0].vectors
	f.Fuzz(func(t *testing.T, header string, tensor, at int, value float32) {
		changed := slices.Clone(tensors)
		i := int(uint(tensor) % uint(len(changed)))
		changed[i].Data = slices.Clone(changed[i].Data)
		changed[i].Data[uint(at)%uint(len(changed[i].Data))] = value
		var file bytes.Buffer
		if err := safetensors.Write(&file, map[string]string{headerKey: header}, changed); err != nil {
			t.Fatal(err)
		}
		m, err := Read(&file)
		if err != nil {
			return
		}
		_, share := m.forest.choose(vectors, 0, make([]float32, len(vectors)))
		if c := m.Curve.at(share); !(share >= 0 && share <= 1 && c >= 0 && c <= 1) {
			t.Errorf("a share of %v and a confidence of %v", share, c)
		}
	})
}

// BenchmarkChoose measures a choice of six candidates.
func BenchmarkChoose(b *testing.B) {
	m, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	e := synthetic(1, 1)[0]
	vectors := slices.Concat(e.vectors, e.vectors)
	scores := make([]float32, len(vectors))
	for b.Loop() {
		m.forest.choose(vectors, 0, scores)
	}
}
