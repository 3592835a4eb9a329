package slack

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

const (
	// maxAttempts is how often one call is tried, the first time included.
	maxAttempts = 5
	// initialBackoff is waited before the second attempt; each later pause is twice the one before.
	initialBackoff = 200 * time.Millisecond
	// maxRetryAfter is the longest Retry-After that is waited for; beyond it the call fails.
	maxRetryAfter = 2 * time.Minute
	// requestTimeout bounds one request to Slack. A program that is told to end waits for longer than that.
	requestTimeout = 8 * time.Second
	// sharedLimitThreshold is in how many channels in a row Slack asks to wait before the limit counts as the workspace's.
	sharedLimitThreshold = 3
	// maxIdleConns kept open to Slack's one host. Go's own two of them halve what the bot gets done.
	maxIdleConns = 128
)

// errResponseURLSpent says that a response URL takes no more: it was used five times, is older than 30 minutes, or is none of Slack's.
var errResponseURLSpent = errors.New("response url takes no more")

// client is Slack's Web API, and our rules of what may be asked again.
type client struct {
	api     *slackgo.Client
	http    *http.Client
	base    *url.URL // of the Web API
	secrets []string
	log     *slog.Logger
	observe chat.Observer

	mu      sync.Mutex
	held    map[limit]time.Time            // not before
	limited map[string]map[string]struct{} // by method: the channels in which Slack asked to wait since the method last worked
}

// limit is what Slack limits together: the calls of a method, or of those only the ones for a channel.
type limit struct{ method, channel string }

func newClient(o Options) (*client, error) {
	base, err := url.Parse(cmp.Or(o.APIURL, slackgo.APIURL))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("read Slack's API address: want https://host/api/")
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/" // slack-go appends the method's name as it is
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = maxIdleConns, maxIdleConns
	if o.Dial != nil {
		transport.DialContext, transport.Proxy = o.Dial, nil
	}
	web := &http.Client{
		Transport: transport, Timeout: requestTimeout,
		// Slack's API does not redirect, and what looks like a response URL must not lead elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c := &client{http: web, base: base, log: o.Log, observe: o.Observer, held: map[limit]time.Time{}, limited: map[string]map[string]struct{}{}}
	for _, s := range []chat.Secret{o.Token, o.AppToken, o.SigningSecret} {
		if s != "" {
			c.secrets = append(c.secrets, string(s))
		}
	}
	c.api = slackgo.New(string(o.Token), slackgo.OptionHTTPClient(web), slackgo.OptionAPIURL(base.String()))
	return c, nil
}

// verdict is what an error tells about a call.
type verdict int

const (
	done    verdict = iota
	refused         // Slack understood and said no
	limited         // Slack asks to wait; nothing was done
	undone          // a fault that proves that nothing was done
	lost            // a fault that leaves open whether it was done
)

// judge reads a call's error. Wait is how long Slack asks to wait, or zero when it does not say. Without an answer it is lost, though
// whoever made the call may know that nothing of it was ever written.
func judge(err error) (v verdict, wait time.Duration) {
	if err == nil {
		return done, 0
	}
	if e, ok := errors.AsType[*slackgo.RateLimitedError](err); ok {
		return limited, e.RetryAfter
	}
	if e, ok := errors.AsType[slackgo.StatusCodeError](err); ok {
		switch {
		case e.Code == http.StatusTooManyRequests:
			return limited, 0
		case e.Code == http.StatusServiceUnavailable:
			return undone, 0
		case e.Code >= 500:
			return lost, 0
		}
		return refused, 0
	}
	switch code(err) {
	case "":
	case "ratelimited", "rate_limited":
		return limited, 0
	case "service_unavailable", "request_timeout", "team_added_to_org":
		return undone, 0
	case "internal_error", "fatal_error": // docs.slack.dev: some aspect of it may have succeeded
		return lost, 0
	default:
		return refused, 0
	}
	if errors.Is(err, errResponseURLSpent) {
		return refused, 0
	}
	return lost, 0
}

// markUnavailable marks an error as chat.ErrUnavailable, unless waiting does not mend it: Slack has said no, or what answers is not Slack.
func markUnavailable(err error) error {
	_, stranger := errors.AsType[*tls.CertificateVerificationError](err)
	if v, _ := judge(err); v == refused || stranger {
		return err
	}
	return fmt.Errorf("%w: %w", chat.ErrUnavailable, err)
}

// code is Slack's word for what is wrong, such as "channel_not_found", or empty.
func code(err error) string {
	if e, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok {
		return e.Err
	}
	return ""
}

// call makes one call of the Web API, and makes it again as the rules allow: when Slack asks to wait, it and every other call
// of the method wait; when it was not done, it is done again; when nobody knows, it is done again only if it is repeatable,
// and is chat.ErrUnsure otherwise. The context ends the waits, but no request that is not repeatable, since nobody would know
// whether Slack had done it.
func (c *client) call(ctx context.Context, method string, repeatable bool, do func(context.Context) error) error {
	return c.callIn(ctx, method, "", repeatable, do)
}

// callIn is call for what Slack limits by channel: when it asks to wait, calls for other channels do not.
func (c *client) callIn(ctx context.Context, method, channel string, repeatable bool, do func(context.Context) error) error {
	pause := initialBackoff
	for try := 1; ; try++ {
		if err := c.free(ctx, method, channel); err != nil {
			return fmt.Errorf("wait to call %s: %w", method, err)
		}
		v, wait, err := c.request(ctx, repeatable, do)
		if v == done {
			c.worked(method)
			return nil
		}
		switch {
		case v == refused:
			return fmt.Errorf("call %s: %w", method, err)
		case v == lost && !repeatable:
			return fmt.Errorf("call %s: %w: %w", method, chat.ErrUnsure, err)
		case v == limited:
			wait = cmp.Or(wait, pause)
			c.log.Warn("slack asks to wait", "method", method, "wait", wait)
			c.observe.Limited(wait)
			if wait > maxRetryAfter {
				return fmt.Errorf("call %s: %w", method, err)
			}
			c.hold(method, channel, wait)
		}
		if try == maxAttempts {
			return fmt.Errorf("call %s, %d times: %w", method, try, err)
		}
		if v != limited && dispatch.Sleep(ctx, pause+rand.N(pause/2)) != nil {
			return fmt.Errorf("call %s: %w", method, err)
		}
		pause *= 2
	}
}

// request makes one request. Of one that Slack cannot have had a word of, because the name was not found, a proxy refused, the
// certificate was wrong or the like, it knows that it was not done.
func (c *client) request(ctx context.Context, repeatable bool, do func(context.Context) error) (verdict, time.Duration, error) {
	var written atomic.Bool
	if !repeatable {
		ctx = context.WithoutCancel(ctx) // the client's own time-out holds
	}
	err := do(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// net/http takes another connection for a POST only if nothing went out by the one before.
		GetConn:      func(string) { written.Store(false) },
		WroteHeaders: func() { written.Store(true) },
	}))
	v, wait := judge(err)
	if v == done {
		return done, 0, nil
	}
	if v == lost && !written.Load() {
		v = undone
	}
	return v, wait, c.scrub(err)
}

