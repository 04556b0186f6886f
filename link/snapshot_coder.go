package link

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/google/uuid"
)

// coder writes values to a snapshot, or reads them from one. What a value is
// made of is named in one function that serves both ways, so that the two
// cannot differ (snapshot_state.go, snapshot_event.go).
//
// Numbers are varints. A text, and a node that pointers lead to, is written
// where it is met first, and from then on by its number: 0 is a nil pointer,
// and a number one above the largest so far is a new one. Thus what is read
// is never larger than a multiple of the file.
type coder struct {
	out io.Writer // nil when reading
	buf []byte    // what is still to be written, or read
	err error
	// size is the length of all that is read.
	size int

	numbers map[string]uint64
	texts   []string
	// labels are the maps that several events share.
	labelNumbers map[unsafe.Pointer]uint64
	labels       []map[string]string
	// at is the time coded last; the next one is coded as the difference.
	at micros
}

// flushBytes is how much is collected before it is written.
const flushBytes = 1 << 16

var (
	errSnapshotCut = errors.New("it ends too early")
	errNoUUID      = errors.New("no UUID in lower case")
)

func (c *coder) reading() bool { return c.out == nil }

func (c *coder) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
	c.buf = nil
}

func (c *coder) flush() {
	if c.err == nil && len(c.buf) > 0 {
		_, c.err = c.out.Write(c.buf)
	}
	c.buf = c.buf[:0]
}

// number codes a whole number from 0.
func (c *coder) number(v *uint64) {
	if !c.reading() {
		c.buf = binary.AppendUvarint(c.buf, *v)
		if len(c.buf) > flushBytes {
			c.flush()
		}
		return
	}
	got, n := binary.Uvarint(c.buf)
	switch {
	case n == 0:
		c.fail("%w", errSnapshotCut)
		*v = 0
		return
	case n < 0:
		c.fail("a number in it has more than 64 bits")
		*v = 0
		return
	}
	c.buf = c.buf[n:]
	*v = got
}

// signed codes a whole number of any sign.
func (c *coder) signed(v *int64) {
	u := uint64(*v)<<1 ^ uint64(*v>>63)
	c.number(&u)
	*v = int64(u>>1) ^ -int64(u&1)
}

// whole codes a number of any integer type, and refuses one that does not fit.
func whole[T ~int | ~int32 | ~int64](c *coder, v *T) {
	wide := int64(*v)
	c.signed(&wide)
	*v = T(wide)
	if int64(*v) != wide {
		c.fail("the number %d in it is too large for its place", wide)
	}
}

// small codes a number of a small unsigned type.
func small[T ~uint8 | ~uint16](c *coder, v *T) {
	wide := uint64(*v)
	c.number(&wide)
	*v = T(wide)
	if uint64(*v) != wide {
		c.fail("the number %d in it is too large for its place", wide)
	}
}

// flag codes yes or no.
func (c *coder) flag(v *bool) {
	var n uint64
	if *v {
		n = 1
	}
	c.number(&n)
	if n > 1 {
		c.fail("a value of yes or no in it is %d", n)
	}
	*v = n == 1
}

// float codes a number bit by bit.
func (c *coder) float(v *float64) {
	bits := math.Float64bits(*v)
	c.number(&bits)
	*v = math.Float64frombits(bits)
}

// micros codes a time. Times that follow one another are close together.
func (c *coder) micros(v *micros) {
	d := *v - c.at
	c.signed(&d)
	c.at += d
	*v = c.at
}

// clock codes a time.Time in UTC, to the nanosecond.
func (c *coder) clock(v *time.Time) {
	seconds, nanos := v.Unix(), int64(v.Nanosecond())
	c.signed(&seconds)
	c.signed(&nanos)
	if !c.reading() {
		return
	}
	if nanos < 0 || nanos >= int64(time.Second) {
		c.fail("a time in it has %d nanoseconds", nanos)
		return
	}
	*v = time.Unix(seconds, nanos).UTC()
}

