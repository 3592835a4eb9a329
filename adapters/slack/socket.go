package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
	// burstConnections is how many connections may follow each other within burstInterval. If there
	// are more, Slack ends each as soon as it opens, and the link pauses for reconnectInterval.
	burstConnections = 5
	burstInterval    = 30 * time.Second
	// ackTimeout bounds how long an acknowledgement waits for a place in the library's queue, which
	// is full only if there is no connection.
	ackTimeout = 3 * time.Second
	// ackFlushDelay is how long a connection stays open after the last acknowledgement was queued.
	// The library writes what is queued at once, and does not say when it has.
	ackFlushDelay = 200 * time.Millisecond
)

// Errors that only a change on Slack's pages corrects.
var (
	errNoAppToken = errors.New("no Slack app token: create one with the scope connections:write " +
		"under Basic Information, App-Level Tokens, at api.slack.com/apps; it begins with xapp-")
	errAppToken = errors.New("the Slack app token is refused: create one with the scope " +
		"connections:write under Basic Information, App-Level Tokens, at api.slack.com/apps")
	errSocketOff = errors.New("the app has Socket Mode switched off: switch it on under Socket " +
		"Mode at api.slack.com/apps, or let the bot serve HTTP")
)

// RunSocket takes deliveries by Socket Mode. It returns nil when the context ends, and an error
// that says what to change if Slack refuses the connection for good.
func (s *Slack) RunSocket(ctx context.Context) error {
	if s.options.AppToken == "" {
		return errNoAppToken
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	faults := make(chan error, socketConnections)
	var running sync.WaitGroup
	for n := range socketConnections {
		running.Go(func() {
			l := &link{slack: s, log: s.log.With("link", n)}
			for ctx.Err() == nil {
				if err := l.run(ctx); err != nil {
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

// link is one of the connections to Slack.
type link struct {
	slack  *Slack
	log    *slog.Logger
	client *socketmode.Client // of the present run
	// inHand are the deliveries that are not acknowledged yet.
	inHand sync.WaitGroup
	open   bool        // between a hello and the end of a connection
	opened []time.Time // when the last connections were opened
	// off is what Slack said of Socket Mode when it last gave out an address: that it is off.
	off   atomic.Bool
	wasOn bool // off was false for an earlier connection
}

// run keeps the link open. It returns nil when the context ends, or when Slack has not been reached
// for a while, and an error if trying again is of no use.
func (l *link) run(ctx context.Context) error {
	l.client = l.newClient()
	l.opened = nil
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	returned := make(chan error, 1)
	go func() { returned <- l.client.RunContext(running) }()
	defer l.setOpen(false)
	for {
		select {
		case <-ctx.Done():
			l.inHand.Wait()
			_ = dispatch.Sleep(running, ackFlushDelay)
			l.close(stop, returned)
			return nil
		case err := <-returned:
			stop()
			l.inHand.Wait()
			return fmt.Errorf("%w: %w", errAppToken, l.redact(err))
		case e := <-l.client.Events:
			if end, err := l.handle(running, e); end {
				l.close(stop, returned)
				return err
			}
		}
	}
}

// newClient returns a client of the library's that is not connected.
func (l *link) newClient() *socketmode.Client {
	s := l.slack
	dialer := &websocket.Dialer{
		HandshakeTimeout: requestTimeout,
		NetDialContext:   s.options.Dial,
		WriteBufferSize:  32 << 10, // an answer in several frames is lost at Slack
	}
	if s.options.Dial == nil {
		dialer.Proxy = http.ProxyFromEnvironment
	}
	api := slackgo.New("",
		slackgo.OptionAppLevelToken(string(s.options.AppToken)),
		slackgo.OptionAPIURL(s.client.base.String()),
		slackgo.OptionHTTPClient(addressReader{s.client.http, &l.off}),
	)
	return socketmode.New(api,
		socketmode.OptionDialer(dialer), socketmode.OptionReadLimit(maxDeliveryBytes))
}

// close ends the connection, once every delivery that was taken has been acknowledged or given up.
func (l *link) close(stop func(), returned <-chan error) {
	l.inHand.Wait()
	stop()
	err := cmp.Or(<-returned, context.Canceled)
	l.log.Debug("socket closed", "reason", l.redact(err))
}

func (l *link) redact(err error) error { return l.slack.client.caller.Redactor.Error(err) }

// handle handles an event of the library's. It returns true if the run is to end, and the error if
// another one is of no use.
func (l *link) handle(running context.Context, e socketmode.Event) (end bool, err error) {
	switch e.Type {
	case socketmode.EventTypeConnecting:
		if l.open {
			l.log.Info("socket ended, reconnecting")
		}
		l.setOpen(false)
	case socketmode.EventTypeConnected:
		return l.handleConnected()
	case socketmode.EventTypeHello:
		l.setOpen(true)
		seconds := e.Request.DebugInfo.ApproximateConnectionTime
		l.log.Info("socket open", "connections", e.Request.NumConnections,
			"lasts", time.Duration(seconds)*time.Second)
	case socketmode.EventTypeConnectionError:
		if fault, ok := e.Data.(*slackgo.ConnectionErrorEvent); ok {
			return l.handleConnectionError(fault)
		}
	case socketmode.EventTypeErrorBadMessage:
		// The library reads more of a message than we need, and leaves what it cannot read
		// unacknowledged.
		var r socketmode.Request
		bad, ok := e.Data.(*socketmode.ErrorBadMessage)
		if ok && json.Unmarshal(bad.Message, &r) == nil {
			l.handleEnvelope(running, &r)
		}
	case socketmode.EventTypeEventsAPI, socketmode.EventTypeInteractive,
		socketmode.EventTypeSlashCommand:
		l.handleEnvelope(running, e.Request)
	case socketmode.EventTypeIncomingError:
		if fault, ok := e.Data.(*slackgo.IncomingEventError); ok {
			l.log.Info("socket not readable", "error", l.redact(fault.ErrorObj))
		}
	case socketmode.EventTypeErrorWriteFailed:
		if fault, ok := e.Data.(*socketmode.ErrorWriteFailed); ok {
			l.log.Info("acknowledgement not written", "error", l.redact(fault.Cause))
		}
	}
	return false, nil
}

// handleConnected ends the run if connections end as soon as they open, or if Socket Mode was
// switched off since an earlier one.
func (l *link) handleConnected() (end bool, err error) {
	if l.off.Load() {
		if l.wasOn {
			return true, errSocketOff
		}
		l.log.Warn("socket mode is switched off in slack", "error", errSocketOff)
	} else {
		l.wasOn = true
	}
	l.opened = append(l.opened, time.Now())
	if n := len(l.opened); n > burstConnections {
		if l.opened[n-1].Sub(l.opened[0]) < burstInterval {
			l.log.Warn("sockets end as soon as they open")
			return true, nil
		}
		l.opened = l.opened[1:]
	}
	return false, nil
}

// handleConnectionError ends the run if Slack refuses the app token, or if the library would pause
// for too long.
func (l *link) handleConnectionError(fault *slackgo.ConnectionErrorEvent) (end bool, err error) {
	err = l.redact(fault.ErrorObj)
	l.log.Warn("socket not open", "error", err, "next", fault.Backoff)
	switch code(err) {
	case "not_allowed_token_type", "missing_scope", "no_permission":
		return true, fmt.Errorf("%w: %w", errAppToken, err)
	}
	return fault.Backoff > maxReconnectDelay && judge(err).Verdict != platform.Limited, nil
}

// setOpen counts the link among the open ones, or no longer, and tells the observer.
func (l *link) setOpen(open bool) {
	if open == l.open {
		return
	}
	l.open = open
	s := l.slack
	s.sockets.Lock()
	defer s.sockets.Unlock() // after the call, so that the observer is told in order
	if open {
		s.sockets.open++
	} else {
		s.sockets.open--
	}
	s.options.Observer.Connected(s.sockets.open)
}

// handleEnvelope takes a delivery. Only the wait for its acknowledgement runs in another goroutine,
// so that deliveries are taken in order. An acknowledgement that is lost with its connection is not
// repeated: where Slack delivers again, the second delivery is recognised.
func (l *link) handleEnvelope(ctx context.Context, r *socketmode.Request) {
	s := l.slack
	defer dispatch.RecoverAndLog(s.log, "taking a delivery")
	arrived := time.Now()
	if r == nil || r.EnvelopeID == "" {
		return
	}
	in, err := s.decodeEnvelope(r)
	var d *delivery
	switch {
	case err == nil:
		if d, err = s.enqueue(in, r.Payload); err != nil {
			s.log.Warn("delivery postponed", "error", err)
			return // not acknowledged: Slack delivers again, or shows the person that it failed
		}
	case !errors.Is(err, errIgnored):
		// It is acknowledged, or it would come again for ever.
		s.log.Warn("delivery not understood", "type", r.Type, "error", err)
	}
	client := l.client
	l.inHand.Go(func() {
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
		if err := client.AckCtx(ctx, r.EnvelopeID, payload); err != nil {
			s.log.Warn("not acknowledged", "type", r.Type, "error", err)
		}
	})
}

// decodeEnvelope returns the user's event in an envelope, or errIgnored.
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
	return inbound{}, errIgnored
}

// addressReader requests the address to connect to, and reads the part of the response that the
// library drops. Slack returns an address even if Socket Mode is off, and says so only in a message
// there. TestSocketModeDisabled needs it.
type addressReader struct {
	client *http.Client
	off    *atomic.Bool
}

// maxAddressBytes bounds an answer that gives out an address. It has some hundred bytes.
const maxAddressBytes = 64 << 10

// Do makes a request, and reads whether Socket Mode is off.
func (a addressReader) Do(req *http.Request) (*http.Response, error) {
	res, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAddressBytes))
	_ = res.Body.Close() // it was only read
	if err != nil {
		return nil, fmt.Errorf("read the address to connect to: %w", err)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	var answer slackgo.SlackResponse
	if json.Unmarshal(body, &answer) == nil && answer.Ok {
		a.off.Store(slices.ContainsFunc(answer.ResponseMetadata.Messages, func(m string) bool {
			return strings.Contains(m, "Socket Mode is not turned on")
		}))
	}
	return res, nil
}