// hold keeps the calls of a method waiting: those for the channel, if there is one, unless Slack has asked so for several in a
// row, which is no channel's fault.
func (c *client) hold(method, channel string, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(c.held, func(_ limit, until time.Time) bool { return until.Before(now) })
	if channel != "" {
		if c.limited[method] == nil {
			c.limited[method] = map[string]struct{}{}
		}
		if c.limited[method][channel] = struct{}{}; len(c.limited[method]) >= sharedLimitThreshold {
			channel = ""
		}
	}
	l := limit{method, channel}
	if until := now.Add(wait); until.After(c.held[l]) {
		c.held[l] = until
	}
}

// worked says that Slack has taken a call of a method.
func (c *client) worked(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.limited, method)
}

// free waits until calls of a method for a channel are no longer held.
func (c *client) free(ctx context.Context, method, channel string) error {
	for {
		c.mu.Lock()
		until := c.held[limit{method: method}]
		if own := c.held[limit{method, channel}]; own.After(until) {
			until = own
		}
		c.mu.Unlock()
		wait := time.Until(until)
		if wait <= 0 {
			return ctx.Err()
		}
		if err := dispatch.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// scrub takes out of an error what must not be told: addresses that work as keys, and our secrets.
func (c *client) scrub(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	text := err.Error()
	clean := text
	for _, s := range c.secrets {
		clean = strings.ReplaceAll(clean, s, chat.Mask)
	}
	if clean == text {
		return err
	}
	return scrubbed{clean, err}
}

// scrubbed is an error with another text.
type scrubbed struct {
	text string
	err  error
}

func (s scrubbed) Error() string { return s.text }
func (s scrubbed) Unwrap() error { return s.err }

// response is what a response URL takes.
type response struct {
	Type     string          `json:"response_type,omitempty"`
	Replace  bool            `json:"replace_original"`
	Text     string          `json:"text"`
	Blocks   []slackgo.Block `json:"blocks"`
	Markdown bool            `json:"mrkdwn"`
	Parse    string          `json:"parse"`
	Links    bool            `json:"unfurl_links"`
	Media    bool            `json:"unfurl_media"`
}

// respond sends a message through the response URL of a gesture. It returns errSpent when the URL takes no more.
func (c *client) respond(ctx context.Context, o origin, r response) error {
	if !c.isResponseURL(o.URL) {
		return fmt.Errorf("answer a gesture: %w", errResponseURLSpent)
	}
	r.Parse = "none"
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return c.callIn(ctx, "response_url", o.Channel, r.Replace, func(ctx context.Context) error {
		res, err := c.post(ctx, o.URL, "application/json; charset=utf-8", body)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }() // it was only read
		said, err := io.ReadAll(io.LimitReader(res.Body, 4096))
		var answer struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(said, &answer) != nil {
			answer.Error = "" // "ok" in words, or a page for people
		}
		switch {
		case answer.Error == "used_url", answer.Error == "expired_url", res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone:
			return errResponseURLSpent
		case answer.Error != "":
			return slackgo.SlackErrorResponse{Err: answer.Error}
		case res.StatusCode != http.StatusOK:
			return slackgo.StatusCodeError{Code: res.StatusCode, Status: res.Status}
		}
		return err
	})
}

// upload sends a file to the address that files.getUploadURLExternal gave for it, as raw bytes. The
// address is a key in itself, so no token goes with it. Slack answers 200 when it has the file
// (docs.slack.dev/reference/methods/files.getUploadURLExternal).
func (c *client) upload(ctx context.Context, address string, data []byte) error {
	if !c.isUploadURL(address) {
		return errors.New("upload a file: the address is none of Slack's")
	}
	return c.call(ctx, "upload", true, func(ctx context.Context) error {
		res, err := c.post(ctx, address, "application/octet-stream", data)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }() // it was only read
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 4096))
		if res.StatusCode != http.StatusOK {
			return slackgo.StatusCodeError{Code: res.StatusCode, Status: res.Status}
		}
		return err
	})
}

