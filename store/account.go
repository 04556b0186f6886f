package store

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/whet-k8s/whet/pipeline"
)

// merge brings a further part into a context.
func merge(into, part *pipeline.Context) {
	if part.Start.Before(into.Start) {
		into.Start = part.Start
	}
	if part.End.After(into.End) {
		into.End = part.End
	}
	into.Clients += part.Clients
	into.Effects += part.Effects
	into.Failed += part.Failed
	into.Events += part.Events
	into.Deletes += part.Deletes
	into.EffectsBy = sum(into.EffectsBy, part.EffectsBy)
	into.Touched = sum(into.Touched, part.Touched)
	into.ReadOnly = into.ReadOnly && part.ReadOnly
}

func sum(a, b map[string]int) map[string]int {
	if len(a)+len(b) == 0 {
		return nil
	}
	got := make(map[string]int, len(a)+len(b))
	maps.Copy(got, a)
	for k, n := range b {
		got[k] += n
	}
	return got
}

// account adds what a run read to what was read before. A log that was read
// before, and may have grown, counts once; a run that added nothing does not
// count.
func (w *Writer) account(inputs []input, account *pipeline.Accounting) []input {
	switch {
	case account.Bytes == 0 && account.Lines == 0 && account.Events > 0:
		return w.accountLive(inputs, account)
	case w.first == "":
		w.first = fmt.Sprintf("no event in %d bytes", account.Bytes)
	}
	in := input{
		Cluster: w.options.Cluster, First: w.first,
		Lines: int64(account.Lines), Bytes: account.Bytes, Events: account.Events,
		Dropped: account.Dropped, SetAside: account.SetAside,
	}
	if w.raw != nil {
		in.RawSize, in.RawHash = w.raw.size, hex.EncodeToString(w.raw.hash.Sum(nil))
	}
	inputs = slices.Clone(inputs)
	at := slices.IndexFunc(inputs, func(other input) bool { return other.First == in.First && other.Cluster == in.Cluster })
	switch {
	case at >= 0 && (inputs[at].Bytes < in.Bytes || inputs[at].RawSize < in.RawSize):
		in.RawSize = max(in.RawSize, inputs[at].RawSize)
		if w.raw == nil {
			in.RawHash = inputs[at].RawHash
		}
		inputs[at] = in
	case at < 0 && (w.added.Events+w.added.Contexts+w.added.Grown > 0 || w.known == 0):
		inputs = append(inputs, in)
	}
	return inputs
}

// liveInput stands for the first event of all that came live: it came in many
// small runs.
const liveInput = "live"

// accountLive adds a run that read no bytes of a log to all such runs.
func (w *Writer) accountLive(inputs []input, account *pipeline.Accounting) []input {
	inputs = slices.Clone(inputs)
	at := slices.IndexFunc(inputs, func(in input) bool { return in.First == liveInput && in.Cluster == w.options.Cluster })
	if at < 0 {
		return append(inputs, input{Cluster: w.options.Cluster, First: liveInput, Events: account.Events})
	}
	inputs[at].Events += max(account.Events-w.known, 0)
	return inputs
}
