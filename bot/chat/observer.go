package chat

import (
	"errors"
	"time"
)

// Observer is told how a platform fares, for an operator's figures. Its methods return at once,
// and may be called from several goroutines.
type Observer interface {
	// Acknowledged is told how long after its arrival an event was acknowledged, which may have
	// been too late.
	Acknowledged(took time.Duration)
	// Limited is told of a wait that the platform asks for.
	Limited(wait time.Duration)
	// Connected is told how many connections are up that the platform delivers over. It is not
	// called for a platform that delivers by HTTP.
	Connected(up int)
}

// NopObserver discards all observations.
type NopObserver struct{}

// Acknowledged does nothing.
func (NopObserver) Acknowledged(time.Duration) {}

// Limited does nothing.
func (NopObserver) Limited(time.Duration) {}

// Connected does nothing.
func (NopObserver) Connected(int) {}

// ErrUnavailable says that a platform was not reached, or could not serve: the same may work later.
var ErrUnavailable = errors.New("the platform cannot be reached for now")
