package pipeline

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/whet-k8s/whet/audit"
	"github.com/whet-k8s/whet/label"
	"github.com/whet-k8s/whet/link"
	"github.com/whet-k8s/whet/model/rank"
	"github.com/whet-k8s/whet/noise"
)

// Options say how Run works. The zero value is good.
type Options struct {
	// Policy is the noise policy; nil means noise.Default.
	Policy *noise.Policy
	// Labels gives the numbers of actions; nil means the default codec.
	Labels *label.Codec
	// Link bounds the linker. Where it has no Rank, a ranker (package rank) helps
	// it to choose among causes, but for NoModel.
	Link link.Options
	// Ranker is that ranker; nil means the one that whet comes with.
	Ranker *rank.Model
	// NoModel has the linker's rules decide alone.
	NoModel bool
	// Workers is the number of goroutines that decode; 0 means GOMAXPROCS.
	Workers int
	// Select restricts what the Sink's Annotation and Context see to the
	// contexts whose root it accepts; nil accepts all. Background and dropped
	// events are then left out. It never changes what is linked or counted.
	Select func(root *audit.Event) bool
	// KeepRaw gives every Annotation the bytes of its event.
	KeepRaw bool
	// KeepGaps gives the Sink every byte of the inputs: those of events in the
	// Annotations, whatever stands before them there too, and the rest in Gap. It
	// implies KeepRaw, and needs an Annotation function and no Select.
	KeepGaps bool
	// Progress is called now and then, from the goroutine that called Run.
	Progress func(Progress)
}

// withDefaults fills in what was not given. It fails where the ranker that whet
// comes with cannot be read.
func (o Options) withDefaults() (Options, error) {
	if o.Policy == nil {
		o.Policy = noise.Default()
	}
	if o.Labels == nil {
		o.Labels = label.New(label.Options{})
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Link.Rank == nil && !o.NoModel {
		m := o.Ranker
		if m == nil {
			var err error
			if m, err = rank.Default(); err != nil {
				return o, fmt.Errorf("reading the ranker of the linker: %w", err)
			}
		}
		o.Link.Rank = m.Ranker()
	}
	return o, nil
}

// Progress tells how far a run has come.
type Progress struct {
	// Read and Total count bytes of the inputs as they lie on disk. Total is
	// 0 when it is not known, as with standard input.
	Read, Total int64
	// Bytes counts the bytes after decompression, Events the events.
	Bytes, Events int64
}

// Sink takes what a run gives. A function may be nil; all are called from the
// goroutine that called Run. An error ends the run and is returned by it. The
// events have no Raw.
type Sink struct {
	// Annotation is called once for each event, in the order of the input.
	// The Annotation is valid during the call.
	Annotation func(*Annotation) error
	// Context is called for every part of a context when it closes.
	Context func(*Context) error
	// Assignment is called once for each event that reaches the linker, in
	// the order in which they are linked, which is not that of the input. Of
	// an event that a noise rule set aside and that nothing caused, Rule is
	// the noise rule's id.
	Assignment func(*link.Assignment) error
	// Dropped is called for each event that the noise policy dropped.
	Dropped func(*audit.Event, noise.Decision) error
	// Gap is called with Options.KeepGaps for bytes of a source that belong to no
	// event, between the Annotations at their place in the input. The bytes are
	// valid during the call.
	Gap func(source string, bytes []byte) error
}

// Run analyses the inputs, which are file names, patterns, folders or "-" for
// stdin, as audit.Open takes them. Malformed lines are no error; they stand in
// the Accounting. An error comes from opening or reading the inputs, from ctx,
// or from the Sink; the Accounting is then that of what was done before.
func Run(ctx context.Context, inputs []string, stdin io.Reader, o Options, sink Sink) (*Accounting, error) {
	o, err := o.withDefaults()
	if err != nil {
		return newAccounting(), err
	}
	o.KeepRaw = o.KeepRaw || o.KeepGaps
	reader, err := audit.Open(inputs, audit.Options{Stdin: stdin, KeepData: o.KeepGaps})
	if err != nil {
		return nil, err
	}
	r := newRun(o, sink)
	defer r.order.close()
	err = decodeAll(ctx, reader, o, func(b *decoded) error {
		if err := r.batch(b); err != nil {
			return err
		}
		if o.Progress != nil {
			read, total := reader.Progress()
			o.Progress(Progress{Read: read, Total: total, Bytes: r.account.Bytes, Events: r.account.Events})
		}
		return nil
	})
	r.account.Empty, r.account.Skipped = reader.Empty(), reader.Skipped()
	if closeErr := reader.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("closing the log: %w", closeErr)
	}
	if err == nil {
		err = r.close()
	}
	r.account.Link = r.linker.Stats()
	return r.account, err
}

