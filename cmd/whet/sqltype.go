package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// isNumber tells the types of SQL whose values stand at the right of a column.
func isNumber(kind string) bool {
	return strings.HasSuffix(kind, "INT") || strings.HasSuffix(kind, "INTEGER") || kind == "DOUBLE" || kind == "FLOAT" || strings.HasPrefix(kind, "DECIMAL")
}

// showSQL gives the function that makes a value of a type of SQL, as the driver
// gives it, one that says what it is: the driver has bytes for a UUID, and points
// in time for dates and times of day.
func showSQL(kind string) func(any) any {
	var show func(any) any
	switch inner, name := strings.TrimSuffix(kind, ")"), kind; {
	case strings.HasSuffix(kind, "]"):
		show = showList(showSQL(kind[:strings.LastIndexByte(kind, '[')]))
	case strings.HasPrefix(kind, "MAP("):
		parts := splitTypes(strings.TrimPrefix(inner, "MAP("))
		show = showMap(showSQL(parts[0]), showSQL(parts[len(parts)-1]))
	case strings.HasPrefix(kind, "STRUCT("):
		show = showStruct(splitTypes(strings.TrimPrefix(inner, "STRUCT(")))
	default:
		show = func(v any) any { return showScalar(name, v) }
	}
	return func(v any) any {
		if v == nil {
			return nil
		}
		return show(v)
	}
}

func showScalar(kind string, v any) any {
	switch v := v.(type) {
	case []byte:
		if id := (duckdb.UUID{}); kind == "UUID" && id.Scan(v) == nil {
			return id.String()
		}
		return hex.EncodeToString(v)
	case time.Time:
		layout := map[string]string{
			"DATE": time.DateOnly, "TIME": "15:04:05.000000", "TIMETZ": "15:04:05.000000-07:00",
			"TIMESTAMP_NS": "2006-01-02T15:04:05.000000000Z",
		}[kind]
		if layout != "" {
			return v.Format(layout)
		}
	case duckdb.Interval:
		return intervalText(v)
	}
	return v
}

// intervalText is an interval as DuckDB writes it: 1 year 2 months 3 days
// 04:05:06.789.
func intervalText(i duckdb.Interval) string {
	var parts []string
	part := func(n int32, unit string) {
		switch n {
		case 0:
		case 1, -1:
			parts = append(parts, fmt.Sprintf("%d %s", n, unit))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n, unit))
		}
	}
	part(i.Months/12, "year")
	part(i.Months%12, "month")
	part(i.Days, "day")
	if i.Micros != 0 || len(parts) == 0 {
		sign, micros := "", i.Micros
		if micros < 0 {
			sign, micros = "-", -micros
		}
		seconds := micros / 1e6
		clock := fmt.Sprintf("%s%02d:%02d:%02d", sign, seconds/3600, seconds/60%60, seconds%60)
		if rest := micros % 1e6; rest != 0 {
			clock += strings.TrimRight(fmt.Sprintf(".%06d", rest), "0")
		}
		parts = append(parts, clock)
	}
	return strings.Join(parts, " ")
}

func showList(element func(any) any) func(any) any {
	return func(v any) any {
		list, ok := v.([]any)
		if !ok {
			return v
		}
		shown := make([]any, len(list))
		for i := range list {
			shown[i] = element(list[i])
		}
		return shown
	}
}

func showMap(key, value func(any) any) func(any) any {
	return func(v any) any {
		m, ok := v.(duckdb.OrderedMap)
		if !ok {
			return v
		}
		shown := make(map[string]any, m.Len())
		for i, k := range m.Keys() {
			shown[cellText(plain(key(k)))] = value(m.Values()[i])
		}
		return shown
	}
}

// showStruct takes the fields as the type has them: a name in quotes and a type.
func showStruct(fields []string) func(any) any {
	show := map[string]func(any) any{}
	for _, f := range fields {
		// A quote within the name is doubled, so that the name ends at the first
		// one that a space follows.
		if name, kind, ok := strings.Cut(strings.TrimPrefix(f, `"`), `" `); ok {
			show[strings.ReplaceAll(name, `""`, `"`)] = showSQL(kind)
		}
	}
	return func(v any) any {
		m, ok := v.(map[string]any)
		if !ok {
			return v
		}
		shown := make(map[string]any, len(m))
		for name, value := range m {
			shown[name] = value
			if f := show[name]; f != nil {
				shown[name] = f(value)
			}
		}
		return shown
	}
}

// splitTypes splits a list of types at the commas between them.
func splitTypes(list string) []string {
	var parts []string
	depth, quoted, start := 0, false, 0
	for i, c := range []byte(list) {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(list[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(list[start:]))
}
