package discord

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
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"
	"golang.org/x/time/rate"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// defaultAPI is the address of Discord's REST API.
const defaultAPI = "https://discord.com/api/v10/"

const (
	// requestsPerSecond is half of what Discord allows to one bot, 50 requests a second (topics/rate-limits.mdx); answers to interactions
	// are outside of it, there and here.
	requestsPerSecond = 25
	burst             = 5
	// requestTimeout bounds one request, uploading one with files.
	requestTimeout = 10 * time.Second
	uploadTimeout  = time.Minute
	// maxAttempts is how often one call is made, firstPause what is waited before the second time; it doubles.
	maxAttempts    = 4
	initialBackoff = 500 * time.Millisecond
	// maxRetryAfter is the longest that a call waits because Discord asks it to. A call that would wait longer fails at once: whoever made
	// it knows better what to do meanwhile.
	maxRetryAfter = time.Minute
	// banDuration is how long nothing is sent once Cloudflare refuses the address: 10,000 refused requests within ten
	// minutes lead there (topics/rate-limits.mdx), and each one more makes it worse.
	banDuration = 10 * time.Minute
	// maxResponseBytes is the most that is read of an answer; a thousand members take about one megabyte.
	maxResponseBytes = 16 << 20
	// maxBuckets is from how many buckets on those that are free again are forgotten.
	maxBuckets = 1024
)

// errBanned says that nothing is sent for now.
var errBanned = errors.New("this machine's address is shut out of Discord for some minutes")

// errRateLimited says that a call would have to wait longer than longestHold.
var errRateLimited = errors.New("discord asks to wait for longer than a minute")

// errNotDiscord says that something else than Discord answered.
var errNotDiscord = errors.New("read the answer: not as expected")

// markUnavailable marks an error as chat.ErrUnavailable, unless waiting does not mend it: Discord has said no, or what answers is not Discord.
func markUnavailable(err error) error {
	_, stranger := errors.AsType[*tls.CertificateVerificationError](err)
	r, ok := errors.AsType[*apiError](err)
	if stranger || errors.Is(err, errNotDiscord) || ok && r.status < 500 && r.status != http.StatusTooManyRequests {
		return err
	}
	return fmt.Errorf("%w: %w", chat.ErrUnavailable, err)
}

// client makes calls of the REST API. discordgo's are not used for it: they sleep for a rate limit whatever their context, keep a
// bucket for the token of every interaction for ever, quote those tokens in errors, and take Cloudflare's page for broken JSON.
type client struct {
	http    *http.Client
	base    *url.URL
	token   chat.Secret
	log     *slog.Logger
	observe chat.Observer
	limiter *rate.Limiter

	mu          sync.Mutex
	until       map[string]time.Time // by bucket: when the next call may be made; allOf is all of them
	bannedUntil time.Time
}

// globalBucket is the bucket of all calls together.
const globalBucket = ""

func newClient(o Options) (*client, error) {
	base, err := url.Parse(strings.TrimSuffix(cmp.Or(o.APIURL, defaultAPI), "/") + "/")
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("the address of Discord's API is none: it begins with https:// or http://, as " + defaultAPI + " does")
	}
	transport := &http.Transport{
		DialContext: o.Dial, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 100, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: requestTimeout,
	}
	if o.Dial == nil {
		transport.Proxy, transport.DialContext = http.ProxyFromEnvironment, (&net.Dialer{Timeout: requestTimeout}).DialContext
	}
	return &client{
		// A redirect would take the token elsewhere.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		base: base, token: o.Token, log: o.Log, observe: o.Observer, limiter: rate.NewLimiter(requestsPerSecond, burst), until: map[string]time.Time{},
	}, nil
}

// request is one call of the REST API.
type request struct {
	what   string // for errors: it holds no token
	method string
	path   string
	bucket string // the calls that Discord counts together; of a path, what does not vary and its first id
	body   any    // as JSON, or nil
	files  []chat.File
	// again says that it may be made twice.
	again bool
	// token authorizes it, so that it counts for nothing else: an answer to an interaction.
	own bool
}

