package platformlaw

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"maturitybot/adapters/platform"
	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
)

// sendingLaws are the laws of chat.Sender.
var sendingLaws = []law{
	{"rate-limit-honoured", nil, rateLimitHonoured},
	{"rate-limit-holds-others", nil, rateLimitHoldsOthers},
	{"rate-limit-too-long", nil, rateLimitTooLong},
	{"rate-limit-ends-with-context", nil, rateLimitEndsWithContext},
	{"rate-limit-observed", nil, rateLimitObserved},
	{"never-posted-twice", nil, neverPostedTwice},
	{"fault-that-passes", nil, faultThatPasses},
	{"outage-that-passes", nil, outageThatPasses},
	{"outage-is-sure", nil, outageIsSure},
	{"refusal-not-repeated", nil, refusalNotRepeated},
	{"redirect-not-followed", nil, redirectNotFollowed},
	{"request-outlives-context", nil, requestOutlivesContext},
	{"secrets-not-told", nil, secretsNotTold},
	{"options-print-no-secret", nil, optionsPrintNoSecret},
}

// A request is repeated once the time that the platform asks for has passed, and not before.
func rateLimitHonoured(w *world) {
	w.FailPosts(Fault{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second})
	var err error
	w.want("waited", took(func() { err = w.post("hello") }), 7*time.Second)
	w.want("error", err, nil)
	w.want("requests", w.Posts(), 2)
	w.want("posted", w.Posted(), []string{"hello"})
}

// While one message waits for a rate limit, the next to the same place makes no request.
func rateLimitHoldsOthers(w *world) {
	w.FailPosts(Fault{Status: http.StatusTooManyRequests, RetryAfter: 10 * time.Second})
	first := make(chan error, 1)
	go func() { first <- w.post("one") }()
	synctest.Wait()
	waited := took(func() { w.want("second error", w.postAs("second", "two"), nil) })
	if waited < 10*time.Second {
		w.Errorf("the second message went after %v", waited)
	}
	w.want("first error", <-first, nil)
	w.want("requests", w.Posts(), 3)
}

// If the platform asks for more time than a call waits, this call and later ones fail at once, and
// may be tried again. The later ones make no request.
func rateLimitTooLong(w *world) {
	w.FailPosts(Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Hour})
	var err error
	w.want("waited", took(func() { err = w.post("first") }), time.Duration(0))
	w.mayTryAgain("the first", err)
	time.Sleep(time.Minute)
	w.want("waited", took(func() { err = w.post("second") }), time.Duration(0))
	w.mayTryAgain("the second", err)
	if !errors.Is(err, platform.ErrHeld) {
		w.Errorf("the second: %v", err)
	}
	w.want("requests", w.Posts(), 1)
	time.Sleep(time.Hour)
	w.want("an hour later", w.post("third"), nil)
}

func rateLimitEndsWithContext(w *world) {
	w.FailPosts(Fault{Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second})
	ctx, cancel := context.WithTimeout(w.Context(), 2*time.Second)
	defer cancel()
	var err error
	w.want("waited", took(func() {
		err = w.Sender.Post(ctx, "1", w.Place, card("hello"), nil)
	}), 2*time.Second)
	w.mayTryAgain("the error", err)
	if !errors.Is(err, context.DeadlineExceeded) {
		w.Errorf("the error is %v", err)
	}
	w.settle()
	w.want("posted", w.Posted(), []string{})
}

func rateLimitObserved(w *world) {
	_ = w.observer.String() // what came before
	w.FailPosts(Fault{Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second})
	w.want("error", w.post("hello"), nil)
	w.want("observed", w.observer, "acknowledged [] limited [7s] connected []")
}

// A caller that tries again after every error but chat.ErrUnsure posts a message at most once, and
// exactly once if there is no such error.
func neverPostedTwice(w *world) {
	lost, broken := Fault{Lost: true}, Fault{Status: http.StatusInternalServerError}
	unavailable := Fault{Status: http.StatusServiceUnavailable}
	for _, faults := range [][]Fault{
		{lost},
		slices.Repeat([]Fault{lost}, 8),
		{unavailable, lost},
		{broken},
		{broken, broken, lost},
		{{Cut: true}},
		{{Status: http.StatusBadGateway}},
		{{Wait: time.Minute}},
		{{Status: http.StatusTooManyRequests, RetryAfter: time.Second}, lost},
	} {
		w.settle()
		text := fmt.Sprintf("%+v", faults)
		w.FailPosts(faults...)
		unsure := false
		for range 10 {
			err := w.postAs(text, text)
			if unsure = errors.Is(err, chat.ErrUnsure); unsure || err == nil {
				break
			}
			w.mayTryAgain(text, err)
		}
		w.FailPosts() // forget those that were not needed
		w.settle()
		times := 0
		for _, posted := range w.Posted() {
			if posted == text {
				times++
			}
		}
		if times > 1 || times == 0 && !unsure {
			w.Errorf("%s: posted %d times, unsure: %v", text, times, unsure)
		}
	}
}

