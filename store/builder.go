package store

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"

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
	recent [16]recentText
}

// recentText is a text that was added lately.
type recentText struct {
	identity identity
	place    int32
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
	id := identityOfText(s)
	recent := &c.recent[id.slot(len(c.recent))]
	if recent.identity != id {
		at, ok := c.known[s]
		if !ok {
			// Texts in Parquet are UTF-8; a log may hold anything.
			at = c.put(s, strings.ToValidUTF8(s, "\ufffd"))
		}
		*recent = recentText{id, at}
	}
	c.index = append(c.index, recent.place)
}

func (c *textColumn) addNull() { c.index = append(c.index, none) }

// text is the text of a row, "" for NULL.
func (c *textColumn) text(row int) string {
	if at := c.index[row]; at >= 0 {
		return c.texts[at]
	}
	return ""
}

// scratch is memory for the values of one column after the other.
type scratch struct {
	index   []int32
	place   []int32
	order   []int32
	numbers []int64
	null    []bool
	doubles []float64
	texts   []string
	raw     [][]byte
}

// sized gives a slice of so many elements, in the memory of another one.
func sized[T any](s *[]T, n int) []T {
	*s = slices.Grow((*s)[:0], n)[:n]
	return *s
}

// in gives the values in the order of the file. Of a small segment the texts are
// sorted: those that begin alike then stand together, which compresses better.
func (c *textColumn) in(order []int32, m *scratch) parquetfile.Values {
	v := parquetfile.Values{Index: sized(&m.index, len(order))}
	if len(order) == len(c.index) && len(order) >= fullRows && !c.unique {
		for i, row := range order {
			v.Index[i] = c.index[row]
		}
		v.Texts = c.texts
		return v
	}
	v.Texts = m.texts[:0]
	if c.unique {
		for i, row := range order {
			v.Index[i] = none
			if at := c.index[row]; at >= 0 {
				v.Index[i] = int32(len(v.Texts))
				v.Texts = append(v.Texts, c.texts[at])
			}
		}
		m.texts = v.Texts
		return v
	}
	place := sized(&m.place, len(c.texts))
	for i := range place {
		place[i] = none
	}
	used := sized(&m.order, len(c.texts))[:0]
	for _, row := range order {
		if at := c.index[row]; at >= 0 && place[at] == none {
			place[at] = 0
			used = append(used, at)
		}
	}
	slices.SortFunc(used, func(a, b int32) int { return cmp.Compare(c.texts[a], c.texts[b]) })
	for i, at := range used {
		place[at] = int32(i)
		v.Texts = append(v.Texts, c.texts[at])
	}
	m.texts = v.Texts
	for i, row := range order {
		v.Index[i] = none
		if at := c.index[row]; at >= 0 {
			v.Index[i] = place[at]
		}
	}
	return v
}

// reset takes all rows out.
func (c *textColumn) reset() {
	clear(c.known)
	clear(c.texts)
	c.index, c.texts = c.index[:0], c.texts[:0]
	c.recent = [len(c.recent)]recentText{}
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

func (c *numberColumn) in(order []int32, m *scratch) parquetfile.Values {
	v := parquetfile.Values{Numbers: sized(&m.numbers, len(order)), Null: sized(&m.null, len(order))}
	for i, row := range order {
		v.Numbers[i], v.Null[i] = c.numbers[row], c.null[row]
	}
	return v
}

// doubles gives numbers as DOUBLE, in which whole numbers up to 2^53 are exact.
func (c *numberColumn) doubles(order []int32, m *scratch, nullable bool) parquetfile.Values {
	v := parquetfile.Values{Doubles: sized(&m.doubles, len(order))}
	for i, row := range order {
		v.Doubles[i] = float64(c.numbers[row])
	}
	if nullable {
		v.Null = sized(&m.null, len(order))
		for i, row := range order {
			v.Null[i] = c.null[row]
		}
	}
	return v
}

// shared remembers the places of lists and maps that several events share.
type shared map[identity]int32

// maxShared bounds how many are remembered, and kept.
const maxShared = 4096

func (s *shared) put(id identity, place int32) {
	if *s == nil || len(*s) >= maxShared {
		*s = shared{}
	}
	(*s)[id] = place
}

// listColumn is a column of lists of texts, as JSON.
type listColumn struct {
	textColumn
	shared shared
	line   []byte
}

func (c *listColumn) add(list []string) {
	if len(list) == 0 {
		c.addNull()
		return
	}
	id := identityOfList(list)
	place, ok := c.shared[id]
	if !ok {
		c.line = appendList(c.line[:0], list)
		place = c.bytes(c.line)
		c.shared.put(id, place)
	}
	c.index = append(c.index, place)
}

// mapColumn is a column of maps, as JSON with the keys in order.
type mapColumn[V any] struct {
	textColumn
	shared shared
	line   []byte
}

func (c *mapColumn[V]) add(m map[string]V, appendValue func([]byte, V) []byte) {
	if len(m) == 0 {
		c.addNull()
		return
	}
	c.index = append(c.index, c.placeOf(m, appendValue))
}

// placeOf gives the place of the JSON of a map.
func (c *mapColumn[V]) placeOf(m map[string]V, appendValue func([]byte, V) []byte) int32 {
	id := identityOfMap(m)
	place, ok := c.shared[id]
	if !ok {
		c.line = appendMap(c.line[:0], m, appendValue)
		place = c.bytes(c.line)
		c.shared.put(id, place)
	}
	return place
}

// forget lets go of lists, whose texts the column may not have any more.
func (c *listColumn) forget() { clear(c.shared) }

// forget lets go of maps, as of lists.
func (c *mapColumn[V]) forget() { clear(c.shared) }

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
	at := 0
	for i := 0; i < len(s); i += 2 {
		switch i {
		case 8, 13, 18, 23:
			i++
		}
		high, low := digit(s[i]), digit(s[i+1])
		if high|low > 15 {
			return id, false
		}
		id[at] = high<<4 | low
		at++
	}
	return id, true
}

// digit is the value of a hexadecimal digit in lower case, and more than 15 for
// anything else.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 255
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
	last       string     // the UUID added last, and its place
	lastPlace  int32
}

func (c *uuidColumn) add(s string) {
	switch s {
	case "":
		c.addNull()
		c.other.addNull()
		return
	case c.last:
		c.index = append(c.index, c.lastPlace)
		c.other.addNull()
		return
	}
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
	c.last, c.lastPlace = s, at
	c.index = append(c.index, at)
	c.other.addNull()
}

// binary is the value of a row: the 16 bytes of a UUID, or a text.
func (c *uuidColumn) binary(row int) string {
	if at := c.index[row]; at >= 0 {
		return c.texts[at]
	}
	return c.other.text(row)
}

// text is the text of a row, "" for NULL.
func (c *uuidColumn) text(row int) string {
	if at := c.index[row]; at >= 0 {
		return textUUID(c.texts[at])
	}
	return c.other.text(row)
}
