package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/whet-k8s/whet/link"
)

// resolver finds what the segments say in a few bytes: the auditID of an event
// by its ordinal, and the operation of a context. What it reads it keeps, within
// bounds.
type resolver struct {
	dir              string
	events, contexts []segment

	ids        recent[segmentIDs]
	operations recent[segmentOperations]

	once sync.Once
	// places are the contexts in the order of the first bytes of their ids: these
	// bytes, and in the lower half the context's number. Firsts are the numbers of
	// the first contexts of the segments.
	places []uint64
	firsts []int
	err    error
}

// maxResolved bounds how many segments' auditIDs and operations are kept, at
// some 24 bytes an event and 200 a context.
const maxResolved = 24

// recent keeps what was read of the segments that were used last, by the number
// of the segment.
type recent[T any] struct {
	mu   sync.Mutex
	kept map[int64]*T
	used []int64 // the keys of kept, the one used longest ago first
}

// get gives what is kept of a segment, or room for it.
func (r *recent[T]) get(number int64) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.used); n > 0 && r.used[n-1] == number {
		return r.kept[number]
	}
	if r.kept == nil {
		r.kept = map[int64]*T{}
	}
	s := r.kept[number]
	if s == nil {
		if len(r.used) >= maxResolved {
			delete(r.kept, r.used[0])
			r.used = r.used[1:]
		}
		s = new(T)
		r.kept[number] = s
	} else {
		at := slices.Index(r.used, number)
		r.used = slices.Delete(r.used, at, at+1)
	}
	r.used = append(r.used, number)
	return s
}

// segmentIDs are the auditIDs of a segment.
type segmentIDs struct {
	once sync.Once
	// places are the rows in the order of their ordinals: the ordinal, from that
	// of the segment's first event on, and in the lower half the row.
	places []uint64
	ids    []byte     // 16 for each row
	texts  textColumn // the auditIDs that are no UUIDs
	err    error
}

// event gives the auditID of the event with an ordinal, of the segment with a
// number.
func (r *resolver) event(number, ordinal int64) (string, error) {
	if number < 0 || number >= int64(len(r.events)) {
		return "", fmt.Errorf("there is no events file %d", number)
	}
	s := r.ids.get(number)
	g := &r.events[number]
	s.once.Do(func() { s.err = s.load(r.path(g), g.From) })
	if s.err != nil {
		return "", s.err
	}
	place := uint64(ordinal-g.From) << 32
	at, _ := slices.BinarySearch(s.places, place)
	if at == len(s.places) || s.places[at]&^math.MaxUint32 != place {
		return "", fmt.Errorf("%s has no event %d", g.Path, ordinal)
	}
	row := int(uint32(s.places[at]))
	if id := s.texts.text(row); id != "" {
		return id, nil
	}
	return textUUID(string(s.ids[row*uuidBytes : (row+1)*uuidBytes])), nil
}

// uuidBytes is the size of a UUID.
const uuidBytes = 16

func (s *segmentIDs) load(name string, from int64) error {
	t := newEventTable()
	id := auditIDOf(&t.auditID)
	id.text, id.fixed = nil, &s.ids
	err := readFile(name, []fileColumn{id, textOf("auditIDText", &s.texts), wholeOf("ordinal", &t.ordinal)})
	if err != nil {
		return err
	}
	s.places = make([]uint64, len(t.ordinal.numbers))
	for row, ordinal := range t.ordinal.numbers {
		s.places[row] = uint64(ordinal-from)<<32 | uint64(row)
	}
	slices.Sort(s.places)
	return nil
}

// all are the numbers of all segments of events.
func (r *resolver) all() []int {
	list := make([]int, len(r.events))
	for i := range list {
		list[i] = i
	}
	return list
}