// run is one analysis in progress.
type run struct {
	options Options
	sink    Sink
	linker  *link.Linker
	account *Accounting
	// order is nil where annotations are delivered as they are made; current
	// is then the one being made.
	order   *order
	current Annotation
	// seen is nil where somebody else looks for duplicates.
	seen  *duplicates
	rules ruleTable
	err   error // the first error of the sink
	open  bool  // what the linker reports has not closed

	seq      uint64 // the next event's place in the input
	source   string
	lastLine int // in source
	before   int // lines of the sources before this one
	gap      gap

	selected     *audit.Event // the root that choice is about
	choice       bool
	labelled     *audit.Event // the root that label is about
	currentLabel label.Label
}

func newRun(o Options, sink Sink) *run {
	r := &run{
		options: o, sink: sink, account: newAccounting(), rules: newRuleTable(),
		order: &order{deliver: sink.Annotation, gap: sink.Gap, keepRaw: o.KeepRaw}, seen: new(duplicates),
	}
	r.linker = link.New(o.Link, r.assigned, r.reporter())
	return r
}

// reporter is what the linker reports contexts to, nil when nobody wants them.
func (r *run) reporter() func(link.ContextRecord) {
	if r.sink.Context == nil {
		return nil
	}
	return r.report
}

// batch takes what the next chunk of the input gave.
func (r *run) batch(b *decoded) error {
	r.place(b)
	r.account.addBatch(&b.Batch)
	if err := r.beginGaps(b); err != nil {
		return err
	}
	for i := range b.Events {
		if err := r.event(&b.Events[i], b.verdicts[i]); err != nil {
			return err
		}
	}
	return r.endGaps(b)
}

// place finds out where the batch stands in the whole input, whose lines are
// counted on from source to source.
func (r *run) place(b *decoded) {
	first, last := b.lineRange()
	if b.Source != r.source || (first > 0 && first <= r.lastLine) {
		r.source, r.lastLine = b.Source, 0
		r.before = r.account.Lines
	}
	r.lastLine = max(r.lastLine, last)
}

// event takes the next event of the input.
func (r *run) event(decoded *audit.Event, v verdict) error {
	// A copy of its own lets go of the other events of the chunk when this one
	// is remembered.
	ev := new(audit.Event)
	*ev = *decoded
	r.account.Events++
	if r.seen != nil && r.seen.add(v.fingerprint) {
		r.account.Duplicates++
	}
	seq, err := r.queue(ev)
	if err != nil {
		return err
	}
	ev.Raw = nil // so that what the linker remembers does not keep the chunk
	if v.Action == noise.Drop {
		r.account.drop(v.Rule, ev.Position.Size)
		r.dropped(seq, ev, v.Decision)
		return r.err
	}
	var rule string
	if v.Action == noise.SetAside {
		rule = v.Rule
	}
	r.linker.Add(ev, r.rules.tag(seq, rule))
	return r.err
}

