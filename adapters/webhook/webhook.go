// Package webhook takes in what a chat platform delivers by HTTP and has signed. The signature is over the body, so a body has to be
// read before anybody knows whose it is: that is bounded in size, in time and in number. It does not know any platform, how one
// signs, or what a delivery says.
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
	// Small is up to how many bytes a delivery is read without waiting for room, as nearly all are: the server bounds how many
	// connections there are, so strangers who send much keep no press out.
	Small = 64 << 10
	// Room is how many bytes larger deliveries may take together, beyond Small each, while they are being read and it is not known
	// whether the platform has signed them. One that needs more while there is none waits for Turning, and is then refused for now.
	Room    = 16 << 20
	Turning = 500 * time.Millisecond
	// arriving bounds how long a delivery may take to arrive.
	arriving = 3 * time.Second
	// first is how much room a delivery takes to begin with, and then as much again as has arrived: whoever says little, however
	// slowly and however often, keeps nobody out.
	first = 4 << 10
)

// Reader reads deliveries of one platform.
type Reader struct {
	largest   int64
	plausible func(http.Header) error
	verify    func(h http.Header, body []byte) error
	room      *semaphore.Weighted // in bytes
}

// NewReader makes a reader of deliveries of at most so many bytes. Plausible says why headers cannot be those of a delivery that the platform
// has signed, and lately; verify why a delivery with plausible headers is not the platform's; both say nil where nothing is wrong.
func NewReader(largest int64, plausible func(http.Header) error, verify func(h http.Header, body []byte) error) *Reader {
	return &Reader{largest: largest, plausible: plausible, verify: verify, room: semaphore.NewWeighted(Room)}
}

// Read returns the body of what the platform has signed, or the status to answer with and why. Nothing is read of what cannot be the
// platform's.
func (d *Reader) Read(w http.ResponseWriter, r *http.Request) (body []byte, status int, err error) {
	// Until it is known who sent it: else the server would read the rest of the body to get at the next request, and strangers
	// would keep connections.
	w.Header().Set("Connection", "close")
	if err := d.plausible(r.Header); err != nil {
		return nil, http.StatusUnauthorized, err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(arriving)) // where that is not supported, the server's own holds
	var held, room int                                                          // bytes allocated, and how many of them were acquired
	defer func() { d.room.Release(int64(room)) }()
	for from := http.MaxBytesReader(w, r.Body, d.largest); err != io.EOF; {
		if len(body) == held {
			more := max(first, held)
			if held+more > Small {
				turn, stop := context.WithTimeout(r.Context(), Turning)
				err := d.room.Acquire(turn, int64(more))
				stop()
				if err != nil {
					return nil, http.StatusServiceUnavailable, errors.New("too much is being read")
				}
				room += more
			}
			body, held = slices.Grow(body, more), held+more
		}
		var n int
		n, err = from.Read(body[len(body):held])
		body = body[:len(body)+n]
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, http.StatusRequestEntityTooLarge, err
		}
		if err != nil && err != io.EOF {
			return nil, http.StatusBadRequest, errors.New("a body that did not arrive")
		}
	}
	if err := d.verify(r.Header, body); err != nil {
		return nil, http.StatusUnauthorized, err
	}
	w.Header().Del("Connection")
	return body, http.StatusOK, nil
}

// Handler serves deliveries. A panic ends one of them only, and is answered with 500 unless something was answered before.
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
