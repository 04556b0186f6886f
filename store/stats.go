package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/whet-k8s/whet/pipeline"
)

// Stats tells what a data set holds and what takes the space.
type Stats struct {
	// RawBytes counts the bytes of the logs that were read, after
	// decompression, Lines their lines and Read their events.
	RawBytes, Lines, Read int64
	// Dropped and SetAside count the events of the logs by noise rule.
	Dropped  map[string]pipeline.Tally
	SetAside map[string]int64

	// Bytes is what all files of the data set take, Files how many there are.
	Bytes int64
	Files int
	// Parts are the bytes by part of the data set: events, contexts, raw, and
	// what is none of them. Families are those of the parts by what they hold.
	Parts    []Share
	Families []Share

	// Events and Contexts count rows.
	Events, Contexts int64
	// Actors and Actions count contexts, the most first. Of more than a few,
	// MoreActors and MoreActions tell how many are left out.
	Actors, Actions         []Share
	MoreActors, MoreActions int
}

// Share is a part of a sum.
type Share struct {
	Name string
	N    int64
}

// maxShares bounds how many actors and actions Stats names.
const maxShares = 10

// Stats measures the data set.
func (d *DataSet) Stats(ctx context.Context) (*Stats, error) {
	s := &Stats{Dropped: map[string]pipeline.Tally{}, SetAside: map[string]int64{}}
	for _, in := range d.manifest.Inputs {
		s.RawBytes += in.Bytes
		s.Lines += in.Lines
		s.Read += in.Events
		for rule, t := range in.Dropped {
			sum := s.Dropped[rule]
			s.Dropped[rule] = pipeline.Tally{Events: sum.Events + t.Events, Bytes: sum.Bytes + t.Bytes}
		}
		for rule, n := range in.SetAside {
			s.SetAside[rule] += n
		}
	}
	if err := s.measure(d); err != nil {
		return nil, fmt.Errorf("measuring the data set %s: %w", d.dir, err)
	}
	var err error
	if s.Actors, s.MoreActors, err = d.shares(ctx, "username"); err != nil {
		return nil, err
	}
	s.Actions, s.MoreActions, err = d.shares(ctx, actionSQL)
	return s, err
}

// actionSQL words what contexts have in common: the verb and the resource.
const actionSQL = `coalesce(verb, '') || ' ' || coalesce(resource, '') || CASE WHEN subresource IS NULL THEN '' ELSE '/' || subresource END`

// shares counts contexts by an expression, which is one of ours, and tells how
// many values are left out.
func (d *DataSet) shares(ctx context.Context, by string) (list []Share, more int, err error) {
	statement := "SELECT coalesce(" + by + ", ''), count(*), count(*) OVER () FROM contexts GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?" //nolint:gosec // See above.
	rows, err := d.db.QueryContext(ctx, statement, maxShares)
	if err != nil {
		return nil, 0, fmt.Errorf("counting contexts: %w", d.Explain(ctx, err))
	}
	err = eachRow(rows, func() error {
		var s Share
		err := rows.Scan(&s.Name, &s.N, &more)
		list = append(list, s)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("counting contexts: %w", d.Explain(ctx, err))
	}
	return list, more - len(list), nil
}

// measure adds up the sizes of the files, and within the segments those of the
// columns.
func (s *Stats) measure(d *DataSet) error {
	err := filepath.WalkDir(d.dir, func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // somebody writes, and has just put it in place or removed it
		}
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		s.Files++
		s.Bytes += info.Size()
		return nil
	})
	if err != nil {
		return err
	}
	parts, families := map[string]int64{}, map[string]int64{}
	rest := s.Bytes
	for i := range d.manifest.Segments {
		g := &d.manifest.Segments[i]
		if d.isDamaged(g) {
			continue // what is left of it is of no use, and counts as the rest
		}
		parts[g.Table] += g.Size
		rest -= g.Size
		switch g.Table {
		case tableEvents:
			s.Events += g.Rows
		case tableContexts:
			s.Contexts += g.Rows
		}
		if err := columnSizes(filepath.Join(d.dir, filepath.FromSlash(g.Path)), g, families); err != nil {
			return err
		}
	}
	parts["manifest and the rest"] = rest
	s.Parts, s.Families = byCount(parts), byCount(families)
	return nil
}

func byCount(sums map[string]int64) []Share {
	var list []Share
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		list = append(list, Share{name, sums[name]})
	}
	slices.SortStableFunc(list, func(a, b Share) int { return int(b.N - a.N) })
	return list
}

// columnSizes adds the sizes of a segment's columns to those of their families.
func columnSizes(name string, g *segment, families map[string]int64) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	file, err := parquet.OpenFile(f, g.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("reading %s: %w", g.Path, err)
	}
	footer := g.Size
	known := columnFamilies()
	for _, group := range file.Metadata().RowGroups {
		for _, c := range group.Columns {
			families[g.Table+": "+known[c.MetaData.PathInSchema[0]]] += c.MetaData.TotalCompressedSize
			footer -= c.MetaData.TotalCompressedSize
		}
	}
	families[g.Table+": Parquet's own"] += footer
	return nil
}

// columnFamilies names for each column what it says something about.
func columnFamilies() map[string]string {
	families := map[string][]string{
		"auditID":          {"auditID", "auditIDText"},
		"times":            {"requestReceivedTimestamp", "elapsed", "start", "duration", "rootOffset", "rootElapsed"},
		"place in the log": {"ordinal", "lineBase", "item", "file", "line"},
		"client":           {"username", "userUID", "groups", "extra", "impersonated", "sourceIPs", "sourceIP", "userAgent"},
		"request":          {"stage", "level", "verb", "path", "query", "action", "label"},
		"object":           {"apiGroup", "apiVersion", "resource", "subresource", "namespace", "name", "uid", "uidText", "resourceVersion", "resourceVersionText"},
		"answer":           {"code", "status", "reason", "message", "outcome"},
		"annotations":      {"annotations"},
		"fields of bodies": {"requestObject", "responseObject"},
		"links":            {"context", "idPrefix", "autonomous", "actor", "role", "rule", "evidence", "cause", "causeID", "rival", "rivalID", "confidence", "id", "beganOperation", "operation", "origin", "originActor"},
		"what followed":    {"clients", "effects", "failed", "events", "deletes", "effectsBy", "touched", "readOnly"},
		"lines":            {"template", "requestSize", "bodies", "before"},
	}
	byColumn := map[string]string{}
	for family, columns := range families {
		for _, c := range columns {
			byColumn[c] = family
		}
	}
	return byColumn
}

// Check reads every file that is not known to be damaged, and compares it with
// what was written: what differs is then damaged, too. The error is one of
// reading.
func (d *DataSet) Check(ctx context.Context) error {
	for i := range d.manifest.Segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &d.manifest.Segments[i]
		if !d.isDamaged(s) {
			d.compare(s)
		}
	}
	return nil
}

func (d *DataSet) isDamaged(s *segment) bool {
	return slices.ContainsFunc(d.Damaged(), func(other Damage) bool { return other.Path == s.Path })
}

// compare compares a segment with what was written, and takes note when it
// differs.
func (d *DataSet) compare(s *segment) (same bool) {
	err := s.verify(d.dir)
	if err == nil {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.damaged = append(d.damaged, Damage{s.Path, err.Error()})
	return false
}

// lacksEvents takes note of a segment of lines whose events are lost.
func (d *DataSet) lacksEvents(s *segment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.damaged) == 0 {
		d.damaged = append(d.damaged, Damage{s.Path, "the events of some of its lines are lost"})
	}
}