// post makes a request to an address outside the Web API, and returns the answer, whose body the
// caller closes. Being asked to wait, and a failure of the server, are errors.
func (c *client) post(ctx context.Context, address, kind string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", kind)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		err = &slackgo.RateLimitedError{RetryAfter: time.Duration(seconds) * time.Second}
	case res.StatusCode >= http.StatusInternalServerError:
		err = slackgo.StatusCodeError{Code: res.StatusCode, Status: res.Status}
	}
	if err != nil {
		_ = res.Body.Close() // it was not read
		return nil, err
	}
	return res, nil
}

// isUploadURL says that an address is one of Slack's for uploads, or the Web API's own.
func (c *client) isUploadURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	host := "." + u.Host
	slacks := strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com")
	return u.Scheme == "https" && slacks || u.Scheme == c.base.Scheme && u.Host == c.base.Host
}

// isResponseURL says that an address is one of Slack's for responses: a payload must not make the bot call anywhere else.
func (c *client) isResponseURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	return u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks."+c.base.Host) ||
		u.Scheme == c.base.Scheme && u.Host == c.base.Host
}

// pacer keeps the messages to each channel one second apart, as Slack asks for chat.postMessage, but for a few at once, and all of
// them together within a budget of the workspace, if it has one.
type pacer struct {
	all   *rate.Limiter
	burst int // how many may go ahead of their second

	mu   sync.Mutex
	next map[string]time.Time // by channel: when the next would go if none went ahead
}

const (
	channelInterval = time.Second
	// bulkPerSecond leaves room below Slack's "several hundred a minute" for what people ask for meanwhile.
	bulkPerSecond = 4
	// replyBurst is how many replies may go to a channel at once before they are a second apart.
	replyBurst = 4
	// maxPacedChannels is from how many channels on those that are free again are forgotten.
	maxPacedChannels = 1024
)

// wait waits until a message to the channel may go.
func (p *pacer) wait(ctx context.Context, channel string) error {
	now := time.Now()
	p.mu.Lock()
	if p.next == nil {
		p.next = map[string]time.Time{}
	}
	if len(p.next) >= maxPacedChannels {
		maps.DeleteFunc(p.next, func(_ string, at time.Time) bool { return at.Before(now) })
	}
	at := p.next[channel]
	if at.Before(now) {
		at = now
	}
	p.next[channel] = at.Add(channelInterval)
	p.mu.Unlock()
	if err := dispatch.Sleep(ctx, at.Sub(now)-time.Duration(p.burst)*channelInterval); err != nil {
		return err
	}
	if p.all == nil {
		return nil
	}
	return p.all.Wait(ctx)
}
