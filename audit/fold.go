package audit

import (
	"reflect"
	"strings"
	"unicode/utf8"
)

// memberNames are the names of the wire types' members.
var memberNames = newNameTable(reflect.TypeFor[wireEvent[*wireBody]]())

// nameTable finds the known name that another one equals but for its case, as
// encoding/json does.
type nameTable struct {
	names   []string
	buckets [256][]string // by nameBucket
}

func newNameTable(t reflect.Type) *nameTable {
	table := &nameTable{}
	seen := map[string]bool{}
	table.collect(t, seen)
	return table
}

// collect takes the names of a struct's fields, all the way down.
func (t *nameTable) collect(typ reflect.Type, seen map[string]bool) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice:
		t.collect(typ.Elem(), seen)
	case reflect.Struct:
		for i := range typ.NumField() {
			field := typ.Field(i)
			if name := field.Tag.Get("json"); name != "" && !seen[name] {
				seen[name] = true
				t.names = append(t.names, name)
				bucket := nameBucket(name)
				t.buckets[bucket] = append(t.buckets[bucket], name)
			}
			t.collect(field.Type, seen)
		}
	}
}

// nameBucket is the same for names of ASCII that differ only in case.
func nameBucket(name string) byte {
	n := len(name)
	return byte(n)<<3 ^ name[0]&31 ^ name[n-1]&31<<2 ^ name[n/2]&31<<1
}

// canonical gives the known name that a name equals but for its case, and the
// name itself where there is none.
func (t *nameTable) canonical(name string) string {
	if name == "" {
		return ""
	}
	for _, known := range t.buckets[nameBucket(name)] {
		if known == name || strings.EqualFold(known, name) {
			return known
		}
	}
	// Two characters beyond ASCII, ſ and the Kelvin sign, are s and k in
	// another case, so that the bytes tell nothing.
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return t.foreign(name)
		}
	}
	return name
}

func (t *nameTable) foreign(name string) string {
	for _, known := range t.names {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return name
}
