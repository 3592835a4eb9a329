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
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"maturitybot/bot/chat"
)

const (
	// attempts is how often one call is tried, the first time included.
	attempts = 5
	// firstPause is waited before the second attempt; each later pause is twice the one before.
	firstPause = 200 * time.Millisecond
	// longestHold is the longest Retry-After that is waited for; beyond it the call fails.
	longestHold = 2 * time.Minute
	// answering bounds one request to Slack.
	answering = 10 * time.Second
	// connections kept open to Slack's one host. Go's own two of them halve what the bot gets done.
	connections = 128
)

// errSpent says that a response URL takes no more: it was used five times, is older than 30 minutes, or is none of Slack's.
var errSpent = errors.New("response url takes no more")

// client is Slack's Web API, and our rules of what may be asked again.
type client struct {
	api     *slackgo.Client
	http    *http.Client
	base    *url.URL // of the Web API
	secrets []string
	log     *slog.Logger

	mu   sync.Mutex
	held map[string]time.Time // by method: not before
}

func newClient(o Options) (*client, error) {
	base, err := url.Parse(cmp.Or(o.APIURL, slackgo.APIURL))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("read Slack's API address: want https://host/api/")
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/" // slack-go appends the method's name as it is
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = connections, connections
	if o.Dial != nil {
		transport.DialContext, transport.Proxy = o.Dial, nil
	}
	web := &http.Client{
		Transport: transport, Timeout: answering,
		// Slack's API does not redirect, and what looks like a response URL must not lead elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c := &client{http: web, base: base, log: o.Log, held: map[string]time.Time{}}
	for _, s := range []Secret{o.Token, o.AppToken, o.SigningSecret} {
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

// judge reads a call's error. Wait is how long Slack asks to wait, or zero when it does not say.
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
	if errors.Is(err, errSpent) {
		return refused, 0
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return undone, 0
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return undone, 0
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return undone, 0
	}
	return lost, 0
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
// and is chat.ErrUnsure otherwise.
func (c *client) call(ctx context.Context, method string, repeatable bool, do func(context.Context) error) error {
	pause := firstPause
	for try := 1; ; try++ {
		if err := c.free(ctx, method); err != nil {
			return fmt.Errorf("wait to call %s: %w", method, err)
		}
		err := do(ctx)
		v, wait := judge(err)
		if v == done {
			return nil
		}
		err = c.scrub(err)
		switch {
		case v == refused:
			return fmt.Errorf("call %s: %w", method, err)
		case v == lost && !repeatable:
			return fmt.Errorf("call %s: %w: %w", method, chat.ErrUnsure, err)
		case v == limited:
			wait = cmp.Or(wait, pause)
			c.log.Warn("slack asks to wait", "method", method, "wait", wait)
			if wait > longestHold {
				return fmt.Errorf("call %s: %w", method, err)
			}
			c.hold(method, wait)
		}
		if try == attempts {
			return fmt.Errorf("call %s, %d times: %w", method, try, err)
		}
		if v != limited && sleep(ctx, pause+rand.N(pause/2)) != nil {
			return fmt.Errorf("call %s: %w", method, err)
		}
		pause *= 2
	}
}

// hold keeps every call of a method waiting.
func (c *client) hold(method string, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until := time.Now().Add(wait); until.After(c.held[method]) {
		c.held[method] = until
	}
}

// free waits until calls of a method are no longer held.
func (c *client) free(ctx context.Context, method string) error {
	for {
		c.mu.Lock()
		until, held := c.held[method]
		if held && !until.After(time.Now()) {
			delete(c.held, method)
			held = false
		}
		c.mu.Unlock()
		if !held {
			return ctx.Err()
		}
		if err := sleep(ctx, time.Until(until)); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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
		clean = strings.ReplaceAll(clean, s, mask)
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

// respond sends a message through a response URL. It returns errSpent when the URL takes no more.
func (c *client) respond(ctx context.Context, to string, r response) error {
	if !c.trusted(to) {
		return fmt.Errorf("answer a gesture: %w", errSpent)
	}
	r.Parse = "none"
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return c.call(ctx, "response_url", r.Replace, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
		if err != nil {
			return errSpent
		}
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		res, err := c.http.Do(req)
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
		case res.StatusCode == http.StatusTooManyRequests:
			seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
			return &slackgo.RateLimitedError{RetryAfter: time.Duration(seconds) * time.Second}
		case res.StatusCode >= 500:
			return slackgo.StatusCodeError{Code: res.StatusCode, Status: res.Status}
		case answer.Error == "used_url", answer.Error == "expired_url", res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone:
			return errSpent
		case answer.Error != "":
			return slackgo.SlackErrorResponse{Err: answer.Error}
		case res.StatusCode != http.StatusOK:
			return slackgo.StatusCodeError{Code: res.StatusCode, Status: res.Status}
		}
		return err
	})
}

// trusted says that an address is one of Slack's for responses: a payload must not make the bot call anywhere else.
func (c *client) trusted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	return u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks."+c.base.Host) ||
		u.Scheme == c.base.Scheme && u.Host == c.base.Host
}

// pace keeps the messages to each channel one second apart, as Slack asks for chat.postMessage, and all of them together
// within a budget of the workspace, if it has one.
type pace struct {
	all *rate.Limiter

	mu   sync.Mutex
	next map[string]time.Time // by channel: when the next may go
}

const (
	perChannel = time.Second
	// perSecond leaves room below Slack's "several hundred a minute" for what people ask for meanwhile.
	perSecond = 4
	// paced is from how many channels on those that are free again are forgotten.
	paced = 1024
)

// turn waits until a message to the channel may go.
func (p *pace) turn(ctx context.Context, channel string) error {
	now := time.Now()
	p.mu.Lock()
	if p.next == nil {
		p.next = map[string]time.Time{}
	}
	if len(p.next) >= paced {
		for name, at := range p.next {
			if at.Before(now) {
				delete(p.next, name)
			}
		}
	}
	at := p.next[channel]
	if at.Before(now) {
		at = now
	}
	p.next[channel] = at.Add(perChannel)
	p.mu.Unlock()
	if err := sleep(ctx, at.Sub(now)); err != nil {
		return err
	}
	if p.all == nil {
		return nil
	}
	return p.all.Wait(ctx)
}
