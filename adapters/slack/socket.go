package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat/dispatch"
)

const (
	// socketConnections is how many connections are open at once. Slack ends each one every few
	// hours, and the library closes the old one before it opens the next.
	socketConnections = 2
	// maxReconnectDelay is the longest pause of the library's before it connects again. Its pauses
	// double up to five minutes, which is longer than Slack is away; the connection is then opened
	// anew.
	maxReconnectDelay = 3 * time.Second
	// reconnectInterval is the pause before a connection is opened anew.
	reconnectInterval = 8 * time.Second
	// ackTimeout bounds how long an acknowledgement waits for a connection.
	ackTimeout = 3 * time.Second
)

// Errors that only a change on Slack's pages corrects.
var (
	errAppToken = errors.New("the Slack app token is refused: create one with the scope " +
		"connections:write under Basic Information, App-Level Tokens, at api.slack.com/apps")
	errSocketOff = errors.New("the app has Socket Mode switched off: switch it on under Socket " +
		"Mode at api.slack.com/apps, or let the bot serve HTTP")
)

// RunSocket takes deliveries by Socket Mode. It returns nil when the context ends, and an error
// that says what to change if Slack refuses the connection for good.
func (s *Slack) RunSocket(ctx context.Context) error {
	if s.options.AppToken == "" {
		return errors.New("no Slack app token: create one with the scope connections:write " +
			"under Basic Information, App-Level Tokens, at api.slack.com/apps; it begins with " +
			"xapp-")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	faults := make(chan error, socketConnections)
	var running sync.WaitGroup
	for n := range socketConnections {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := s.runConnection(ctx, s.log.With("link", n)); err != nil {
					faults <- err
					cancel()
				}
				_ = dispatch.Sleep(ctx, reconnectInterval)
			}
		})
	}
	running.Wait()
	select {
	case err := <-faults:
		return err
	default:
		return nil
	}
}

// runConnection keeps one connection open. It returns nil when the context ends, or when Slack has
// not been reached for a while, and an error if trying again is of no use.
func (s *Slack) runConnection(ctx context.Context, log *slog.Logger) error {
	dialer := &websocket.Dialer{
		HandshakeTimeout: requestTimeout, NetDialContext: s.options.Dial,
		WriteBufferSize: 32 << 10, // an answer in several frames is lost at Slack
	}
	if s.options.Dial == nil {
		dialer.Proxy = http.ProxyFromEnvironment
	}
	heard := &logTap{disconnects: make(chan string, 8), written: map[string]chan struct{}{}}
	api := slackgo.New("", slackgo.OptionAppLevelToken(string(s.options.AppToken)),
		slackgo.OptionAPIURL(s.client.base.String()), slackgo.OptionHTTPClient(s.client.http))
	client := socketmode.New(api, socketmode.OptionDialer(dialer), socketmode.OptionReadLimit(maxDeliveryBytes),
		socketmode.OptionDebug(true), socketmode.OptionLog(heard))
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	returned := make(chan error, 1)
	go func() { returned <- client.RunContext(running) }()
	// What was begun is acknowledged before the connection goes.
	var inHand sync.WaitGroup
	leave := func() {
		inHand.Wait()
		stop()
		log.Debug("socket closed", "reason", s.client.caller.Redactor.Error(cmp.Or(<-returned, context.Canceled)))
	}
	open := false
	up := func(is bool) {
		if is != open {
			open = is
			s.countConnection(is)
		}
	}
	defer up(false)
	var opened []time.Time
	for {
		select {
		case <-ctx.Done():
			leave()
			return nil
		case err := <-returned:
			stop()
			inHand.Wait()
			return fmt.Errorf("%w: %w", errAppToken, s.client.caller.Redactor.Error(err))
		case reason := <-heard.disconnects:
			log.Info("socket ended by slack", "reason", reason)
			if reason == "link_disabled" {
				leave()
				return errSocketOff
			}
		case e := <-client.Events:
			switch e.Type {
			case socketmode.EventTypeConnecting:
				up(false)
			case socketmode.EventTypeHello:
				up(true)
				seconds := e.Request.DebugInfo.ApproximateConnectionTime
				log.Info("socket open", "connections", e.Request.NumConnections,
					"lasts", time.Duration(seconds)*time.Second)
			case socketmode.EventTypeConnected:
				opened = append(opened, time.Now())
				if n := len(opened); n > 5 {
					if opened[n-1].Sub(opened[n-6]) < 30*time.Second {
						log.Warn("sockets end as soon as they open")
						leave()
						return nil
					}
					opened = opened[1:]
				}
			case socketmode.EventTypeConnectionError:
				fault, ok := e.Data.(*slackgo.ConnectionErrorEvent)
				if !ok {
					continue
				}
				err := s.client.caller.Redactor.Error(fault.ErrorObj)
				log.Warn("socket not open", "error", err, "next", fault.Backoff)
				switch code(err) {
				case "not_allowed_token_type", "missing_scope", "no_permission":
					leave()
					return fmt.Errorf("%w: %w", errAppToken, err)
				}
				if fault.Backoff > maxReconnectDelay && judge(err).Verdict != platform.Limited {
					leave()
					return nil
				}
			case socketmode.EventTypeErrorBadMessage:
				// The library reads more of a message than we need, and leaves what it cannot read
				// unacknowledged.
				var r socketmode.Request
				if bad, ok := e.Data.(*socketmode.ErrorBadMessage); ok && json.Unmarshal(bad.Message, &r) == nil {
					s.handleEnvelope(running, client, heard, &r, &inHand)
				}
			case socketmode.EventTypeEventsAPI, socketmode.EventTypeInteractive, socketmode.EventTypeSlashCommand:
				s.handleEnvelope(running, client, heard, e.Request, &inHand)
			case socketmode.EventTypeIncomingError, socketmode.EventTypeErrorWriteFailed:
				log.Info("socket fault", "kind", e.Type)
			}
		}
	}
}

