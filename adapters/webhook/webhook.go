// Package webhook reads deliveries that a chat platform makes by HTTP and signs. A signature covers
// the body, so that a body must be read before its sender is known. The package bounds the size,
// the time and the memory of that. It knows no platform, no way of signing and no payload.
package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"maturitybot/bot/chat/dispatch"
)

const (
	// UnreservedBytes is up to how many bytes of a delivery are read without reserving memory.
	// Nearly all deliveries are smaller, and the server bounds the number of connections, so that
	// strangers who send much do not keep others out.
	UnreservedBytes = 64 << 10
	// ReservedBytes is how many bytes all larger deliveries may take together, beyond
	// UnreservedBytes each, while they are read and their signatures are not verified.
	ReservedBytes = 16 << 20
	// MemoryTimeout is how long a delivery waits for memory before it is refused with 503.
	MemoryTimeout = 500 * time.Millisecond
	// readTimeout bounds how long a body may take to arrive.
	readTimeout = 3 * time.Second
	// initialBytes is how much memory a delivery of unknown length takes at first. It takes as much
	// again whenever that is full, so that small or slow senders take little.
	initialBytes = 4 << 10
	// announcedBytes is up to how much memory a delivery takes at first if its length was announced.
	// A press comes with the card that was pressed, which is as long as that.
	announcedBytes = 32 << 10
)

var errTooManyBodies = errors.New("too many large bodies in progress")

// Reader reads deliveries of one platform.
type Reader struct {
	largest      int64
	checkHeaders func(http.Header) error
	verify       func(h http.Header, body []byte) error
	memory       *semaphore.Weighted // in bytes, of ReservedBytes
}

// NewReader returns a Reader of deliveries of at most largest bytes. CheckHeaders returns an error
// if the headers cannot be those of a delivery that the platform has signed lately. Verify returns
// an error if the signature of a body is wrong.
func NewReader(
	largest int64,
	checkHeaders func(http.Header) error,
	verify func(h http.Header, body []byte) error,
) *Reader {
	return &Reader{
		largest:      largest,
		checkHeaders: checkHeaders,
		verify:       verify,
		memory:       semaphore.NewWeighted(ReservedBytes),
	}
}

// Read returns the body of a delivery that the platform has signed, or the status to answer with
// and the reason. It reads no body whose headers fail the check.
func (d *Reader) Read(w http.ResponseWriter, r *http.Request) (body []byte, status int, err error) {
	// Until the sender is known, the connection is not kept: else the server would read the rest of
	// the body to reach the next request.
	w.Header().Set("Connection", "close")
	if err := d.checkHeaders(r.Header); err != nil {
		return nil, http.StatusUnauthorized, err
	}
	// Where a deadline is not supported, the server has its own.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
	var allocated, reserved int // bytes
	defer func() { d.memory.Release(int64(reserved)) }()
	for from := http.MaxBytesReader(w, r.Body, d.largest); err != io.EOF; {
		if len(body) == allocated {
			more := max(firstBytes(r.ContentLength), allocated)
			if allocated+more > UnreservedBytes {
				ctx, cancel := context.WithTimeout(r.Context(), MemoryTimeout)
				err := d.memory.Acquire(ctx, int64(more))
				cancel()
				if err != nil {
					return nil, http.StatusServiceUnavailable, errTooManyBodies
				}
				reserved += more
			}
			body = slices.Grow(body, more)
			allocated += more
		}
		var n int
		n, err = from.Read(body[len(body):allocated])
		body = body[:len(body)+n]
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, http.StatusRequestEntityTooLarge, err
		}
		if err != nil && err != io.EOF {
			return nil, http.StatusBadRequest, errors.New("body incomplete")
		}
	}
	if err := d.verify(r.Header, body); err != nil {
		return nil, http.StatusUnauthorized, err
	}
	w.Header().Del("Connection")
	return body, http.StatusOK, nil
}

// firstBytes returns how much memory a delivery takes at first. The length is -1 if it is not known.
func firstBytes(length int64) int {
	if length < 0 || length >= announcedBytes {
		return initialBytes
	}
	return int(length) + 1 // with room to see that it ends
}

// Handler serves deliveries. A panic ends one delivery only, and is answered with 500 unless an
// answer was written before.
func Handler(log *slog.Logger, serve http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := false
		defer func() {
			if !served {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		defer dispatch.RecoverAndLog(log, "taking a delivery")
		serve(w, r)
		served = true
	})
}
