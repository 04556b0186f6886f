package store

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/whet-k8s/whet/internal/parquetfile"
	"github.com/whet-k8s/whet/pipeline"
)

// textColumn are the values of a column of text as they come in: each distinct
// one once, and for each row its place.
type textColumn struct {
	known map[string]int32
	texts []string
	index []int32
	// unique says that the values hardly repeat, and need not be looked up.
	unique bool
}

// none is the place of a NULL.
const none = -1

// put remembers a new text under a key.
func (c *textColumn) put(key, text string) int32 {
	at := int32(len(c.texts))
	c.texts = append(c.texts, text)
	if c.unique {
		return at
	}
	if c.known == nil {
		c.known = map[string]int32{}
	}
	c.known[key] = at
	return at
}

// bytes gives the place of a text, which it copies only when it is new.
func (c *textColumn) bytes(b []byte) int32 {
	if at, ok := c.known[string(b)]; ok {
		return at
	}
	s := string(b)
	return c.put(s, strings.ToValidUTF8(s, "\ufffd"))
}

// add appends a row; "" is NULL.
func (c *textColumn) add(s string) {
	if s == "" {
		c.addNull()
		return
	}
	if n := len(c.index); n > 0 {
		// Events that follow each other often say the same.
		if last := c.index[n-1]; last >= 0 && c.texts[last] == s {
			c.index = append(c.index, last)
			return
		}
	}
	at, ok := c.known[s]
	if !ok {
		// Texts in Parquet are UTF-8; a log may hold anything.
		at = c.put(s, strings.ToValidUTF8(s, "\ufffd"))
	}
	c.index = append(c.index, at)
}

func (c *textColumn) addNull() { c.index = append(c.index, none) }

// text is the text of a row, "" for NULL.
func (c *textColumn) text(row int) string {
	if at := c.index[row]; at >= 0 {
		return c.texts[at]
	}
	return ""
}

// in gives the values in the order of the file, with the texts sorted: those
// that begin alike then stand together, which compresses better.
func (c *textColumn) in(order []int32) parquetfile.Values {
	v := parquetfile.Values{Index: make([]int32, len(order))}
	if c.unique {
		v.Texts = make([]string, 0, len(order))
		for i, row := range order {
			v.Index[i] = none
			if at := c.index[row]; at >= 0 {
				v.Index[i] = int32(len(v.Texts))
				v.Texts = append(v.Texts, c.texts[at])
			}
		}
		return v
	}
	used := make([]bool, len(c.texts))
	for _, row := range order {
		if at := c.index[row]; at >= 0 {
			used[at] = true
		}
	}
	place := make([]int32, len(c.texts))
	for _, at := range sorted(c.texts) {
		if used[at] {
			place[at] = int32(len(v.Texts))
			v.Texts = append(v.Texts, c.texts[at])
		}
	}
	for i, row := range order {
		v.Index[i] = none
		if at := c.index[row]; at >= 0 {
			v.Index[i] = place[at]
		}
	}
	return v
}

// sorted gives the places of texts in the order of the texts.
func sorted(texts []string) []int32 {
	order := make([]int32, len(texts))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(texts[a], texts[b]) })
	return order
}

// ranks gives for each row the rank of its text among the column's texts.
func (c *textColumn) ranks() []int32 {
	rank := make([]int32, len(c.texts))
	for i, at := range sorted(c.texts) {
		rank[at] = int32(i)
	}
	ranks := make([]int32, len(c.index))
	for row, at := range c.index {
		ranks[row] = none
		if at >= 0 {
			ranks[row] = rank[at]
		}
	}
	return ranks
}

// numberColumn are the values of a column of numbers.
type numberColumn struct {
	numbers []int64
	null    []bool
}

func (c *numberColumn) add(n int64) {
	c.numbers = append(c.numbers, n)
	c.null = append(c.null, false)
}

func (c *numberColumn) addNull() {
	c.numbers = append(c.numbers, 0)
	c.null = append(c.null, true)
}

// addOr adds a number, and NULL for 0.
func (c *numberColumn) addOr(n int64) {
	c.numbers = append(c.numbers, n)
	c.null = append(c.null, n == 0)
}

func (c *numberColumn) addBool(yes bool) {
	if yes {
		c.add(1)
	} else {
		c.add(0)
	}
}

func (c *numberColumn) in(order []int32) parquetfile.Values {
	v := parquetfile.Values{Numbers: make([]int64, len(order)), Null: make([]bool, len(order))}
	for i, row := range order {
		v.Numbers[i], v.Null[i] = c.numbers[row], c.null[row]
	}
	return v
}

