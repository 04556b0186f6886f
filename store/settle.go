package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/whet-k8s/whet/pipeline"
)

// settle writes the contexts that are left, brings further parts into those
// that were written already, and leaves out what the data set has. It gives the
// segments of earlier runs that new ones take the place of.
func (w *Writer) settle() (replaced []string, err error) {
	if err := w.settleWritten(); err != nil {
		return nil, err
	}
	w.closeContexts(0)
	for _, day := range slices.Sorted(maps.Keys(w.contexts)) {
		t := w.contexts[day]
		if err := w.mergeReopened(t); err != nil {
			return nil, err
		}
		if err := w.settleContexts(day, t); err != nil {
			return nil, err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(w.present.outgrown)) {
		if err := w.rewrite(path, w.present.outgrown[path]); err != nil {
			return nil, err
		}
		replaced = append(replaced, path)
	}
	return replaced, nil
}

// settleContexts writes what the data set does not have.
func (w *Writer) settleContexts(day string, t *contextTable) error {
	skip, known, grown, err := w.present.contexts(t)
	if err != nil {
		return err
	}
	w.added.Grown += grown
	w.added.Contexts += int64(t.rows) - known - grown
	if known == int64(t.rows) {
		return nil
	}
	return w.addContexts(day, t, skip)
}

// settleWritten looks at the segments of contexts that this run has written,
// and writes those anew of which something is to be changed.
func (w *Writer) settleWritten() error {
	segments, err := w.files.close()
	if err != nil {
		return err
	}
	for _, s := range slices.Clone(segments) {
		if s.Table != tableContexts {
			continue
		}
		times := []int64{s.First.UnixMicro(), s.Last.UnixMicro()}
		if !w.reopenedBetween(s) && len(overlapping(w.present.contextFiles, times)) == 0 {
			w.added.Contexts += s.Rows
			continue
		}
		t := newContextTable()
		name := filepath.Join(w.dir, filepath.FromSlash(s.Path))
		if err := t.read(name); err != nil {
			return err
		}
		if err := w.mergeReopened(t); err != nil {
			return err
		}
		if err := w.settleContexts(s.Day, t); err != nil {
			return err
		}
		if err := w.files.remove(s.Path); err != nil {
			return err
		}
	}
	return nil
}

// reopenedBetween tells whether a further part may belong to a context of the
// segment: its root came no earlier than the context began.
func (w *Writer) reopenedBetween(s segment) bool {
	for _, c := range w.reopened {
		if !c.Root.Received.Before(s.First) {
			return true
		}
	}
	return false
}

// mergeReopened brings further parts into the rows of their contexts.
func (w *Writer) mergeReopened(t *contextTable) error {
	if len(w.reopened) == 0 {
		return nil
	}
	for row := range t.rows {
		id, _ := t.ids(row)
		if c := w.reopened[id]; c != nil {
			if err := t.merge(row, c); err != nil {
				return err
			}
			delete(w.reopened, id)
		}
	}
	return nil
}

// merge brings a further part into a row, as merge does with contexts.
func (t *contextTable) merge(row int, part *pipeline.Context) error {
	start, end := part.Start.UnixMicro(), part.End.UnixMicro()
	before := t.start.numbers[row]
	start, end = min(start, before), max(end, before+t.duration.numbers[row])
	t.start.numbers[row] = start
	t.duration.numbers[row] = end - start
	t.rootOffset.numbers[row] += before - start
	for column, n := range map[*numberColumn]int{
		&t.clients: part.Clients, &t.effects: part.Effects, &t.failed: part.Failed,
		&t.events: part.Events, &t.deletes: part.Deletes,
	} {
		column.numbers[row] += int64(n)
	}
	if !part.ReadOnly {
		t.readOnly.numbers[row] = 0
	}
	if err := t.effectsBy.sum(row, part.EffectsBy); err != nil {
		return err
	}
	return t.touched.sum(row, part.Touched)
}

// sum adds counts to those of a row.
func (c *countColumn) sum(row int, counts map[string]int) error {
	before := map[string]int{}
	if text := c.text(row); text != "" {
		if err := json.Unmarshal([]byte(text), &before); err != nil {
			return fmt.Errorf("reading the counts of a context: %w", err)
		}
	}
	c.add(sum(before, counts))
	last := len(c.index) - 1
	c.index[row] = c.index[last]
	c.index = c.index[:last]
	return nil
}

// rewrite writes a segment of an earlier run anew, without some of its rows.
func (w *Writer) rewrite(path string, without map[int32]bool) error {
	at := slices.IndexFunc(w.manifest.Segments, func(s segment) bool { return s.Path == path })
	t := newContextTable()
	if err := t.read(filepath.Join(w.dir, filepath.FromSlash(path))); err != nil {
		return err
	}
	if len(without) == t.rows {
		return nil
	}
	skip := make([]bool, t.rows)
	for row := range without {
		skip[row] = true
	}
	return w.addContexts(w.manifest.Segments[at].Day, t, skip)
}

// remove takes back a segment that was written.
func (w *fileWriter) remove(path string) error {
	w.wait.Wait()
	w.segments = slices.DeleteFunc(w.segments, func(s segment) bool { return s.Path == path })
	if err := os.Remove(filepath.Join(w.dir, filepath.FromSlash(path))); err != nil {
		return fmt.Errorf("removing a segment that was written anew: %w", err)
	}
	return nil
}
