package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/bot/chat"
)

var errTest = errors.New("some failure")

func newCaller() *Caller {
	return &Caller{
		Attempts: 3, Backoff: time.Second, MaxWait: time.Minute,
		Log: slog.New(slog.DiscardHandler), Observer: chat.NopObserver{},
	}
}

// responds returns a request that returns each result in turn, the last one repeatedly, and a
// count of the requests. Every request is written.
func responds(results ...Result) (func(context.Context) Result, *int) {
	made := 0
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				_, _ = far.Read(make([]byte, 4096))
				_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				_ = far.Close()
			}()
			return near, nil
		},
	}}
	return func(ctx context.Context) Result {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://platform.test/", nil)
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
		}
		made++
		return results[min(made, len(results))-1]
	}, &made
}

func TestVerdicts(t *testing.T) {
	lost := Result{Verdict: Lost, Err: errTest}
	undone := Result{Verdict: NotDone, Err: errTest}
	refused := Result{Verdict: Refused, Err: errTest}
	limited := Result{Verdict: Limited, Wait: 10 * time.Second, Err: errTest}
	done := Result{}
	for name, c := range map[string]struct {
		safety   Safety
		results  []Result
		requests int
		ok       bool
		unsure   bool
	}{
		"done":                            {Once, []Result{done}, 1, true, false},
		"refused":                         {Idempotent, []Result{refused}, 1, false, false},
		"not done, then done":             {Once, []Result{undone, done}, 2, true, false},
		"never done":                      {Once, []Result{undone}, 3, false, false},
		"lost once":                       {Once, []Result{lost, done}, 1, false, true},
		"lost, idempotent":                {Idempotent, []Result{lost, done}, 2, true, false},
		"always lost, idempotent":         {Idempotent, []Result{lost}, 3, false, false},
		"lost, deduplicated":              {Deduplicated, []Result{lost, done}, 2, true, false},
		"always lost, deduplicated":       {Deduplicated, []Result{lost}, 3, false, true},
		"not done, then lost":             {Once, []Result{undone, lost}, 2, false, true},
		"lost, then refused":              {Deduplicated, []Result{lost, refused}, 2, false, false},
		"limited, then done":              {Once, []Result{limited, done}, 2, true, false},
		"always limited":                  {Once, []Result{limited}, 3, false, false},
		"limited for longer than MaxWait": {Once, []Result{{Verdict: Limited, Wait: time.Hour, Err: errTest}}, 1, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				request, made := responds(c.results...)
				err := newCaller().Do(t.Context(), Call{Name: "try", Safety: c.safety, Limits: []string{"a"}}, request)
				if *made != c.requests || (err == nil) != c.ok || errors.Is(err, chat.ErrUnsure) != c.unsure {
					t.Errorf("%d requests, %v", *made, err)
				}
				if err != nil && (!errors.Is(err, errTest) || !strings.HasPrefix(err.Error(), "try")) {
					t.Errorf("the error is %v", err)
				}
			})
		})
	}
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		request, _ := responds(Result{Verdict: NotDone, Err: errTest})
		began := time.Now()
		_ = newCaller().Do(t.Context(), Call{Name: "try"}, request)
		if took := time.Since(began); took < 3*time.Second || took > 4500*time.Millisecond {
			t.Errorf("pauses of 1 and 2 seconds, each by up to half longer, took %v", took)
		}
	})
}

func TestNothingWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errTest }
		client := NewHTTPClient(refuse, time.Second)
		requests := 0
		err := newCaller().Do(t.Context(), Call{Name: "try"}, func(ctx context.Context) Result {
			requests++
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://platform.test/", nil)
			_, err := client.Do(req)
			return Result{Verdict: Lost, Err: err}
		})
		if requests != 3 || errors.Is(err, chat.ErrUnsure) || !errors.Is(err, errTest) {
			t.Errorf("%d requests, %v", requests, err)
		}
		if strings.Contains(err.Error(), "platform.test") {
			t.Errorf("the error quotes the address: %v", err)
		}
	})
}