// apiError is Discord's word for why not.
type apiError struct {
	status, code int
	message      string
}

func (r *apiError) Error() string {
	return fmt.Sprintf("discord says %d: %s (%d)", r.status, r.message, r.code)
}

// code is the number of Discord's error, or 0. The HTTP status beside it varies for one and the same.
func code(err error) int {
	if r, ok := errors.AsType[*apiError](err); ok {
		return r.code
	}
	return 0
}

// verdict is what an error tells about a call.
type verdict int

const (
	done    verdict = iota
	denied          // Discord understood and said no
	limited         // Discord asks to wait; nothing was done
	undone          // a fault that proves that nothing was done
	lost            // a fault that leaves open whether it was done
)

// do makes a call, and reads the answer into a value, if one is given. Where Discord asks to wait it waits, where the call was not done
// it is made again; where nobody knows it is made again only if it may be, and is chat.ErrUnsure otherwise.
func (c *client) do(ctx context.Context, r request, into any) error {
	kind, payload, err := r.encode()
	if err != nil {
		return fmt.Errorf("%s: %w", r.what, err)
	}
	pause := initialBackoff
	for try := 1; ; try++ {
		if err := c.turn(ctx, r); err != nil {
			return fmt.Errorf("wait to %s: %w", r.what, err)
		}
		answer, v, wait, err := c.once(ctx, r, kind, payload)
		switch {
		case v == done:
			if into == nil {
				return nil
			}
			if err := json.Unmarshal(answer, into); err != nil {
				return fmt.Errorf("%s: %w", r.what, errNotDiscord)
			}
			return nil
		case v == denied, v == limited && wait > maxRetryAfter:
			return fmt.Errorf("%s: %w", r.what, err)
		case v == lost && (!r.again || try == maxAttempts) && r.method == http.MethodPost:
			return fmt.Errorf("%s: %w: %w", r.what, chat.ErrUnsure, err)
		case try == maxAttempts:
			return fmt.Errorf("%s, %d times: %w", r.what, try, err)
		}
		if v != limited && dispatch.Sleep(ctx, pause+rand.N(pause/2)) != nil {
			if v == lost && r.method == http.MethodPost {
				err = fmt.Errorf("%w: %w", chat.ErrUnsure, err)
			}
			return fmt.Errorf("%s: %w", r.what, err)
		}
		pause *= 2
	}
}

// encode is the body and its media type.
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
		files = append(files, &discordgo.File{Name: fileName(i, f.Name, nil), ContentType: f.Type, Reader: bytes.NewReader(f.Data)})
	}
	if b, ok := r.body.(messageBody); ok { // names were made unlike each other when the message was drawn
		for i, a := range b.Attachments {
			files[i].Name = a.Filename
		}
	}
	kind, payload, err = discordgo.MultipartBodyWithJSON(r.body, files)
	if err != nil {
		return "", nil, fmt.Errorf("encode files: %w", err)
	}
	return kind, payload, nil
}

