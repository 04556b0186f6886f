package store

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
)

// heal gives the damaged segments whose rows this run has brought back: the log
// is one that was read before, and what is written now has as many rows of the
// day, over the same time. They need not be named any more.
func (w *Writer) heal() []segment {
	known := slices.ContainsFunc(w.manifest.Inputs, func(in input) bool { return in.First == w.first && in.Cluster == w.options.Cluster })
	if !known {
		return nil
	}
	type part struct{ table, day string }
	lost := map[part][]segment{}
	for _, s := range w.present.damaged {
		if s.Table != tableRaw {
			p := part{s.Table, s.Day}
			lost[p] = append(lost[p], s)
		}
	}
	var healed []segment
	for _, list := range lost {
		if back(list, w.files.segments) {
			healed = append(healed, slices.DeleteFunc(list, w.needed)...)
		}
	}
	return append(healed, w.healedRaw...)
}

// needed tells a segment of events without which lines of the log could not be
// told.
func (w *Writer) needed(s segment) bool {
	return slices.ContainsFunc(w.manifest.Segments, func(line segment) bool {
		again := slices.ContainsFunc(w.healedRaw, func(other segment) bool { return other.Path == line.Path })
		return !again && tells(&line, &s)
	})
}

// tells tells a segment of lines and one of the events in them.
func tells(lines, events *segment) bool {
	return lines.Table == tableRaw && events.Table == tableEvents && lines.From <= events.To && events.From <= lines.To
}

// back tells whether the rows of lost segments of a table and day are in new
// ones.
func back(lost, written []segment) bool {
	var need, there int64
	for _, s := range lost {
		need += s.Rows
	}
	starts, ends := false, false
	first := slices.MinFunc(lost, func(a, b segment) int { return a.First.Compare(b.First) }).First
	last := slices.MaxFunc(lost, func(a, b segment) int { return a.Last.Compare(b.Last) }).Last
	for _, s := range written {
		if s.Table != lost[0].Table || s.Day != lost[0].Day {
			continue
		}
		there += s.Rows
		starts = starts || !s.First.After(first)
		ends = ends || !s.Last.Before(last)
	}
	return there >= need && starts && ends
}

// healRaw gives the parts of the log, with their first byte and the one behind
// them, that damaged segments of an input held, or told with those of events, and that
// this run has written again in whole segments.
func (w *Writer) healRaw(name string) (parts [][2]int64) {
	var old, fresh []segment
	for _, s := range w.manifest.Segments {
		if s.Table == tableRaw && s.Input == name && s.Cluster == w.options.Cluster {
			old = append(old, s)
		}
	}
	for _, s := range w.files.segments {
		if s.Table == tableRaw {
			fresh = append(fresh, s)
		}
	}
	byStart := func(a, b segment) int { return cmp.Compare(a.Start, b.Start) }
	slices.SortFunc(old, byStart)
	end := w.raw.same
	for i := len(old) - 1; i >= 0; i-- {
		s := old[i]
		begins := slices.ContainsFunc(fresh, func(f segment) bool { return f.Start == s.Start })
		ends := end == w.raw.size || slices.ContainsFunc(fresh, func(f segment) bool { return f.Start == end })
		lost := slices.ContainsFunc(w.present.damaged, func(events segment) bool { return tells(&s, &events) })
		if begins && ends && (lost || cmp.Or(s.check(w.dir), s.verify(w.dir)) != nil) {
			parts = append(parts, [2]int64{s.Start, end})
			w.healedRaw = append(w.healedRaw, s)
		}
		end = s.Start
	}
	return parts
}

// DropDamaged has a data set forget the files of it that are damaged, and gives
// them: what they held is then missing for good, until the log is read once more.
func DropDamaged(_ context.Context, dir string) ([]Damage, error) {
	damaged, err := dropDamaged(filepath.Clean(dir))
	if err != nil {
		return nil, fmt.Errorf("dropping damaged files of the data set %s: %w", dir, err)
	}
	return damaged, nil
}

func dropDamaged(dir string) (damaged []Damage, err error) {
	if _, err := readManifest(dir); err != nil {
		return nil, err
	}
	l, m, err := openForWriting(dir)
	if err != nil {
		return nil, err
	}
	defer l.release()
	next := *m
	next.Segments, next.Replaced = nil, slices.Clone(m.Replaced)
	for _, s := range m.Segments {
		if err := cmp.Or(s.check(dir), s.verify(dir)); err != nil {
			damaged = append(damaged, Damage{s.Path, err.Error()})
			next.Replaced = append(next.Replaced, s.Path)
			continue
		}
		next.Segments = append(next.Segments, s)
	}
	if len(damaged) == 0 {
		return nil, nil
	}
	return damaged, next.settle(dir)
}
