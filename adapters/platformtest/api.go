package platformtest

import (
	"sync"
	"time"
)

// API records the calls of a fake platform's API, and delays them or makes them fail as a test
// says. C is a call and F a fault, as the platform has them. Its zero value is ready to use.
type API[C, F any] struct {
	mu      sync.Mutex
	names   []string // of the calls, in the same order
	calls   []C
	faults  map[string][]F
	latency func(name string) time.Duration
}

// Latency sets how long every call takes, by its name.
func (a *API[C, F]) Latency(of func(name string) time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latency = of
}

// Fail makes the next calls of a name fail, one for each fault.
func (a *API[C, F]) Fail(name string, faults ...F) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.faults == nil {
		a.faults = map[string][]F{}
	}
	a.faults[name] = append(a.faults[name], faults...)
}

// Heal removes the remaining faults of a name. It removes all faults if the name is empty.
func (a *API[C, F]) Heal(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name == "" {
		clear(a.faults)
		return
	}
	delete(a.faults, name)
}

// Calls returns the calls of a name so far, in order. It returns all calls if the name is empty.
func (a *API[C, F]) Calls(name string) []C {
	a.mu.Lock()
	defer a.mu.Unlock()
	var calls []C
	for i, c := range a.calls {
		if name == "" || a.names[i] == name {
			calls = append(calls, c)
		}
	}
	return calls
}

// Begin records a call. It returns the fault set for the call, or the zero value, and how long the
// call takes.
func (a *API[C, F]) Begin(name string, call C) (fault F, latency time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names = append(a.names, name)
	a.calls = append(a.calls, call)
	if faults := a.faults[name]; len(faults) > 0 {
		fault = faults[0]
		a.faults[name] = faults[1:]
	}
	if a.latency != nil {
		latency = a.latency(name)
	}
	return fault, latency
}

// Sleep waits for d. It returns false if ended is closed first.
func Sleep(d time.Duration, ended <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ended:
		return false
	}
}
