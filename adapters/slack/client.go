package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

const (
	// maxAttempts is how many requests are made for one call at most.
	maxAttempts = 5
	// initialBackoff is the pause before the second request of a call. It doubles each time.
	initialBackoff = 200 * time.Millisecond
	// maxRetryAfter is the longest Retry-After that a call waits for.
	maxRetryAfter = 2 * time.Minute
	// requestTimeout bounds one request to Slack. It is shorter than the time that a program which
	// is told to end has left.
	requestTimeout = 8 * time.Second
	// sharedLimitThreshold is in how many channels in a row Slack asks to wait before the limit
	// counts as the workspace's.
	sharedLimitThreshold = 3
)

// errResponseURLSpent says that a response URL takes no more: it was used five times, is older than
// 30 minutes, or is not one of Slack's.
var errResponseURLSpent = errors.New("response url takes no more")

// client makes calls of Slack's Web API, and requests to response and upload URLs.
type client struct {
	api    *slackgo.Client
	http   *http.Client
	base   *url.URL // of the Web API
	caller platform.Caller

	mu sync.Mutex
	// limited has, by method, the channels in which Slack has asked to wait since a call of the
	// method last succeeded.
	limited map[string]map[string]struct{}
}

func newClient(o Options) (*client, error) {
	base, err := platform.ParseAPIURL(cmp.Or(o.APIURL, slackgo.APIURL))
	if err != nil {
		return nil, fmt.Errorf("read Slack's API address: %w", err)
	}
	web := platform.NewHTTPClient(o.Dial, requestTimeout)
	return &client{
		api: slackgo.New(
			string(o.Token), slackgo.OptionHTTPClient(web), slackgo.OptionAPIURL(base.String()),
		),
		http: web,
		base: base,
		caller: platform.Caller{
			Attempts: maxAttempts,
			Backoff:  initialBackoff,
			MaxWait:  maxRetryAfter,
			Redactor: platform.NewRedactor(o.Token, o.AppToken, o.SigningSecret),
			Log:      o.Log,
			Observer: o.Observer,
		},
		limited: map[string]map[string]struct{}{},
	}, nil
}

// judge reads the error of a request. A request without a response is Lost.
func judge(err error) platform.Result {
	if err == nil {
		return platform.Result{Verdict: platform.Done}
	}
	if e, ok := errors.AsType[*slackgo.RateLimitedError](err); ok {
		return platform.Result{Verdict: platform.Limited, Wait: e.RetryAfter, Err: err}
	}
	verdict := platform.Lost
	if e, ok := errors.AsType[slackgo.StatusCodeError](err); ok {
		verdict = judgeStatus(e.Code)
	} else if word := code(err); word != "" {
		verdict = judgeCode(word)
	} else if errors.Is(err, errResponseURLSpent) || errors.Is(err, platform.ErrNotDrawn) {
		verdict = platform.Refused
	}
	return platform.Result{Verdict: verdict, Err: err}
}

// judgeStatus reads an HTTP status other than 200.
func judgeStatus(status int) platform.Verdict {
	switch {
	case status == http.StatusTooManyRequests:
		return platform.Limited
	case status == http.StatusServiceUnavailable:
		return platform.NotDone
	case status >= http.StatusInternalServerError:
		return platform.Lost
	}
	return platform.Refused
}

// judgeCode reads an error code of the Web API.
func judgeCode(code string) platform.Verdict {
	switch code {
	case "ratelimited", "rate_limited":
		return platform.Limited
	case "service_unavailable", "request_timeout", "team_added_to_org":
		return platform.NotDone
	case "internal_error", "fatal_error": // docs.slack.dev: some aspect of it may have succeeded
		return platform.Lost
	}
	return platform.Refused
}

// markUnavailable wraps an error in chat.ErrUnavailable, unless Slack has refused.
func markUnavailable(err error) error {
	return platform.MarkUnavailable(err, judge(err).Verdict == platform.Refused)
}

// code returns Slack's error code, such as "channel_not_found", or "".
func code(err error) string {
	if e, ok := errors.AsType[slackgo.SlackErrorResponse](err); ok {
		return e.Err
	}
	return ""
}

