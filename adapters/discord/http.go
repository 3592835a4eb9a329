package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat/dispatch"
)

// Handler serves the interactions endpoint. A delivery without Discord's signature is answered with
// 401, which Discord tests when the address is saved, and again later.
func (d *Discord) Handler() http.Handler { return webhook.Handler(d.log, d.serve) }

func (d *Discord) serve(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	payload, status, err := d.deliveries.Read(w, r)
	if err != nil {
		d.refusals.Refused(err)
		w.WriteHeader(status)
		return
	}
	g, err := decodeInteraction(payload, d.options.Commands)
	if err != nil {
		d.log.Warn("interaction not understood", "error", err)
		if !errors.Is(err, errForeign) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	if said, ok := d.immediateResponse(r.Context(), g); ok {
		_ = write(w, said) // Discord asks again, or the user presses again
		return
	}
	x, err := d.accept(g, payload, arrived, false)
	switch {
	case errors.Is(err, dispatch.ErrBusy):
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case err != nil:
		d.log.Error("interaction not accepted", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	case x.ticket.Duplicate: // the first delivery is answered
		w.WriteHeader(http.StatusAccepted)
		return
	}
	answer := d.awaitResponse(r.Context(), x)
	if err = r.Context().Err(); err == nil {
		err = write(w, answer)
	} else {
		w.WriteHeader(http.StatusServiceUnavailable) // Discord has gone
	}
	d.responded(x, err)
}

// write answers a delivery, and returns once the answer is sent, so that later calls do not
// overtake it.
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
	err = http.NewResponseController(w).Flush()
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// verifier checks that a delivery by HTTP is Discord's. Without a public key, none is.
type verifier struct{ key ed25519.PublicKey }

// body returns an error if the signature of a delivery is not Discord's.
func (v verifier) body(h http.Header, payload []byte) error {
	signature, err := hex.DecodeString(h.Get("X-Signature-Ed25519"))
	signed := append([]byte(h.Get("X-Signature-Timestamp")), payload...)
	if err != nil || !ed25519.Verify(v.key, signed, signature) {
		return errors.New("a signature that is not Discord's")
	}
	return nil
}

// headers returns an error if the headers cannot be those of a delivery of Discord's.
func (v verifier) headers(h http.Header) error {
	if len(v.key) != ed25519.PublicKeySize {
		return errors.New("no public key to check the signature with")
	}
	signature, err := hex.DecodeString(h.Get("X-Signature-Ed25519"))
	if err != nil || len(signature) != ed25519.SignatureSize {
		return errors.New("no signature")
	}
	return webhook.CheckSignatureTime(h, "X-Signature-Timestamp")
}
