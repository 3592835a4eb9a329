package discord

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
	"golang.org/x/time/rate"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
)

// defaultAPI is the address of Discord's REST API.
const defaultAPI = "https://discord.com/api/v10/"

const (
	// requestsPerSecond is half of what Discord allows to one bot, 50 requests a second
	// (topics/rate-limits.mdx). Responses to interactions do not count, there and here.
	requestsPerSecond = 25
	requestBurst      = 5
	// requestTimeout bounds one request, uploadTimeout one with files.
	requestTimeout = 10 * time.Second
	uploadTimeout  = time.Minute
	// maxAttempts is how many requests are made for one call at most.
	maxAttempts = 4
	// initialBackoff is the pause before the second request of a call. It doubles each time.
	initialBackoff = 500 * time.Millisecond
	// maxRetryAfter is the longest wait that Discord may ask for. A call that would have to wait
	// longer fails at once, because its caller knows better what to do meanwhile.
	maxRetryAfter = time.Minute
	// minRetryAfter is the shortest wait after Discord has asked to wait.
	minRetryAfter = 50 * time.Millisecond
	// banDuration is how long nothing is sent after Cloudflare has refused the address: 10,000
	// refused requests within ten minutes lead there (topics/rate-limits.mdx), and each further one
	// makes it worse.
	banDuration = 10 * time.Minute
	// maxResponseBytes is the most that is read of a response. A thousand members take about one
	// megabyte.
	maxResponseBytes = 16 << 20
)

// errBanned is the error of every call while Cloudflare refuses the address.
var errBanned = errors.New("this machine's address is shut out of Discord for some minutes")

// errNotDiscord is the error of an answer that is not Discord's.
var errNotDiscord = errors.New("read the answer: not as expected")

// markUnavailable wraps an error in chat.ErrUnavailable, unless Discord has refused, or something
// else than Discord answers.
func markUnavailable(err error) error {
	e, ok := errors.AsType[*apiError](err)
	refused := ok && e.status < http.StatusInternalServerError &&
		e.status != http.StatusTooManyRequests
	return platform.MarkUnavailable(err, refused || errors.Is(err, errNotDiscord))
}

// client makes calls of the REST API through a discordgo.Session, which makes each request.
//
// It leaves out two parts of the session. platform.Caller repeats requests, because the session
// would repeat a message whose answer was lost. platform.Holds keeps rate limits, because the
// session's limiter sleeps without regard to a context or to how long the wait is
// (TestWaitEndsWithContext, TestRateLimitTooLong), and keeps a bucket for every interaction for
// ever. So each request has a limiter of its own, which reads the headers of the answer.
type client struct {
	session *discordgo.Session
	base    *url.URL
	log     *slog.Logger
	limiter *rate.Limiter
	caller  platform.Caller

	mu          sync.Mutex
	bannedUntil time.Time
}

// globalBucket is the limit of all calls together.
const globalBucket = "all"

func newClient(o Options) (*client, error) {
	base, err := platform.ParseAPIURL(cmp.Or(o.APIURL, defaultAPI))
	if err != nil {
		return nil, fmt.Errorf("read Discord's API address: %w, as %s does", err, defaultAPI)
	}
	session, err := discordgo.New("Bot " + string(o.Token))
	if err != nil {
		return nil, fmt.Errorf("make a Discord session: %w", err)
	}
	session.Client = platform.NewHTTPClient(o.Dial, 0)
	session.UserAgent = "DiscordBot (maturitybot, 1)"
	session.MaxRestRetries = 0
	session.ShouldRetryOnRateLimit = false
	session.LogLevel = -1 // nothing: what it would log it returns as well
	return &client{
		session: session,
		base:    base,
		log:     o.Log,
		limiter: rate.NewLimiter(requestsPerSecond, requestBurst),
		caller: platform.Caller{
			Attempts: maxAttempts,
			Backoff:  initialBackoff,
			MaxWait:  maxRetryAfter,
			Redactor: platform.NewRedactor(o.Token),
			Log:      o.Log,
			Observer: o.Observer,
		},
	}, nil
}