// call makes one call of the Web API. It is repeated after a lost response only if it is
// repeatable.
func (c *client) call(
	ctx context.Context, method string, repeatable bool, do func(context.Context) error,
) error {
	return c.callIn(ctx, method, "", repeatable, do)
}

// callIn is like call, for methods that Slack limits by channel: when Slack asks to wait, calls for
// other channels do not wait.
func (c *client) callIn(
	ctx context.Context, method, channel string, repeatable bool, do func(context.Context) error,
) error {
	call := platform.Call{Name: "call " + method, Limits: []string{method}}
	if channel != "" {
		call.Limits = []string{method + " " + channel, method}
	}
	if repeatable {
		call.Safety = platform.Idempotent
	}
	return c.caller.Do(ctx, call, func(ctx context.Context) platform.Result {
		result := judge(do(ctx))
		switch result.Verdict {
		case platform.Done:
			c.noteSuccess(method)
		case platform.Limited:
			if channel != "" && c.isShared(method, channel) {
				result.Limit = method
			}
		}
		return result
	})
}

// isShared notes that Slack has asked to wait in a channel. It returns true if it has asked so in
// several channels in a row, so that the limit is that of the whole method.
func (c *client) isShared(method, channel string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limited[method] == nil {
		c.limited[method] = map[string]struct{}{}
	}
	c.limited[method][channel] = struct{}{}
	return len(c.limited[method]) >= sharedLimitThreshold
}

// noteSuccess notes that Slack has taken a call of a method.
func (c *client) noteSuccess(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.limited, method)
}

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

// encodeResponse writes a response in which Slack looks for no links, names or markup.
func encodeResponse(r response) ([]byte, error) {
	r.Parse = "none"
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	return body, nil
}

// replacement is the response that puts a card in place of the one that was pressed.
type replacement []byte

func drawReplacement(card chat.Card) (replacement, error) {
	text, drawn, err := draw(card)
	if err != nil {
		return nil, err
	}
	return encodeResponse(response{Replace: true, Text: text, Blocks: drawn})
}

// respond sends a response through the response URL of an event; repeatable is true for one that may
// be sent twice. It returns errResponseURLSpent when the URL takes no more.
func (c *client) respond(ctx context.Context, o origin, body []byte, repeatable bool) error {
	if !c.isResponseURL(o.URL) {
		return fmt.Errorf("use a response url: %w", errResponseURLSpent)
	}
	return c.callIn(ctx, "response_url", o.Channel, repeatable, func(ctx context.Context) error {
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
		case answer.Error == "used_url", answer.Error == "expired_url",
			res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone:
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
func (c *client) post(
	ctx context.Context, address, kind string, body []byte,
) (*http.Response, error) {
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

// isUploadURL returns true for an address of Slack's for uploads, or of the Web API's own host.
func (c *client) isUploadURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	host := "." + u.Host
	slacks := strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com")
	return u.Scheme == "https" && slacks || u.Scheme == c.base.Scheme && u.Host == c.base.Host
}

// isResponseURL returns true for an address of Slack's for responses. A payload must not make the
// bot call any other host.
func (c *client) isResponseURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	return u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks."+c.base.Host) ||
		u.Scheme == c.base.Scheme && u.Host == c.base.Host
}

// pacer keeps the messages to each channel one second apart, as Slack asks for chat.postMessage. A
// burst may go at once. If all is set, it bounds the messages to all channels together.
type pacer struct {
	all   *rate.Limiter
	burst int // messages that may go to a channel at once

	mu   sync.Mutex
	next map[string]time.Time // by channel: when the next may go, without bursts
}

const (
	channelInterval = time.Second
	// bulkPerSecond stays below Slack's "several hundred a minute", so that replies can go
	// meanwhile.
	bulkPerSecond = 4
	// replyBurst is how many replies may go to a channel at once.
	replyBurst = 4
	// maxPacedChannels is the number of channels from which on idle ones are forgotten.
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