// countConnection counts a socket that has opened or ended, and tells the observer.
func (s *Slack) countConnection(opened bool) {
	s.sockets.Lock()
	defer s.sockets.Unlock() // after the call, so that the observer is told in order
	if opened {
		s.sockets.open++
	} else {
		s.sockets.open--
	}
	s.options.Observer.Connected(s.sockets.open)
}

// handleEnvelope takes a delivery. Only the wait for its acknowledgement runs in another goroutine,
// so that deliveries are taken in order.
func (s *Slack) handleEnvelope(
	ctx context.Context, client *socketmode.Client, heard *logTap, r *socketmode.Request,
	inHand *sync.WaitGroup,
) {
	defer dispatch.RecoverAndLog(s.log, "taking a delivery")
	arrived := time.Now()
	if r == nil || r.EnvelopeID == "" {
		return
	}
	g, err := s.decodeEnvelope(r)
	var d *delivery
	switch {
	case err == nil:
		if d, err = s.accept(g, r.Payload); err != nil {
			s.log.Warn("delivery left for later", "error", err)
			return // Slack delivers again what nobody acknowledged
		}
	case !errors.Is(err, errForeign):
		s.log.Warn("delivery not understood", "type", r.Type, "error", err) // and acknowledged: it would come again for ever
	}
	inHand.Go(func() {
		defer dispatch.RecoverAndLog(s.log, "acknowledging a delivery")
		var payload any
		if d != nil {
			defer s.acknowledged(d, arrived)
			if faults := s.awaitHandled(ctx, d); len(faults) > 0 {
				payload = slackgo.NewErrorsViewSubmissionResponse(faults)
			}
		}
		ctx, cancel := context.WithTimeout(ctx, ackTimeout)
		defer cancel()
		written := heard.expect(r.EnvelopeID)
		defer heard.forget(r.EnvelopeID)
		if err := client.AckCtx(ctx, r.EnvelopeID, payload); err != nil {
			s.log.Warn("not acknowledged", "type", r.Type, "error", err)
			return
		}
		select { // it is in a queue of the library's
		case <-written:
		case <-ctx.Done():
		}
	})
}

// decodeEnvelope returns the user's event in an envelope, or errForeign.
func (s *Slack) decodeEnvelope(r *socketmode.Request) (inbound, error) {
	switch r.Type {
	case socketmode.RequestTypeEventsAPI:
		c, err := decodeEvent(r.Payload)
		if err != nil {
			return inbound{}, err
		}
		return s.handleCallback(c)
	case socketmode.RequestTypeInteractive:
		return decodeInteraction(r.Payload)
	case socketmode.RequestTypeSlashCommands:
		return decodeCommandJSON(r.Payload)
	}
	return inbound{}, errForeign
}

// logTap reads from the library's log what it tells nowhere else: why Slack ends a connection, and
// that an acknowledgement has been written. It writes nothing.
type logTap struct {
	disconnects chan string // reasons

	mu      sync.Mutex
	written map[string]chan struct{} // by envelope
}

// expect returns a channel that is closed once an envelope's acknowledgement has been written.
func (t *logTap) expect(envelope string) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.written[envelope]
	if c == nil {
		c = make(chan struct{})
		t.written[envelope] = c
	}
	return c
}

func (t *logTap) forget(envelope string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.written, envelope)
}

// Output is called by the library with each line of its log.
func (t *logTap) Output(_ int, line string) error {
	if quoted, ok := strings.CutPrefix(line, "Finished sending Socket Mode response with envelope ID "); ok {
		if id, err := strconv.Unquote(quoted); err == nil {
			t.mu.Lock()
			if c := t.written[id]; c != nil {
				close(c)
				delete(t.written, id)
			}
			t.mu.Unlock()
		}
		return nil
	}
	message, ok := strings.CutPrefix(line, "Received WebSocket message: ")
	if !ok || len(message) > 2048 || !strings.Contains(message, `"disconnect"`) {
		return nil
	}
	var m struct{ Type, Reason string }
	if json.Unmarshal([]byte(message), &m) == nil && m.Type == socketmode.RequestTypeDisconnect {
		select {
		case t.disconnects <- cmp.Or(m.Reason, "unknown"):
		default:
		}
	}
	return nil
}