// holding gives the numbers of the segments that may hold events of an auditID.
// UUIDs stand as they are at the beginning of a segment, where they are found in
// a tenth of the time that a query takes. All segments are searched where none
// of them has it there.
func (r *resolver) holding(ctx context.Context, auditID string) ([]int, error) {
	id, ok := binaryUUID(auditID)
	if !ok {
		return r.all(), nil
	}
	found := make([]bool, len(r.events))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range r.events {
		group.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				found[i], err = r.begins(&r.events[i], id[:])
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var list []int
	for i, yes := range found {
		if yes {
			list = append(list, i)
		}
	}
	if list == nil {
		list = r.all()
	}
	return list, nil
}

// begins tells whether the bytes stand where a segment's auditIDs do, which are
// its first column.
func (r *resolver) begins(s *segment, id []byte) (bool, error) {
	f, err := os.Open(r.path(s))
	if err != nil {
		return false, fmt.Errorf("looking for an auditID: %w", err)
	}
	defer f.Close()
	const before = 4 << 10 // more than the headers of the pages take, and than which rows lack one
	b := make([]byte, min(s.Size, s.Rows*uuidBytes+s.Rows+before))
	if _, err := f.ReadAt(b, 0); err != nil {
		return false, fmt.Errorf("looking for an auditID in %s: %w", s.Path, err)
	}
	return bytes.Contains(b, id), nil
}

// readFile reads columns of a file.
func readFile(name string, columns []fileColumn) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := readColumns(f, info.Size(), columns); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// segmentOperations are the operations of a segment's contexts, which are found
// as they are asked for.
type segmentOperations struct {
	mu    sync.Mutex
	table *contextTable
	found [][2]string // the ids of a row's context and operation
	err   error
}

// operation gives the id of a context's operation, "" where it has none.
func (r *resolver) operation(context string) (string, error) {
	r.once.Do(func() { r.err = r.loadPlaces() })
	if r.err != nil {
		return "", r.err
	}
	prefix := uint64(uint32(idPrefix(context))) << 32
	at, _ := slices.BinarySearch(r.places, prefix)
	for _, place := range r.places[at:] {
		if place&^math.MaxUint32 != prefix {
			break
		}
		number := int(uint32(place))
		segment, first := slices.BinarySearch(r.firsts, number)
		if !first {
			segment--
		}
		id, operation, err := r.operations.get(int64(segment)).at(r, segment, number-r.firsts[segment])
		if id == context || err != nil {
			return operation, err
		}
	}
	return "", nil
}

// loadPlaces finds where the contexts stand.
func (r *resolver) loadPlaces() error {
	for i := range r.contexts {
		var prefixes numberColumn
		err := readFile(r.path(&r.contexts[i]), []fileColumn{prefixOf(&prefixes)})
		if err != nil {
			return err
		}
		r.firsts = append(r.firsts, len(r.places))
		for _, prefix := range prefixes.numbers {
			r.places = append(r.places, uint64(uint32(prefix))<<32|uint64(len(r.places)))
		}
	}
	slices.Sort(r.places)
	return nil
}

func (r *resolver) path(s *segment) string { return filepath.Join(r.dir, filepath.FromSlash(s.Path)) }

// at gives the ids of a context and of its operation.
func (s *segmentOperations) at(r *resolver, segment, row int) (id, operation string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table == nil && s.err == nil {
		s.table = newContextTable()
		s.err = readFile(r.path(&r.contexts[segment]), s.table.idColumns())
		s.found = make([][2]string, len(s.table.start.numbers))
	}
	if s.err != nil {
		return "", "", s.err
	}
	found := &s.found[row]
	if found[0] == "" {
		found[0], found[1] = s.table.ids(row)
	}
	return found[0], found[1], nil
}

// ids gives the ids of a context and of its operation.
func (t *contextTable) ids(row int) (id, operation string) {
	at := t.start.numbers[row] + t.rootOffset.numbers[row]
	received, staged := time.UnixMicro(at), time.UnixMicro(at+t.rootElapsed.numbers[row])
	auditID := t.auditID.text(row)
	id, operation = t.id.textColumn.text(row), t.operation.textColumn.text(row)
	if id != "" {
		id = textUUID(id)
	} else {
		kind := link.KindContext
		if t.origin.textColumn.text(row) != "" {
			kind = link.KindAutonomous
		}
		id = link.ID(kind, auditID, received, staged)
	}
	switch {
	case operation != "":
		operation = textUUID(operation)
	case t.began.numbers[row] == 1:
		operation = link.ID(link.KindOperation, auditID, received, staged)
	}
	return id, operation
}

// read appends the rows of a segment.
func (t *contextTable) read(name string) error {
	err := readFile(name, t.columns())
	t.rows = len(t.start.numbers)
	return err
}

// register makes the functions that the views call.
func (r *resolver) register(conn *sql.Conn) error {
	number, err := duckdb.NewTypeInfo(duckdb.TYPE_BIGINT)
	if err != nil {
		return err
	}
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		return err
	}
	for name, f := range map[string]*scalar{
		"whet_event": {
			config: duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{number, number}, ResultTypeInfo: text},
			run: func(v []driver.Value) (any, error) {
				segment, _ := v[0].(int64)
				ordinal, _ := v[1].(int64)
				return r.event(segment, ordinal)
			},
		},
		"whet_operation": {
			config: duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{text}, ResultTypeInfo: text},
			run: func(v []driver.Value) (any, error) {
				context, _ := v[0].(string)
				operation, err := r.operation(context)
				if operation == "" || err != nil {
					return nil, err
				}
				return operation, nil
			},
		},
	} {
		if err := duckdb.RegisterScalarUDF(conn, name, f); err != nil {
			return fmt.Errorf("registering %s: %w", name, err)
		}
	}
	return nil
}

// scalar is a function of SQL.
type scalar struct {
	config duckdb.ScalarFuncConfig
	run    func([]driver.Value) (any, error)
}

func (s *scalar) Config() duckdb.ScalarFuncConfig { return s.config }

func (s *scalar) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: s.run}
}