// queue gives an event its place in the input, and its Annotation a place in the
// queue.
func (r *run) queue(ev *audit.Event) (seq uint64, err error) {
	if r.sink.Annotation != nil && r.order != nil {
		raw, before := ev.Raw, 0
		if r.options.KeepGaps {
			if raw, before, err = r.withGap(ev); err != nil {
				return 0, err
			}
		}
		err = r.order.add(ev, r.before+ev.Position.Line, raw, before)
	}
	seq = r.seq
	r.seq++
	return seq, err
}

// close links what still waits.
func (r *run) close() error {
	if err := r.lastGap(); err != nil {
		return err
	}
	r.linker.Close()
	if r.err != nil {
		return r.err
	}
	return r.account.Check()
}

func (r *run) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// assigned takes what the linker says of an event.
func (r *run) assigned(as link.Assignment) {
	seq, rule := r.rules.split(as.Tag)
	if as.Role == link.RoleBackground && rule != "" {
		as.Rule, as.Evidence = rule, "set aside by the noise policy, and nothing caused it"
	}
	r.account.assign(&as, rule)
	if r.err != nil {
		return
	}
	if r.sink.Assignment != nil {
		if err := r.sink.Assignment(&as); err != nil {
			r.fail(err)
			return
		}
	}
	if r.sink.Annotation == nil {
		return
	}
	a := r.annotation(seq, as.Event)
	a.Context, a.Operation, a.Role, a.Cause = as.Context, as.Operation, as.Role, as.Cause
	a.Rule, a.Evidence, a.Confidence = as.Rule, as.Evidence, as.Confidence
	a.Rival, a.Autonomous = as.Rival, as.Autonomous
	if as.Root != nil {
		a.Actor = as.Root.User.Username
	}
	a.Label = r.labelOf(&as)
	r.fail(r.deliver(seq, r.wants(as.Root)))
}

// annotation gives the annotation of an event, to fill in.
func (r *run) annotation(seq uint64, ev *audit.Event) *Annotation {
	if r.order != nil {
		return r.order.at(seq)
	}
	r.current = Annotation{Line: ev.Position.Line, Position: ev.Position, AuditID: ev.AuditID, Stage: ev.Stage, Event: ev}
	return &r.current
}

// deliver says that the annotation is filled in.
func (r *run) deliver(seq uint64, wanted bool) error {
	switch {
	case r.order != nil:
		return r.order.decide(seq, wanted)
	case wanted:
		return r.sink.Annotation(&r.current)
	}
	return nil
}

// dropped passes on an event that the noise policy dropped.
func (r *run) dropped(seq uint64, ev *audit.Event, d noise.Decision) {
	if r.sink.Dropped != nil {
		r.fail(r.sink.Dropped(ev, d))
	}
	if r.sink.Annotation == nil {
		return
	}
	a := r.annotation(seq, ev)
	a.Role, a.Rule, a.Evidence, a.Confidence = link.RoleDropped, d.Rule, d.Reason, 1
	a.Label = r.options.Labels.EncodeEvent(ev)
	r.fail(r.deliver(seq, r.options.Select == nil))
}

// wants tells whether the caller selected the context with this root.
func (r *run) wants(root *audit.Event) bool {
	if r.options.Select == nil {
		return true
	}
	if root == nil {
		return false
	}
	if r.selected != root {
		r.selected, r.choice = root, r.options.Select(root)
	}
	return r.choice
}

// labelOf is the label of the event's context, and without a context its own.
func (r *run) labelOf(as *link.Assignment) label.Label {
	if as.Root == nil {
		return r.options.Labels.EncodeEvent(as.Event)
	}
	if r.labelled != as.Root {
		r.labelled, r.currentLabel = as.Root, r.options.Labels.EncodeEvent(as.Root)
	}
	return r.currentLabel
}

func (r *run) report(record link.ContextRecord) {
	r.account.Contexts++
	if r.err != nil || !r.wants(record.Root) {
		return
	}
	c := newContext(&record, r.options.Labels)
	c.Open = r.open
	r.fail(r.sink.Context(&c))
}