// request is one call of the REST API.
type request struct {
	what   string // for errors: it holds no token
	method string
	path   string
	// bucket names the calls that Discord counts together: the fixed parts of the path, and its
	// first id.
	bucket string
	body   any // as JSON, or nil
	// draw, if it is set, returns the body anew for each attempt.
	draw  func(context.Context) (any, error)
	files []chat.File
	// deduplicated says that a POST may be repeated: it carries a nonce, or creates something that
	// is there only once. Other methods always may.
	deduplicated bool
	// own says that an interaction's token in the path authorizes it, so that it does not count
	// toward the bot's limits.
	own bool
}

// get returns a GET request whose path is its own bucket.
func get(what, path string) request {
	return request{what: what, method: http.MethodGet, path: path, bucket: path}
}

// apiError is an error that Discord answers with.
type apiError struct {
	status, code int
	message      string
}

func (r *apiError) Error() string {
	return fmt.Sprintf("discord says %d: %s (%d)", r.status, r.message, r.code)
}

// code is the number of Discord's error, or 0. The HTTP status beside it varies for one and the
// same.
func code(err error) int {
	if r, ok := errors.AsType[*apiError](err); ok {
		return r.code
	}
	return 0
}

// do makes a call, and reads the response into a value, if one is given.
func (c *client) do(ctx context.Context, r request, into any) error {
	kind, payload, err := r.encode()
	if err != nil {
		return fmt.Errorf("%s: %w", r.what, err)
	}
	var answer []byte
	call := platform.Call{
		Name:   r.what,
		Safety: r.safety(),
		Limits: []string{r.bucket, globalBucket},
		Admit:  func(ctx context.Context) error { return c.admit(ctx, r) },
	}
	if r.own {
		call.Limits = call.Limits[:1]
	}
	err = c.caller.Do(ctx, call, func(ctx context.Context) (result platform.Result) {
		kind, payload := kind, payload
		if r.draw != nil {
			var err error
			if kind, payload, err = r.redraw(ctx); err != nil {
				return platform.Result{Verdict: platform.Refused, Err: err}
			}
		}
		answer, result = c.once(ctx, r, kind, payload)
		return result
	})
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s: %w", r.what, errNotDiscord)
	}
	return nil
}

// safety says what making the call twice would do. Every method but POST is idempotent; a POST
// that may be repeated carries a nonce, or creates what is there only once.
func (r request) safety() platform.Safety {
	switch {
	case r.method != http.MethodPost:
		return platform.Idempotent
	case r.deduplicated:
		return platform.Deduplicated
	}
	return platform.Once
}

// admit waits until a request may be made, as far as that is not for a single bucket to say.
func (c *client) admit(ctx context.Context, r request) error {
	c.mu.Lock()
	banned := c.bannedUntil.After(time.Now())
	c.mu.Unlock()
	switch {
	case banned:
		return errBanned
	case r.own:
		return nil
	}
	return c.limiter.Wait(ctx)
}

// encode returns the body and its media type.
func (r request) encode() (kind string, payload []byte, err error) {
	switch {
	case r.body == nil:
		return "", nil, nil
	case len(r.files) == 0:
		payload, err = encode(r.body)
		return "application/json", payload, err
	}
	var files []*discordgo.File
	for i, f := range r.files {
		files = append(files, &discordgo.File{
			Name:        fileName(i, f.Name, nil),
			ContentType: f.Type,
			Reader:      bytes.NewReader(f.Data),
		})
	}
	if b, ok := r.body.(messageBody); ok {
		for i, a := range b.Attachments {
			files[i].Name = a.Filename // made unique when the message was drawn
		}
	}
	kind, payload, err = discordgo.MultipartBodyWithJSON(r.body, files)
	if err != nil {
		return "", nil, fmt.Errorf("encode files: %w", err)
	}
	return kind, payload, nil
}

// redraw is encode for a body that is drawn anew.
func (r request) redraw(ctx context.Context) (kind string, payload []byte, err error) {
	if r.body, err = r.draw(ctx); err != nil {
		return "", nil, err
	}
	return r.encode()
}

// answered is the whole answer to a request.
type answered struct {
	status int // 0 if there is none
	header http.Header
	body   []byte
}

