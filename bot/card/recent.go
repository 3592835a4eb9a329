package card

import "sync"

// recent keeps the values that were used last, by a key: at most its limit, and at least half of it.
// Several goroutines may use it at once.
type recent[K comparable, V any] struct {
	half int // of the limit

	mu sync.Mutex
	// A value that is used moves to current. When that is full, it takes the place of previous, whose
	// values are dropped.
	current, previous map[K]V
}

func newRecent[K comparable, V any](limit int) *recent[K, V] {
	return &recent[K, V]{half: limit / 2}
}

// get returns the value of a key. It makes those that it does not have; two goroutines may make the
// same one.
func (r *recent[K, V]) get(key K, produce func() V) V {
	if value, ok := r.lookup(key); ok {
		return value
	}
	value := produce()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(key, value)
	return value
}

func (r *recent[K, V]) lookup(key K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	value, ok := r.current[key]
	if ok {
		return value, true
	}
	if value, ok = r.previous[key]; ok {
		r.add(key, value)
	}
	return value, ok
}

// add adds a value to current. The caller holds the mutex.
func (r *recent[K, V]) add(key K, value V) {
	if r.current == nil || len(r.current) >= r.half {
		r.previous, r.current = r.current, make(map[K]V)
	}
	r.current[key] = value
}