// bytes takes so many bytes of what is read.
func (c *coder) bytes(n uint64) []byte {
	if n > uint64(len(c.buf)) {
		c.fail("%w", errSnapshotCut)
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

// text codes a text that other places are likely to hold too.
func text[T ~string](c *coder, v *T) {
	if c.reading() {
		*v = T(c.readText())
		return
	}
	if *v == "" {
		c.buf = append(c.buf, 0)
		return
	}
	number, known := c.numbers[string(*v)]
	if !known {
		number = uint64(len(c.numbers)) + 1
		c.numbers[string(*v)] = number
	}
	c.number(&number)
	if !known {
		c.inline(string(*v))
	}
}

func (c *coder) readText() string {
	var number uint64
	c.number(&number)
	switch {
	case c.err != nil || number == 0:
		return ""
	case number <= uint64(len(c.texts)):
		return c.texts[number-1]
	case number > uint64(len(c.texts))+1:
		c.fail("it refers to text %d before it comes", number)
		return ""
	}
	s := c.readInline()
	c.texts = append(c.texts, s)
	return s
}

func (c *coder) inline(s string) {
	length := uint64(len(s))
	c.number(&length)
	c.buf = append(c.buf, s...)
}

func (c *coder) readInline() string {
	var length uint64
	c.number(&length)
	return string(c.bytes(length))
}

// id codes a text that is a UUID as a rule, in 17 bytes.
func (c *coder) id(v *string) {
	if c.reading() {
		c.readID(v)
		return
	}
	var parsed uuid.UUID
	err := errNoUUID
	if len(*v) == 2*len(parsed)+4 && !strings.ContainsAny(*v, "ABCDEF") {
		parsed, err = uuid.Parse(*v)
	}
	if err != nil {
		c.buf = append(c.buf, 0)
		text(c, v)
		return
	}
	c.buf = append(append(c.buf, 1), parsed[:]...)
}

func (c *coder) readID(v *string) {
	kind := c.bytes(1)
	switch {
	case kind == nil:
		*v = ""
	case kind[0] == 0:
		text(c, v)
	case kind[0] == 1:
		if raw := c.bytes(uint64(len(uuid.UUID{}))); raw != nil {
			*v = uuid.UUID(raw).String()
		}
	default:
		c.fail("an id in it is of kind %d", kind[0])
	}
}

// list codes a slice; one that is nil stays so.
func list[T any](c *coder, v *[]T, item func(*T)) {
	if !c.reading() {
		length := uint64(0)
		if *v != nil {
			length = uint64(len(*v)) + 1
		}
		c.number(&length)
		for i := range *v {
			item(&(*v)[i])
		}
		return
	}
	var length uint64
	c.number(&length)
	*v = nil
	if length == 0 {
		return
	}
	length--
	*v = make([]T, 0, min(length, uint64(len(c.buf))/8))
	for range length {
		if c.err != nil {
			return
		}
		var got T
		item(&got)
		*v = append(*v, got)
	}
}

// mapping codes a map in the order of its keys. A map that is read is never nil.
func mapping[K comparable, V any](c *coder, v *map[K]V, order func(a, b K) int, key func(*K), value func(*V)) {
	length := uint64(len(*v))
	c.number(&length)
	if !c.reading() {
		keys := slices.AppendSeq(make([]K, 0, len(*v)), maps.Keys(*v))
		slices.SortFunc(keys, order)
		for _, k := range keys {
			got := (*v)[k]
			key(&k)
			value(&got)
		}
		return
	}
	got := make(map[K]V, min(length, uint64(len(c.buf))/16))
	*v = got
	for range length {
		var k K
		var one V
		key(&k)
		value(&one)
		if c.err != nil {
			return
		}
		got[k] = one
	}
}

// texts codes a list of texts.
func texts(c *coder, v *[]string) { list(c, v, func(s *string) { text(c, s) }) }

// labels codes a map of texts; one that is nil stays so, and one that is shared
// is written once.
func labels(c *coder, v *map[string]string) {
	var number uint64
	if !c.reading() && *v != nil {
		number = c.labelNumbers[reflect.ValueOf(*v).UnsafePointer()]
		if number == 0 {
			number = uint64(len(c.labels)) + 1
		}
	}
	c.number(&number)
	switch known := uint64(len(c.labels)); {
	case c.err != nil || number == 0:
		return
	case number > known+1:
		c.fail("it refers to labels %d before they come", number)
		return
	case number <= known:
		*v = c.labels[number-1]
		return
	}
	mapping(c, v, cmp.Compare[string], func(s *string) { text(c, s) }, func(s *string) { text(c, s) })
	c.labels = append(c.labels, *v)
	if !c.reading() {
		c.labelNumbers[reflect.ValueOf(*v).UnsafePointer()] = number
	}
}

// optional codes a value that may be missing.
func optional[T any](c *coder, v **T, value func(*T)) {
	there := *v != nil
	c.flag(&there)
	if !there || c.err != nil {
		return
	}
	if c.reading() {
		*v = new(T)
	}
	value(*v)
}

// nodes are the values of one type that pointers lead to.
type nodes[T any] struct {
	what    string
	numbers map[*T]uint64
	list    []*T
	// done is how many of the list are coded.
	done int
	// least is how many bytes one takes at least, so that a file which
	// promises more than it can hold is refused.
	least int
}

func newNodes[T any](what string, least int) nodes[T] {
	return nodes[T]{what: what, least: least, numbers: map[*T]uint64{}}
}

// ref codes a pointer, which may be nil.
func ref[T any](c *coder, n *nodes[T], v **T) {
	if c.reading() {
		readRef(c, n, v)
		return
	}
	var number uint64
	if *v != nil {
		number = n.numbers[*v]
		if number == 0 {
			n.list = append(n.list, *v)
			number = uint64(len(n.list))
			n.numbers[*v] = number
		}
	}
	c.number(&number)
}

func readRef[T any](c *coder, n *nodes[T], v **T) {
	var number uint64
	c.number(&number)
	*v = nil
	switch known := uint64(len(n.list)); {
	case c.err != nil || number == 0:
		return
	case number > known+1:
		c.fail("it refers to %s %d before it comes", n.what, number)
		return
	case number == known+1:
		if len(n.list)*n.least > c.size {
			c.fail("it has no room for the %d of %s that it speaks of", number, n.what)
			return
		}
		n.list = append(n.list, new(T))
	}
	*v = n.list[number-1]
}

// need codes a pointer that must not be nil.
func need[T any](c *coder, n *nodes[T], v **T) {
	ref(c, n, v)
	if *v == nil {
		c.fail("it lacks a reference to %s", n.what)
	}
}

// drain codes the nodes that were met and are not coded yet, and tells
// whether there was one.
func drain[T any](c *coder, n *nodes[T], value func(*T)) bool {
	begun := n.done
	for n.done < len(n.list) && c.err == nil {
		value(n.list[n.done])
		n.done++
	}
	return n.done > begun
}
