package store

import (
	"cmp"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/whet-k8s/whet/link"
)

// resolver finds what the segments say in a few bytes: the auditID of an event
// by its ordinal, and the operation of a context. What it reads it keeps, within
// bounds.
type resolver struct {
	dir              string
	events, contexts []segment

	mu   sync.Mutex
	ids  map[int64]*segmentIDs
	used []int64 // the keys of ids, the one used longest ago first

	once       sync.Once
	operations map[string]string
	err        error
}

// maxResolved bounds how many segments' auditIDs are kept, at 24 bytes an
// event.
const maxResolved = 24

// segmentIDs are the auditIDs of a segment in the order of their ordinals.
type segmentIDs struct {
	once     sync.Once
	ordinals []int64
	ids      []string // of 16 bytes, or texts
	err      error
}

// event gives the auditID of the event with an ordinal, of the segment with a
// number.
func (r *resolver) event(number, ordinal int64) (string, error) {
	if number < 0 || number >= int64(len(r.events)) {
		return "", fmt.Errorf("there is no events file %d", number)
	}
	s := r.segment(number)
	s.once.Do(func() { s.err = s.load(filepath.Join(r.dir, filepath.FromSlash(r.events[number].Path))) })
	if s.err != nil {
		return "", s.err
	}
	at, ok := slices.BinarySearch(s.ordinals, ordinal)
	if !ok {
		return "", fmt.Errorf("%s has no event %d", r.events[number].Path, ordinal)
	}
	id := s.ids[at]
	if len(id) == 16 {
		id = textUUID(id)
	}
	return id, nil
}

func (r *resolver) segment(number int64) *segmentIDs {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.used); n > 0 && r.used[n-1] == number {
		return r.ids[number]
	}
	s := r.ids[number]
	if s == nil {
		if len(r.used) >= maxResolved {
			delete(r.ids, r.used[0])
			r.used = r.used[1:]
		}
		s = new(segmentIDs)
		r.ids[number] = s
	} else {
		at := slices.Index(r.used, number)
		r.used = slices.Delete(r.used, at, at+1)
	}
	r.used = append(r.used, number)
	return s
}

func (s *segmentIDs) load(name string) error {
	t := newEventTable()
	err := readFile(name, []fileColumn{
		auditIDOf(&t.auditID), textOf("auditIDText", &t.auditID.other), wholeOf("ordinal", &t.ordinal),
	})
	if err != nil {
		return err
	}
	order := make([]int32, len(t.ordinal.numbers))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(t.ordinal.numbers[a], t.ordinal.numbers[b]) })
	for _, row := range order {
		s.ordinals = append(s.ordinals, t.ordinal.numbers[row])
		id := t.auditID.other.text(int(row))
		if id == "" {
			id = t.auditID.textColumn.text(int(row))
		}
		s.ids = append(s.ids, id)
	}
	return nil
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

// operation gives the id of a context's operation, "" where it has none.
func (r *resolver) operation(context string) (string, error) {
	r.once.Do(r.loadOperations)
	return r.operations[context], r.err
}

func (r *resolver) loadOperations() {
	r.operations = map[string]string{}
	for i := range r.contexts {
		t := newContextTable()
		if r.err = t.read(filepath.Join(r.dir, filepath.FromSlash(r.contexts[i].Path))); r.err != nil {
			return
		}
		for row := range t.rows {
			id, operation := t.ids(row)
			r.operations[id] = operation
		}
	}
}

// ids gives the ids of a context and of its operation.
func (t *contextTable) ids(row int) (id, operation string) {
	received := time.UnixMicro(t.start.numbers[row] + t.rootOffset.numbers[row])
	staged := received.Add(time.Duration(t.rootElapsed.numbers[row]) * time.Microsecond)
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