// once makes a call once.
func (c *client) once(ctx context.Context, r request, kind string, payload []byte) ([]byte, verdict, time.Duration, error) {
	bound := requestTimeout
	if len(r.files) > 0 {
		bound = uploadTimeout
	}
	// A request that has begun is let go on: nobody would know whether Discord had done it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.base.String()+r.path, bytes.NewReader(payload))
	if err != nil {
		return nil, denied, 0, errors.New("no such address") // the cause would quote it
	}
	if !r.own {
		req.Header.Set("Authorization", "Bot "+string(c.token))
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("User-Agent", "DiscordBot (maturitybot, 1)")
	written := false
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written = true }}))
	res, err := c.http.Do(req)
	if err != nil {
		if !written { // no connection, a proxy that refuses, a certificate that is another's
			return nil, undone, 0, scrub(err)
		}
		return nil, lost, 0, scrub(err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxResponseBytes))
	if err != nil {
		return nil, lost, 0, scrub(err)
	}
	if res.Header.Get("X-RateLimit-Remaining") == "0" && res.StatusCode != http.StatusTooManyRequests {
		c.hold(r.bucket, parseSeconds(res.Header.Get("X-RateLimit-Reset-After")))
	}
	if res.StatusCode < 300 {
		return answer, done, 0, nil
	}
	said := struct {
		Code    int     `json:"code"`
		Message string  `json:"message"`
		After   float64 `json:"retry_after"`
		Global  bool    `json:"global"`
	}{}
	words := json.Unmarshal(answer, &said) == nil
	fault := &apiError{res.StatusCode, said.Code, cmp.Or(said.Message, http.StatusText(res.StatusCode))}
	switch {
	case res.StatusCode == http.StatusTooManyRequests && !words && !isRateLimitAnswer(res.Header):
		c.ban()
		return nil, denied, 0, errBanned
	case res.StatusCode == http.StatusTooManyRequests:
		wait := max(parseSeconds(res.Header.Get("Retry-After")), parseSeconds(res.Header.Get("X-RateLimit-Reset-After")), secondsOf(said.After), 50*time.Millisecond)
		global := said.Global || res.Header.Get("X-RateLimit-Global") != "" || res.Header.Get("X-RateLimit-Scope") == "global"
		bucket := r.bucket
		if global && !r.own { // an own token's calls are not counted with the others
			bucket = globalBucket
		}
		c.log.Warn("discord asks to wait", "call", r.what, "wait", wait, "global", global)
		c.observe.Limited(wait)
		c.hold(bucket, wait)
		return nil, limited, wait, fault
	case res.StatusCode >= 500:
		return nil, lost, 0, fault
	}
	return nil, denied, 0, fault
}

// isRateLimitAnswer says whether an answer without words is Discord's own all the same, and not Cloudflare's page.
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

// scrub takes the address out of an error: tokens of interactions are in it.
func scrub(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// turn waits until a call may be made.
func (c *client) turn(ctx context.Context, r request) error {
	for {
		c.mu.Lock()
		now := time.Now()
		shut := c.bannedUntil.After(now)
		until := c.until[r.bucket]
		if all := c.until[globalBucket]; !r.own && all.After(until) {
			until = all
		}
		if !until.After(now) {
			delete(c.until, r.bucket)
		}
		c.mu.Unlock()
		if shut {
			return errBanned
		}
		if !until.After(now) {
			break
		}
		wait := until.Sub(now)
		if wait > maxRetryAfter {
			return errRateLimited
		}
		if err := dispatch.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	if r.own {
		return ctx.Err()
	}
	return c.limiter.Wait(ctx)
}

// hold keeps the calls of a bucket waiting.
func (c *client) hold(bucket string, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if len(c.until) >= maxBuckets {
		for name, until := range c.until {
			if !until.After(now) {
				delete(c.until, name)
			}
		}
	}
	if until := now.Add(wait); until.After(c.until[bucket]) {
		c.until[bucket] = until
	}
}

// ban stops everything for a while.
func (c *client) ban() {
	c.mu.Lock()
	c.bannedUntil = time.Now().Add(banDuration)
	c.mu.Unlock()
	c.log.Error("Discord has shut out this machine's address: nothing is sent for ten minutes. Something made thousands of requests that Discord refused, perhaps another program behind the same address", "wait", banDuration)
}

func parseSeconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return secondsOf(f)
}

// secondsOf is a number of seconds; what is longer than eleven days is as good as that.
func secondsOf(seconds float64) time.Duration {
	if !(seconds > 0) { // nor is what is no number
		return 0
	}
	return time.Duration(min(seconds, 1e6) * float64(time.Second))
}