// doubles gives numbers as DOUBLE, in which whole numbers up to 2^53 are exact.
func (c *numberColumn) doubles(order []int32) parquetfile.Values {
	v := parquetfile.Values{Doubles: make([]float64, len(order))}
	for i, row := range order {
		v.Doubles[i] = float64(c.numbers[row])
	}
	return v
}

// shared remembers what lists and maps say that several events share, by where
// they are in memory. It keeps them there.
type shared[T any] struct {
	known map[unsafe.Pointer]sharedValue[T]
}

type sharedValue[T any] struct {
	value  T
	length int
	place  int32
}

// maxShared bounds how many values are remembered.
const maxShared = 4096

func (s *shared[T]) get(at unsafe.Pointer, length int) (int32, bool) {
	v, ok := s.known[at]
	return v.place, ok && v.length == length
}

func (s *shared[T]) put(at unsafe.Pointer, value T, length int, place int32) {
	if s.known == nil || len(s.known) >= maxShared {
		s.known = map[unsafe.Pointer]sharedValue[T]{}
	}
	s.known[at] = sharedValue[T]{value, length, place}
}

// listColumn is a column of lists of texts, as JSON.
type listColumn struct {
	textColumn
	shared shared[[]string]
	line   []byte
}

func (c *listColumn) add(list []string) {
	if len(list) == 0 {
		c.addNull()
		return
	}
	at := unsafe.Pointer(unsafe.SliceData(list))
	place, ok := c.shared.get(at, len(list))
	if !ok {
		c.line = appendList(c.line[:0], list)
		place = c.bytes(c.line)
		c.shared.put(at, list, len(list), place)
	}
	c.index = append(c.index, place)
}

// mapColumn is a column of maps, as JSON with the keys in order.
type mapColumn[V any] struct {
	textColumn
	shared shared[map[string]V]
	line   []byte
}

func (c *mapColumn[V]) add(m map[string]V, appendValue func([]byte, V) []byte) {
	if len(m) == 0 {
		c.addNull()
		return
	}
	at := reflect.ValueOf(m).UnsafePointer()
	place, ok := c.shared.get(at, len(m))
	if !ok {
		c.line = appendMap(c.line[:0], m, appendValue)
		place = c.bytes(c.line)
		c.shared.put(at, m, len(m), place)
	}
	c.index = append(c.index, place)
}

func appendList(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = pipeline.AppendJSONString(b, s)
	}
	return append(b, ']')
}

func appendMap[V any](b []byte, m map[string]V, appendValue func([]byte, V) []byte) []byte {
	b = append(b, '{')
	for i, k := range sortedKeys(m) {
		if i > 0 {
			b = append(b, ',')
		}
		b = pipeline.AppendJSONString(b, k)
		b = append(b, ':')
		b = appendValue(b, m[k])
	}
	return append(b, '}')
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// binaryUUID gives the 16 bytes of a UUID that is written as RFC 9562 has it,
// in lower case.
func binaryUUID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	var digits [32]byte
	copy(digits[:], s[:8])
	copy(digits[8:], s[9:13])
	copy(digits[12:], s[14:18])
	copy(digits[16:], s[19:23])
	copy(digits[20:], s[24:])
	if bytes.ContainsAny(digits[:], "ABCDEF") {
		return id, false
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}

// textUUID writes the 16 bytes of a UUID out.
func textUUID(id string) string {
	var b [36]byte
	hex.Encode(b[:8], []byte(id[:4]))
	hex.Encode(b[9:13], []byte(id[4:6]))
	hex.Encode(b[14:18], []byte(id[6:8]))
	hex.Encode(b[19:23], []byte(id[8:10]))
	hex.Encode(b[24:], []byte(id[10:]))
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// uuidColumn is a column of texts most of which are UUIDs.
type uuidColumn struct {
	textColumn            // of 16 bytes each
	other      textColumn // what is no UUID
}

func (c *uuidColumn) add(s string) {
	id, ok := binaryUUID(s)
	if !ok {
		c.addNull()
		c.other.add(s)
		return
	}
	at, known := c.known[string(id[:])]
	if !known {
		text := string(id[:])
		at = c.put(text, text)
	}
	c.index = append(c.index, at)
	c.other.addNull()
}

// text is the text of a row, "" for NULL.
func (c *uuidColumn) text(row int) string {
	if at := c.index[row]; at >= 0 {
		return textUUID(c.texts[at])
	}
	return c.other.text(row)
}
