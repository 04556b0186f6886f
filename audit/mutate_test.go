package audit

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
)

// mutate changes an event: its tree of values, where the result is JSON again,
// or its bytes.
func mutate(random *rand.Rand, raw []byte) []byte {
	if random.IntN(4) == 0 {
		out := bytes.Clone(raw)
		at := random.IntN(len(out))
		switch random.IntN(4) {
		case 0:
			out[at] = byte(random.IntN(256))
		case 1:
			out = out[:at]
		case 2:
			out = slices.Delete(out, at, min(len(out), at+1+random.IntN(8)))
		default:
			out = slices.Insert(out, at, []byte(`{}[],:"\0ué`)[random.IntN(11)])
		}
		return out
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return raw
	}
	for range 1 + random.IntN(3) {
		v = mutateValue(random, v)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return out
}

func mutateValue(random *rand.Rand, v any) any {
	if random.IntN(8) == 0 {
		return replacement(random)
	}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		if len(keys) == 0 {
			return replacement(random)
		}
		slices.Sort(keys)
		k := keys[random.IntN(len(keys))]
		switch random.IntN(10) {
		case 0:
			delete(v, k)
		case 1:
			v[keys[random.IntN(len(keys))]] = v[k]
		default:
			v[k] = mutateValue(random, v[k])
		}
	case []any:
		if len(v) > 0 {
			i := random.IntN(len(v))
			v[i] = mutateValue(random, v[i])
		}
	default:
		return replacement(random)
	}
	return v
}

func replacement(random *rand.Rand) any {
	values := []any{
		nil, true, json.Number("0"), json.Number("-7"), json.Number("3.0"), json.Number("1e400"),
		json.Number("9007199254740993"), json.Number("4294967296"), "", "x", "\u0000\u202e<é>\U0001F600", "2026-11-23T18:21:47.774155Z",
		"2026-11-23T18:21:47+02:00", []any{}, []any{nil, "a", json.Number("5"), map[string]any{}}, map[string]any{},
		map[string]any{"name": "x", "uid": json.Number("5"), "matchLabels": map[string]any{"a": "b", "c": nil}},
		map[string]any{"k": []any{"a", "b"}, "l": []any{}, "m": nil}, []any{nil, "a"},
		"audit.k8s.io/v1beta1", "patch", "EventList", "Status",
	}
	return values[random.IntN(len(values))]
}
