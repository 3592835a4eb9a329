package webhook

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// SignatureWindow is how far the time of a signature may be from this machine's clock. A delivery
// that is copied and sent again within the window is recognised by its id or signature.
const SignatureWindow = 5 * time.Minute

// CheckSignatureTime returns an error if a header does not hold a time, in seconds since 1970,
// within SignatureWindow.
func CheckSignatureTime(h http.Header, name string) error {
	seconds, err := strconv.ParseInt(h.Get(name), 10, 64)
	if err != nil {
		return errors.New("no signature timestamp")
	}
	if age := time.Since(time.Unix(seconds, 0)); age > SignatureWindow || age < -SignatureWindow {
		return errors.New("signature timestamp outside 5 minutes: replayed, or the clock is wrong")
	}
	return nil
}

// MaxRefusalsLogged is how many refused deliveries a SparseLog logs in a minute.
const MaxRefusalsLogged = 5

// SparseLog logs refused deliveries. Everybody who finds the address can cause them, so it logs
// MaxRefusalsLogged a minute, and counts the others.
type SparseLog struct {
	log *slog.Logger

	mu    sync.Mutex
	since time.Time
	lines int
}

// NewSparseLog returns a SparseLog that writes to log.
func NewSparseLog(log *slog.Logger) *SparseLog { return &SparseLog{log: log} }

// Refused logs why a delivery was refused, or counts it.
func (s *SparseLog) Refused(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	const message = "delivery refused"
	if now := time.Now(); now.Sub(s.since) >= time.Minute {
		if s.lines > MaxRefusalsLogged {
			s.log.Warn(message, "unlogged", s.lines-MaxRefusalsLogged)
		}
		s.since = now
		s.lines = 0
	}
	if s.lines++; s.lines <= MaxRefusalsLogged {
		s.log.Warn(message, "error", why)
	}
}