// What proves that nothing was done is repeated within the call.
func faultThatPasses(w *world) {
	unavailable := Fault{Status: http.StatusServiceUnavailable}
	w.FailPosts(unavailable, unavailable)
	w.want("error", w.post("hello"), nil)
	w.want("requests", w.Posts(), 3)
	w.want("posted", w.Posted(), []string{"hello"})
}

func outageThatPasses(w *world) {
	w.Down(true)
	time.AfterFunc(500*time.Millisecond, func() { w.Down(false) })
	w.want("error", w.post("hello"), nil)
	w.want("posted", w.Posted(), []string{"hello"})
}

// A message that has not left the machine was not posted.
func outageIsSure(w *world) {
	w.Down(true)
	w.mayTryAgain("while the platform is down", w.post("hello"))
	w.Down(false)
	w.settle()
	w.want("posted", w.Posted(), []string{})
}

func refusalNotRepeated(w *world) {
	w.FailPosts(Fault{Refused: true})
	w.mayTryAgain("a refusal", w.post("hello"))
	w.want("requests", w.Posts(), 1)
	w.want("posted", w.Posted(), []string{})
}

// A redirect would take the token with it.
func redirectNotFollowed(w *world) {
	w.FailPosts(Fault{Status: http.StatusSeeOther})
	w.mayTryAgain("a redirect", w.post("hello"))
	w.want("requests", w.Posts(), 1)
}

// A program that is told to end lets a request that it has begun come to its end, and begins no
// other.
func requestOutlivesContext(w *world) {
	w.FailPosts(Fault{Wait: 3 * time.Second})
	ctx, cancel := context.WithCancel(w.Context())
	time.AfterFunc(time.Second, cancel)
	err := w.Sender.Post(ctx, "1", w.Place, card("hello"), nil)
	w.want("error", err, nil)
	w.want("posted", w.Posted(), []string{"hello"})
	if err := w.Sender.Post(ctx, "2", w.Place, card("again"), nil); err == nil {
		w.Error("a message was posted after the end")
	}
	w.settle()
	w.want("posted", w.Posted(), []string{"hello"})
}

// No error holds a secret, whatever goes wrong. Run reads the log.
func secretsNotTold(w *world) {
	for _, f := range []Fault{
		{Status: http.StatusInternalServerError}, {Status: http.StatusServiceUnavailable},
		{Status: http.StatusUnauthorized}, {Status: http.StatusNotFound},
		{Status: http.StatusTooManyRequests, RetryAfter: time.Hour},
		{Status: http.StatusSeeOther}, {Refused: true}, {Lost: true}, {Cut: true},
		{Wait: time.Minute},
	} {
		w.FailPosts(slices.Repeat([]Fault{f}, 8)...)
		text := fmt.Sprintf("%+v", f)
		err := w.post(text)
		w.noSecrets(text, fmt.Sprintf("%v %+v %#v", err, err, err))
		w.FailPosts()
		time.Sleep(2 * time.Hour)
	}
	w.Down(true)
	w.noSecrets("an outage", fmt.Sprint(w.post("down")))
	w.Down(false)
}

func optionsPrintNoSecret(w *world) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		w.noSecrets(verb, fmt.Sprintf(verb, w.Options))
	}
	var log platformtest.Log
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "options", w.Options)
	w.noSecrets("a line of the log", log.String())
}

// mayTryAgain fails the test unless an error says that nothing was sent and that the caller may try
// again.
func (w *world) mayTryAgain(what string, err error) {
	w.Helper()
	if err == nil || errors.Is(err, chat.ErrUnsure) || errors.Is(err, chat.ErrUnreachable) {
		w.Errorf("%s: the error is %v", what, err)
	}
	w.noSecrets(what, fmt.Sprint(err))
}

// lines returns the texts of cards as one text.
func lines(all []string) string { return strings.Join(all, "\n") }