// record returns an option that keeps the answer to a request, of whose header discordgo tells
// nothing. An answer that breaks off is an error of the request.
func record(into *answered) discordgo.RequestOption {
	return func(config *discordgo.RequestConfig) {
		recording := *config.Client
		next := recording.Transport
		recording.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(io.LimitReader(res.Body, maxResponseBytes))
			_ = res.Body.Close() // it was only read
			if err != nil {
				return nil, err
			}
			*into = answered{res.StatusCode, res.Header, body}
			res.Body = io.NopCloser(bytes.NewReader(body))
			return res, nil
		})
		config.Client = &recording
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// withoutToken is an option for a request that an interaction's token authorizes.
func withoutToken(config *discordgo.RequestConfig) { config.Request.Header.Del("Authorization") }

// once makes one request.
func (c *client) once(
	ctx context.Context, r request, kind string, payload []byte,
) ([]byte, platform.Result) {
	timeout := requestTimeout
	if len(r.files) > 0 {
		timeout = uploadTimeout
	}
	// A request that has begun goes on: nobody would know whether Discord had done it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var answer answered
	options := []discordgo.RequestOption{discordgo.WithContext(ctx), record(&answer)}
	if r.own {
		options = append(options, withoutToken)
	}
	limits := discordgo.NewRatelimiter()
	bucket := limits.LockBucket(r.bucket)
	_, err := c.session.RequestWithLockedBucket(
		r.method, c.base.String()+r.path, kind, payload, bucket, 0, options...)
	if answer.status == 0 {
		if e, ok := errors.AsType[*url.Error](err); ok && e.Op == "parse" {
			err = errors.New("no such address") // the cause would quote the address
			return nil, platform.Result{Verdict: platform.Refused, Err: err}
		}
		return nil, platform.Result{Verdict: platform.Lost, Err: err}
	}
	wait := limits.GetWaitTime(bucket, 1)
	if wait > 0 && answer.status != http.StatusTooManyRequests {
		c.caller.Holds.Add(r.bucket, wait+time.Millisecond) // discordgo rounds it down
	}
	if answer.status < 300 {
		return answer.body, platform.Result{Verdict: platform.Done}
	}
	return nil, c.judge(r, answer)
}

// judge reads a response other than success.
func (c *client) judge(r request, answer answered) platform.Result {
	var said struct {
		Code    int     `json:"code"`
		Message string  `json:"message"`
		After   float64 `json:"retry_after"`
		Global  bool    `json:"global"`
	}
	isJSON := json.Unmarshal(answer.body, &said) == nil
	message := cmp.Or(said.Message, http.StatusText(answer.status))
	result := platform.Result{
		Verdict: platform.Refused,
		Err:     &apiError{answer.status, said.Code, message},
	}
	switch {
	case answer.status == http.StatusTooManyRequests && !isJSON && !isRateLimitAnswer(answer.header):
		c.ban()
		result.Err = errBanned
	case answer.status == http.StatusTooManyRequests:
		result.Verdict = platform.Limited
		result.Wait = max(
			parseSeconds(answer.header.Get("Retry-After")),
			parseSeconds(answer.header.Get("X-RateLimit-Reset-After")),
			secondsOf(said.After),
			minRetryAfter,
		)
		global := said.Global || answer.header.Get("X-RateLimit-Global") != "" ||
			answer.header.Get("X-RateLimit-Scope") == "global"
		if result.Limit = r.bucket; global && !r.own { // an interaction's calls are counted apart
			result.Limit = globalBucket
		}
	case answer.status >= http.StatusInternalServerError:
		result.Verdict = platform.Lost
	}
	return result
}

// isRateLimitAnswer reports whether an answer without a JSON body is Discord's own, and not
// Cloudflare's page.
func isRateLimitAnswer(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if kind == "text/html" {
		return false
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Ratelimit-") { // in net/http's spelling
			return true
		}
	}
	return false
}

// ban stops everything for a while.
func (c *client) ban() {
	c.mu.Lock()
	c.bannedUntil = time.Now().Add(banDuration)
	c.mu.Unlock()
	c.log.Error("Discord has blocked this machine's address: nothing is sent for ten minutes. "+
		"A program at this address, perhaps another one, made thousands of requests that "+
		"Discord refused", "wait", banDuration)
}

func parseSeconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return secondsOf(f)
}

// secondsOf returns a number of seconds as a duration of at most eleven days.
func secondsOf(seconds float64) time.Duration {
	if !(seconds > 0) { // also false for NaN
		return 0
	}
	return time.Duration(min(seconds, 1e6) * float64(time.Second))
}
