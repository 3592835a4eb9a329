package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

func TestResponseURLHost(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		for address, want := range map[string]bool{
			"https://hooks.slack.com/actions/x": true, "http://slack.fake/hooks/x": true, "https://hooks.slack.fake/x": true,
			"http://hooks.slack.com/x": false, "https://example.org/x": false, "https://slack.fake/x": false, "http://slack.fake:81/x": false,
			"https://hooks.slack.com@example.org/": false, "https://user@hooks.slack.com/x": false, "https://hooks.slack.com.example.org/": false, "http://169.254.169.254/": false, "": false,
		} {
			if got := w.slack.client.isResponseURL(address); got != want {
				t.Errorf("trusted(%q) = %v", address, got)
			}
		}
	})
}

func TestRetryWhenNotSent(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.Fail("chat.postMessage", fake.Fault{Status: 503}, fake.Fault{Status: 429, RetryAfter: 3}, fake.Fault{Error: "ratelimited"}, fake.Fault{Error: "service_unavailable"})
		if err := w.slack.Send(t.Context(), "m1", personAna, card("hello")); err != nil {
			t.Error(err)
		}
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "hello")
		w.Down(true)
		time.AfterFunc(time.Second, func() { w.Down(false) })
		if err := w.slack.Send(t.Context(), "m2", personAna, card("again")); err != nil {
			t.Error(err)
		}
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "hello; again")
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 3600})
		err := w.slack.Send(t.Context(), "m3", personAna, card("third"))
		if err == nil || errors.Is(err, chat.ErrUnsure) || errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("asked to wait an hour: %v", err)
		}
	})
}

// A request that fails before anything was written cannot have been carried out, so it is sent
// again.
func TestRetryWhenNothingWritten(t *testing.T) {
	const plain, secure = "http://slack.test/api/", "https://slack.test/api/"
	for name, c := range map[string]struct {
		base   string
		proxy  bool
		dial   error
		server func(net.Conn)
		unsure bool
	}{
		"a proxy that is down":        {base: secure, proxy: true, dial: &net.OpError{Op: "dial", Err: errors.New("refused")}},
		"a name that is not found":    {base: plain, dial: &net.DNSError{Err: "no such host"}},
		"a proxy that does not let":   {base: secure, proxy: true, server: answers("HTTP/1.1 503 Service Unavailable\r\n\r\n")},
		"what does not speak TLS":     {base: secure, server: says("HTTP/1.1 400 Bad Request\r\n\r\n")},
		"a handshake that is cut":     {base: secure, server: func(net.Conn) {}},
		"a request that is cut after": {base: plain, server: answers(""), unsure: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dials := 0
				client, err := newClient(Options{Token: "xoxb-1", APIURL: c.base, Log: slog.New(slog.DiscardHandler), Dial: func(context.Context, string, string) (net.Conn, error) {
					if dials++; c.dial != nil {
						return nil, c.dial
					}
					near, far := net.Pipe()
					go func() {
						c.server(far)
						far.Close()
					}()
					return near, nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				if c.proxy {
					client.http.Transport.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test"})
				}
				err = client.call(t.Context(), "chat.postMessage", false, func(ctx context.Context) error {
					_, _, err := client.api.PostMessageContext(ctx, ana)
					return err
				})
				want := maxAttempts
				if c.unsure {
					want = 1
				}
				if err == nil || errors.Is(err, chat.ErrUnsure) != c.unsure || dials != want {
					t.Errorf("after %d tries: %v", dials, err)
				}
			})
		})
	}
}

// says is a server that writes before it reads.
func says(words string) func(net.Conn) {
	return func(c net.Conn) {
		go io.Copy(io.Discard, c)
		io.WriteString(c, words)
	}
}

// A rate limit of one channel does not delay messages to another.
func TestRateLimitPerChannel(t *testing.T) {
	hi := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hi")}} }
	byHTTP(t, hi, func(t *testing.T, w *world) {
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 60})
		w.Say(ben, "hello")
		synctest.Wait()
		w.Say(ana, "hello")
		synctest.Wait()
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))[1:]), "hi")
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))[1:]), "")
		time.Sleep(61 * time.Second)
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))[1:]), "hi")
	})
}

// If Slack asks to wait in several channels in a row, the limit is the workspace's.
func TestRateLimitOfManyChannels(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		for n := range sharedLimitThreshold {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 30})
			all.Go(func() { w.slack.direct(t.Context(), chat.Person{ID: id}, card("hi")) })
			synctest.Wait()
		}
		began := time.Now()
		if err := w.slack.direct(t.Context(), personAna, card("hi")); err != nil || time.Since(began) < 29*time.Second {
			t.Errorf("Ana's message went after %v, %v", time.Since(began), err)
		}
		all.Wait()
		began = time.Now()
		w.Fail("chat.postMessage", fake.Fault{Status: 429, RetryAfter: 30})
		all.Go(func() { w.slack.direct(t.Context(), personAna, card("hi")) })
		synctest.Wait()
		if err := w.slack.direct(t.Context(), chat.Person{ID: ben}, card("hi")); err != nil || time.Since(began) > time.Second {
			t.Errorf("later, Ben's message went after %v, %v", time.Since(began), err)
		}
		all.Wait()
	})
}

// Replies to one person keep to the pace that Slack allows for one channel, however fast the
// person writes.
func TestReplyPacing(t *testing.T) {
	hi := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hi")}} }
	byHTTP(t, hi, func(t *testing.T, w *world) {
		began := time.Now()
		for range 15 {
			w.Say(ben, "hello")
		}
		synctest.Wait()
		w.want(t, "at once", fmt.Sprint(len(w.Calls("chat.postMessage"))), fmt.Sprint(replyBurst+1))
		time.Sleep(time.Minute)
		calls := w.Calls("chat.postMessage")
		if took := calls[len(calls)-1].At.Sub(began); len(calls) != 15 || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("%d messages took %v", len(calls), took)
		}
	})
}

// Files are sent to Slack only, whatever upload address a response names.
func TestUploadURLHost(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		for address, want := range map[string]bool{
			"https://files.slack.com/upload/v1/x": true, "https://slack.com/upload": true,
			"https://files.slack-gov.com/upload/v1/x": true, "http://slack.fake/upload/x": true,
			"http://files.slack.com/upload/v1/x": false, "https://example.org/x": false,
			"https://files.slack.com.example.org/": false, "https://notslack.com/": false,
			"https://files.slack.com@example.org/": false, "http://169.254.169.254/": false, "": false,
		} {
			if got := w.slack.client.isUploadURL(address); got != want {
				t.Errorf("takesFiles(%q) = %v", address, got)
			}
		}
	})
}
