package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"maturitybot/bot/chat/dispatch"
)

const (
	// reading bounds how long a delivery may take to arrive.
	reading = 3 * time.Second
	// window is how far the time of a signature may be from ours. Discord's own answers live fifteen minutes; what is copied and sent
	// again within the window is known by its id.
	window = 5 * time.Minute
	// readers is how many deliveries are read at a time, and so how much memory those may take that nobody signed: the signature is
	// over the body. What comes beyond waits for turning, and is then refused for now.
	readers = 64
	turning = 500 * time.Millisecond
)

// Handler serves the interactions endpoint. Only what Discord signed gets further than its signature; all else gets 401, as
// Discord tries when the address is saved and again later.
func (d *Discord) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := false
		defer func() {
			if !served {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		defer caught(d.log, "taking a delivery")
		d.serve(w, r)
		served = true
	})
}

func (d *Discord) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	payload, status, err := d.read(w, r)
	if err != nil {
		d.refuse(w, status, err)
		return
	}
	g, err := decodeInteraction(payload)
	if err != nil {
		d.log.Warn("interaction not understood", "error", err)
		if !errors.Is(err, errForeign) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	if said, ok := d.atOnce(r.Context(), g); ok {
		_ = write(w, said) // Discord asks again, or somebody presses again
		return
	}
	x, err := d.begin(g, payload, false)
	switch {
	case errors.Is(err, dispatch.ErrBusy):
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case err != nil:
		d.log.Error("interaction not taken", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	case x.turn.Again: // the first delivery is answered
		w.WriteHeader(http.StatusAccepted)
		return
	}
	answer := d.settle(r.Context(), x)
	if err = r.Context().Err(); err == nil {
		err = write(w, answer)
	} else {
		w.WriteHeader(http.StatusServiceUnavailable) // to nobody
	}
	d.answered(x, err)
}

// read returns the body of what Discord has signed, or the status to answer with and why. Nothing is read of what cannot be Discord's.
func (d *Discord) read(w http.ResponseWriter, r *http.Request) (body []byte, status int, err error) {
	w.Header().Set("Connection", "close") // until the body is read, or the server would read it to get at the next request
	if err := d.signed(r.Header); err != nil {
		return nil, http.StatusUnauthorized, err
	}
	turn := time.NewTimer(turning)
	defer turn.Stop()
	select {
	case d.readers <- struct{}{}:
		defer func() { <-d.readers }()
	case <-turn.C:
		return nil, http.StatusServiceUnavailable, errors.New("too much is being read")
	case <-r.Context().Done(): // nobody hears the answer
		return nil, http.StatusServiceUnavailable, errors.New("gone while it waited")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(reading)) // where that is not supported, the server's own holds
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, http.StatusRequestEntityTooLarge, err
	}
	if err != nil {
		return nil, http.StatusBadRequest, errors.New("a body that did not arrive")
	}
	w.Header().Del("Connection")
	if err := d.verify(r.Header, body); err != nil {
		return nil, http.StatusUnauthorized, err
	}
	return body, http.StatusOK, nil
}

// write answers a delivery, and returns once the answer is on its way: what follows may not overtake it.
func write(w http.ResponseWriter, r response) error {
	b, err := encode(r)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	if _, err := w.Write(b); err != nil {
		return err
	}
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// refuse turns away what Discord did not sign, or what cannot be read. A line a second tells of it: whoever sends such things may send many.
func (d *Discord) refuse(w http.ResponseWriter, status int, why error) {
	if d.complaints.Allow() {
		d.log.Warn("delivery refused", "error", why)
	}
	w.WriteHeader(status)
}

// verify says why a delivery whose headers are signed is not Discord's, or nil.
func (d *Discord) verify(h http.Header, payload []byte) error {
	signature, err := hex.DecodeString(h.Get("X-Signature-Ed25519"))
	if err != nil || !ed25519.Verify(d.key, append([]byte(h.Get("X-Signature-Timestamp")), payload...), signature) {
		return errors.New("a signature that is not Discord's")
	}
	return nil
}

// signed says why headers cannot be those of a delivery of Discord's, or nil.
func (d *Discord) signed(h http.Header) error {
	if len(d.key) != ed25519.PublicKeySize {
		return errors.New("no public key to hold it against")
	}
	if s, err := hex.DecodeString(h.Get("X-Signature-Ed25519")); err != nil || len(s) != ed25519.SignatureSize {
		return errors.New("no signature")
	}
	sent, err := strconv.ParseInt(h.Get("X-Signature-Timestamp"), 10, 64)
	if err != nil {
		return errors.New("a signature without a time")
	}
	if age := time.Since(time.Unix(sent, 0)); age > window || age < -window {
		return errors.New("a signature of another time: a copy, or this machine's clock is wrong")
	}
	return nil
}
