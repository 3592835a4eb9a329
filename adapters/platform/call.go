package platform

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// Verdict says what is known about a call after one request.
type Verdict int

// The verdicts.
const (
	Done    Verdict = iota
	Refused         // the platform understood the request and said no
	Limited         // the platform asks to wait; nothing was done
	NotDone         // a failure which proves that nothing was done
	Lost            // a failure which leaves open whether it was done
)

// Safety says what it means to make a call twice.
type Safety int

const (
	// Once is a call that would do the same thing twice. If its response is lost it is not
	// repeated, and fails with chat.ErrUnsure.
	Once Safety = iota
	// Idempotent is a call that may be repeated, because it then changes nothing more.
	Idempotent
	// Deduplicated is a call that creates something, and that the platform recognises when it is
	// repeated within minutes. If all its responses are lost, it fails with chat.ErrUnsure.
	Deduplicated
)

// Call describes a call of a platform's API.
type Call struct {
	// Name is what the call does, for errors and the log, such as "send a message". It holds no
	// secret.
	Name   string
	Safety Safety
	// Limits are the rate limits that the call counts toward, the narrowest first; at least one, or
	// a Limited call does not wait. The call waits while one of them is held.
	Limits []string
	// Admit, if it is set, is called before each request, and may wait. If it returns an error no
	// request is made.
	Admit func(context.Context) error
}

// Result is what one request of a call led to.
type Result struct {
	Verdict Verdict
	// Wait is how long the platform asks to wait if it is Limited, or zero if it does not say.
	Wait time.Duration
	// Limit is the one of Call.Limits that was reached if it is Limited; empty is the first.
	Limit string
	Err   error
}

// Caller makes the calls of one platform's API, and repeats them as their Safety allows.
type Caller struct {
	// Attempts is how many requests are made for one call at most. It must be at least 1.
	Attempts int
	// Backoff is the pause before the second request, at least 2 ns. It doubles each time, and up
	// to half of it is added at random.
	Backoff time.Duration
	// MaxWait is the longest wait that the platform may ask for. A call that would have to wait
	// longer fails at once.
	MaxWait time.Duration
	// Redactor is applied to every error of a request.
	Redactor Redactor
	Log      *slog.Logger
	Observer chat.Observer
	// Holds are the rate limits that are reached now.
	Holds Holds
}

// Do makes a call by making requests until one succeeds, or until another one is of no use. If the
// platform asks to wait, this call and all others under the same limit wait. The end of the context
// ends the waits. It does not end a request of a call that is not Idempotent, because nobody would
// know whether it was done.
func (c *Caller) Do(ctx context.Context, call Call, request func(context.Context) Result) error {
	pause := c.Backoff
	for try := 1; ; try++ {
		if err := c.admit(ctx, call); err != nil {
			return fmt.Errorf("wait to %s: %w", call.Name, err)
		}
		result := c.once(ctx, call, request)
		err := result.Err
		switch result.Verdict {
		case Done:
			return nil
		case Refused:
			return fmt.Errorf("%s: %w", call.Name, err)
		case Limited:
			wait := cmp.Or(result.Wait, pause)
			c.hold(call, result.Limit, wait)
			if wait > c.MaxWait {
				return fmt.Errorf("%s: %w", call.Name, err)
			}
		case Lost:
			if call.Safety != Idempotent {
				err = fmt.Errorf("%w: %w", chat.ErrUnsure, err)
			}
			if call.Safety == Once {
				return fmt.Errorf("%s: %w", call.Name, err)
			}
		case NotDone:
		}
		if try == c.Attempts {
			return fmt.Errorf("%s, %d times: %w", call.Name, try, err)
		}
		if result.Verdict != Limited && dispatch.Sleep(ctx, pause+rand.N(pause/2)) != nil {
			return fmt.Errorf("%s: %w", call.Name, err)
		}
		pause *= 2
	}
}

// admit waits until a request may be made.
func (c *Caller) admit(ctx context.Context, call Call) error {
	if err := c.Holds.Wait(ctx, c.MaxWait, call.Limits...); err != nil {
		return err
	}
	if call.Admit == nil {
		return nil
	}
	return call.Admit(ctx)
}

// once makes one request. A response that was lost is NotDone if nothing of the request was ever
// written: the name was not found, a proxy refused, or the certificate was wrong, for example.
func (c *Caller) once(
	ctx context.Context, call Call, request func(context.Context) Result,
) Result {
	if call.Safety != Idempotent {
		ctx = context.WithoutCancel(ctx)
	}
	var written atomic.Bool
	result := request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// net/http takes another connection for a POST only if nothing went out by the first.
		GetConn:      func(string) { written.Store(false) },
		WroteHeaders: func() { written.Store(true) },
	}))
	if result.Verdict == Lost && !written.Load() {
		result.Verdict = NotDone
	}
	result.Err = c.Redactor.Error(result.Err)
	return result
}

// hold holds back the calls that count toward a limit of a call; an empty limit is its narrowest.
func (c *Caller) hold(call Call, limit string, wait time.Duration) {
	narrowest := ""
	if len(call.Limits) > 0 {
		narrowest = call.Limits[0]
	}
	limit = cmp.Or(limit, narrowest)
	c.Log.Warn("the platform asks to wait",
		"call", call.Name, "wait", wait, "others", limit != narrowest)
	c.Observer.Limited(wait)
	c.Holds.Add(limit, wait)
}