func TestRateLimit(t *testing.T) {
	limited := Result{Verdict: Limited, Wait: 10 * time.Second, Limit: "all", Err: errTest}
	for name, c := range map[string]struct {
		limit  string
		limits []string
		wait   time.Duration
	}{
		"the narrowest limit, same":  {"", []string{"a", "all"}, 10 * time.Second},
		"the narrowest limit, other": {"", []string{"b", "all"}, 0},
		"the shared limit, other":    {"all", []string{"b", "all"}, 10 * time.Second},
		"the shared limit, apart":    {"all", []string{"b"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller := newCaller()
				first, second := limited, Result{}
				first.Limit = c.limit
				request, _ := responds(first, second)
				go func() { _ = caller.Do(t.Context(), Call{Name: "first", Limits: []string{"a", "all"}}, request) }()
				synctest.Wait()
				began := time.Now()
				request, _ = responds(Result{})
				err := caller.Do(t.Context(), Call{Name: "second", Limits: c.limits}, request)
				if took := time.Since(began); err != nil || took != c.wait {
					t.Errorf("%v after %v", err, took)
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestRateLimitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller := newCaller()
		request, made := responds(Result{Verdict: Limited, Wait: time.Hour, Err: errTest}, Result{})
		call := Call{Name: "try", Limits: []string{"a"}}
		_ = caller.Do(t.Context(), call, request)
		began := time.Now()
		err := caller.Do(t.Context(), call, request)
		if !errors.Is(err, ErrHeld) || *made != 1 || time.Since(began) != 0 {
			t.Errorf("%v after %d requests and %v", err, *made, time.Since(began))
		}
		time.Sleep(time.Hour)
		if err := caller.Do(t.Context(), call, request); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestContextEndsWaits(t *testing.T) {
	for name, result := range map[string]Result{
		"the pause": {Verdict: NotDone, Err: errTest},
		"the limit": {Verdict: Limited, Wait: 30 * time.Second, Err: errTest},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				request, made := responds(result)
				began := time.Now()
				err := newCaller().Do(ctx, Call{Name: "try", Limits: []string{"a"}}, request)
				if took := time.Since(began); err == nil || *made != 1 || took != 100*time.Millisecond {
					t.Errorf("%v after %d requests and %v", err, *made, took)
				}
			})
		})
	}
}

func TestRequestOutlivesContext(t *testing.T) {
	for safety, ends := range map[Safety]bool{Once: false, Deduplicated: false, Idempotent: true} {
		ctx, cancel := context.WithCancel(t.Context())
		_ = newCaller().Do(ctx, Call{Name: "try", Safety: safety}, func(ctx context.Context) Result {
			cancel()
			if (ctx.Err() != nil) != ends {
				t.Errorf("safety %d: within the request the context says %v", safety, ctx.Err())
			}
			return Result{}
		})
	}
}

func TestAdmit(t *testing.T) {
	request, made := responds(Result{})
	admit := func(context.Context) error { return errTest }
	err := newCaller().Do(t.Context(), Call{Name: "try", Admit: admit}, request)
	if !errors.Is(err, errTest) || *made != 0 {
		t.Errorf("%d requests, %v", *made, err)
	}
}

func TestHoldsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Holds
		for i := range 3 * maxHolds {
			h.Add(fmt.Sprint(i), time.Second)
			time.Sleep(2 * time.Millisecond)
		}
		if h.Len() > maxHolds {
			t.Errorf("%d are kept", h.Len())
		}
	})
}

func TestNoRedirects(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			_, _ = far.Read(make([]byte, 4096))
			_, _ = io.WriteString(far, "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			_ = far.Close()
		}()
		return near, nil
	}
	res, err := NewHTTPClient(dial, time.Second).Get("http://platform.test/")
	if err != nil || res.StatusCode != http.StatusFound {
		t.Fatalf("%v, %v", res, err)
	}
	_ = res.Body.Close()
}

func TestParseAPIURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://slack.com/api/":            "https://slack.com/api/",
		"http://127.0.0.1:80/v1":            "http://127.0.0.1:80/v1/",
		"slack.com/api":                     "",
		"ftp://slack.com/":                  "",
		"":                                  "",
		"https://":                          "",
		"https://user:very secret@host/%zz": "",
	} {
		base, err := ParseAPIURL(address)
		got := ""
		if err == nil {
			got = base.String()
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestRedactor(t *testing.T) {
	r := NewRedactor("very-secret", "")
	cause := fmt.Errorf("proxy says very-secret: %w", errTest)
	err := r.Error(&url.Error{Op: "Post", URL: "https://hooks.test/key", Err: cause})
	if text := err.Error(); strings.Contains(text, "very") || strings.Contains(text, "key") || !errors.Is(err, errTest) {
		t.Errorf("the error is %v", err)
	}
	if r.Error(nil) != nil || r.Error(errTest) != errTest {
		t.Error("an error without a secret is changed")
	}
}
