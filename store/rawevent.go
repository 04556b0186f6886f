package store

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/whet-k8s/whet/audit"
)

// RawEvent is an event as the log had it.
type RawEvent struct {
	Stage audit.Stage
	// JSON is the event's, byte for byte but for what was redacted.
	JSON []byte
}

// HasRaw tells whether the data set keeps the bytes of a log.
func (d *DataSet) HasRaw() bool { return len(d.raw) > 0 }

// RawEvents gives the events of an auditID as the log had them, in its order:
// none where the data set has no such event, or was made of it without KeepAll.
// It reads the segments that hold them, at most 24 MiB each.
func (d *DataSet) RawEvents(ctx context.Context, auditID string) ([]RawEvent, error) {
	if len(d.raw) == 0 || len(d.resolver.events) == 0 {
		return nil, nil
	}
	var expr string
	for _, c := range eventColumns() {
		if c.name == "auditID" {
			expr = c.expr
		}
	}
	statement := "SELECT ordinal::BIGINT" + fromFiles(d.files(d.resolver.events)) + " WHERE " + expr + " = ? ORDER BY ordinal LIMIT 1000" //nolint:gosec // Made of constants and names of files.
	rows, err := d.db.QueryContext(ctx, statement, auditID)
	if err != nil {
		return nil, fmt.Errorf("reading the data set: %w", err)
	}
	var ordinals []int64
	err = eachRow(rows, func() error {
		var n int64
		err := rows.Scan(&n)
		ordinals = append(ordinals, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the data set: %w", err)
	}
	var events []RawEvent
	for _, s := range d.raw {
		var wanted []int64
		for _, n := range ordinals {
			if s.From <= n && n <= s.To {
				wanted = append(wanted, n)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		found, err := d.rawOrdinals(ctx, s, wanted)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.Path, err)
		}
		events = append(events, found...)
	}
	return events, nil
}

// rawOrdinals gives the events of a segment that have the ordinals, which are
// in order.
func (d *DataSet) rawOrdinals(ctx context.Context, s segment, ordinals []int64) ([]RawEvent, error) {
	var t rawTable
	if err := readFile(filepath.Join(d.dir, filepath.FromSlash(s.Path)), t.columns()); err != nil {
		return nil, err
	}
	places := make(map[int64]int, len(t.bodies))
	for row := range t.bodies {
		if !t.ordinal.null[row] {
			places[t.ordinal.numbers[row]] = row
		}
	}
	tokens := newTokens()
	var events []RawEvent
	for _, n := range ordinals {
		row, ok := places[n]
		if !ok {
			continue
		}
		for ev, err := range d.byOrdinal(ctx, n, n) {
			if err != nil {
				return nil, err
			}
			size, bodies := t.requestSize.numbers[row], t.bodies[row]
			json := tokens.join(nil, []byte(t.template.text(row)), ev.Event.Event, bodies[:size], bodies[size:])
			events = append(events, RawEvent{ev.Stage, json})
		}
	}
	return events, nil
}
