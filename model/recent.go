package model

// recent is a map that forgets: it holds the newest entries, at least half as
// many as its bound and never more.
type recent[K comparable, V any] struct {
	half      int
	now, past map[K]V
}

func newRecent[K comparable, V any](bound int) recent[K, V] {
	return recent[K, V]{half: bound / 2, now: map[K]V{}}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	if v, ok := r.now[key]; ok {
		return v, true
	}
	v, ok := r.past[key]
	return v, ok
}

func (r *recent[K, V]) put(key K, value V) {
	if len(r.now) >= r.half {
		r.past, r.now = r.now, make(map[K]V, r.half)
	}
	r.now[key] = value
}
