package slack

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat/dispatch"
)

// maxDeliveryBytes is the largest delivery that is read. A view has at most 250 KB
// (docs.slack.dev/surfaces/modals), comes back whole with what was typed into it, and is written
// into a form, where most punctuation of JSON takes three bytes.
const maxDeliveryBytes = 1 << 20

// Handler serves events, interactions and commands that Slack delivers by HTTP. It tells them apart
// by their content, so that one request URL does for all three. A delivery without Slack's
// signature is refused.
func (s *Slack) Handler() http.Handler { return webhook.Handler(s.log, s.serveHTTP) }

func (s *Slack) serveHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed)
		return
	}
	body, status, err := s.deliveries.Read(w, r)
	if err != nil {
		s.refusals.Refused(s.client.caller.Redactor.Error(err))
		if status == http.StatusServiceUnavailable || status == http.StatusBadRequest {
			w.WriteHeader(status)
		} else {
			refuse(w, status)
		}
		return
	}
	signature := r.Header.Get("X-Slack-Signature")
	if !s.replays.accept(signature) {
		s.refusals.Refused(errReplayed)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.decodeAndQueue(w, r, body, arrived) >= http.StatusInternalServerError {
		s.replays.release(signature)
	}
}

// errReplayed refuses a copy of an earlier delivery.
var errReplayed = errors.New("duplicate signature")

// verify returns an error if the signature of a delivery is not Slack's.
func (s *Slack) verify(h http.Header, body []byte) error {
	verifier, err := slackgo.NewSecretsVerifier(h, string(s.options.SigningSecret))
	if err != nil {
		return err
	}
	_, _ = verifier.Write(body) // a hash takes everything
	return verifier.Ensure()
}

// isSignature reports whether a header has the form of Slack's signature, "v0=" and 64 hexadecimal
// digits.
func isSignature(header string) bool {
	digits, ok := strings.CutPrefix(header, "v0=")
	return ok && len(digits) == 64 && strings.Trim(digits, "0123456789abcdef") == ""
}

// checkHeaders returns an error if the headers cannot be those of a delivery that Slack has signed
// lately.
func checkHeaders(h http.Header) error {
	if !isSignature(h.Get("X-Slack-Signature")) {
		return errors.New("no signature")
	}
	return webhook.CheckSignatureTime(h, "X-Slack-Request-Timestamp")
}

// refuse answers a delivery that Slack is not to send again.
func refuse(w http.ResponseWriter, status int) int {
	w.Header().Set("X-Slack-No-Retry", "1")
	w.WriteHeader(status)
	return status
}

// decodeAndQueue queues the event in a signed body, answers the delivery, and returns the status.
func (s *Slack) decodeAndQueue(
	w http.ResponseWriter, r *http.Request, body []byte, arrived time.Time,
) int {
	var g inbound
	var payload []byte
	var err error
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		var c callback
		if c, err = decodeEvent(body); err == nil {
			if c.kind == callbackChallenge {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				_, _ = io.WriteString(w, c.challenge)
				return http.StatusOK
			}
			g, err = s.handleCallback(c)
		}
	} else {
		var form url.Values
		switch payload, form, err = decodeForm(body); {
		case err != nil:
		case payload != nil:
			g, err = decodeInteraction(payload)
		default:
			g, err = decodeCommand(form) // Slack's check of the certificate comes as one, and is foreign
		}
	}
	switch {
	case errors.Is(err, errIgnored):
		return writeAck(w, nil)
	case err != nil:
		s.log.Warn("delivery not understood", "error", err)
		return refuse(w, http.StatusBadRequest)
	}
	d, err := s.enqueue(g, payload)
	if errors.Is(err, dispatch.ErrBusy) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return http.StatusServiceUnavailable
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return http.StatusInternalServerError
	}
	defer s.acknowledged(d, arrived)
	return writeAck(w, s.awaitHandled(r.Context(), d))
}

// writeAck answers a delivery, and returns once the answer is sent.
func writeAck(w http.ResponseWriter, faults map[string]string) int {
	var body []byte
	if len(faults) > 0 {
		body, _ = json.Marshal(slackgo.NewErrorsViewSubmissionResponse(faults)) // of strings alone
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body)
	// A writer that cannot flush writes when the handler returns.
	_ = http.NewResponseController(w).Flush()
	return http.StatusOK
}

// handleCallback logs an event that concerns the operator, drops a profile that has changed, and
// returns the user's event, or errIgnored.
func (s *Slack) handleCallback(c callback) (inbound, error) {
	log := s.log
	switch {
	case c.team != "":
		log = log.With("workspace", c.team)
	case c.enterprise != "":
		log = log.With("organisation", c.enterprise)
	}
	if len(c.teams) > 0 {
		log = log.With("workspaces", c.teams)
	}
	switch c.kind {
	case callbackUserEvent:
		return c.inbound, nil
	case callbackUser:
		s.profiles.forget(c.user)
	case callbackUninstalled:
		log.Error("the app was uninstalled, or its token revoked: install it again at api.slack.com/apps")
	case callbackGranted:
		log.Info("the app was given access to workspaces")
	case callbackRevoked:
		log.Error("the app lost access to workspaces: their people cannot use the bot")
	case callbackLimited:
		log.Error("slack holds events back: there were more than 30,000 in an hour")
	}
	return inbound{}, errIgnored
}

// replayFilter remembers the signatures of the last minutes. An older copy fails to verify. A
// signature is kept as eight bytes of an HMAC that only Slack and the bot can make.
type replayFilter struct {
	mu                sync.Mutex
	current, previous map[uint64]struct{}
	since             time.Time // when current was begun
}

// maxReplays bounds each of the two sets. If one is full before its time, the older set is dropped.
// A copy of a dropped delivery is recognised by its event's id.
const maxReplays = 1 << 18

func signatureKey(signature string) uint64 {
	raw, _ := hex.DecodeString(strings.TrimPrefix(signature, "v0="))
	if len(raw) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(raw)
}

// accept returns true for a signature that is new, and remembers it.
func (r *replayFilter) accept(signature string) bool {
	key := signatureKey(signature)
	r.mu.Lock()
	defer r.mu.Unlock()
	// A time may lie as far in the future as in the past, so a copy can be good for twice the
	// window.
	now := time.Now()
	old := now.Sub(r.since) > 2*webhook.SignatureWindow
	if r.current == nil || old || len(r.current) >= maxReplays {
		r.previous = r.current
		r.current = map[uint64]struct{}{}
		r.since = now
	}
	_, recent := r.current[key]
	_, older := r.previous[key]
	if recent || older {
		return false
	}
	r.current[key] = struct{}{}
	return true
}

// release forgets a signature, so that it is accepted again.
func (r *replayFilter) release(signature string) {
	key := signatureKey(signature)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.current, key)
	delete(r.previous, key)
}
