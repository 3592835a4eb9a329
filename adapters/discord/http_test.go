package discord

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platformtest"
	"maturitybot/adapters/webhook"
	"maturitybot/bot/chat"
)

// pinged returns the response to a signed request that is changed after it was signed.
func pinged(t *testing.T, d *Discord, payload []byte, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/discord", bytes.NewReader(payload))
	fake.Sign(r, payload, time.Now())
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, r)
	return w
}

func TestSignatures(t *testing.T) {
	payload := []byte(`{"type":1,"id":"1","token":"t"}`)
	bubble(t, func(t *testing.T, w *world) {
		if r := pinged(t, w.discord, payload, nil); r.Code != 200 || r.Body.String() != `{"type":1}` || r.Header().Get("Content-Type") != "application/json" {
			t.Errorf("a ping was answered with %d %s", r.Code, r.Body)
		}
		for name, change := range map[string]func(*http.Request){
			"no signature":    func(r *http.Request) { r.Header.Del("X-Signature-Ed25519") },
			"no time":         func(r *http.Request) { r.Header.Del("X-Signature-Timestamp") },
			"another time":    func(r *http.Request) { r.Header.Set("X-Signature-Timestamp", fmt.Sprint(time.Now().Unix()+1)) },
			"short":           func(r *http.Request) { r.Header.Set("X-Signature-Ed25519", "abcd") },
			"no hex":          func(r *http.Request) { r.Header.Set("X-Signature-Ed25519", strings.Repeat("zz", 64)) },
			"zeros":           func(r *http.Request) { r.Header.Set("X-Signature-Ed25519", strings.Repeat("00", 64)) },
			"of another body": func(r *http.Request) { fake.Sign(r, []byte(`{"type":2}`), time.Now()) },
			"old":             func(r *http.Request) { fake.Sign(r, payload, time.Now().Add(-webhook.SignatureWindow-time.Second)) },
			"of the future":   func(r *http.Request) { fake.Sign(r, payload, time.Now().Add(webhook.SignatureWindow+2*time.Second)) },
		} {
			if r := pinged(t, w.discord, payload, change); r.Code != 401 || r.Body.Len() != 0 {
				t.Errorf("%s: answered with %d %s", name, r.Code, r.Body)
			}
		}
		if r := pinged(t, w.discord, payload, func(r *http.Request) { r.Method = http.MethodGet }); r.Code != 405 {
			t.Errorf("GET was answered with %d", r.Code)
		}
		if r := pinged(t, w.discord, bytes.Repeat([]byte(" "), maxPayload+1), nil); r.Code != 413 {
			t.Errorf("a large body was answered with %d", r.Code)
		}
		o := w.options()
		o.PublicKey = ""
		if r := pinged(t, w.start(t, o), payload, nil); r.Code != 401 {
			t.Errorf("without a key, answered with %d", r.Code)
		}
	})
}

// slowBodies makes other senders use up the memory for deliveries with large slow bodies, until
// end is called.
func (w *world) slowBodies() (end func()) {
	var all sync.WaitGroup
	var pipes []*io.PipeWriter
	for range webhook.ReservedBytes/maxPayload + 1 {
		body, p := io.Pipe()
		pipes = append(pipes, p)
		r := httptest.NewRequest(http.MethodPost, "/discord", body)
		r.Header.Set("X-Signature-Ed25519", strings.Repeat("00", ed25519.SignatureSize))
		r.Header.Set("X-Signature-Timestamp", fmt.Sprint(time.Now().Unix()))
		all.Go(func() { w.discord.Handler().ServeHTTP(httptest.NewRecorder(), r) })
		if _, err := p.Write(make([]byte, maxPayload*3/4)); err != nil {
			panic(err) // somebody reads it
		}
	}
	synctest.Wait()
	return func() {
		for _, p := range pipes {
			p.Close()
		}
		all.Wait()
	}
}

// While the memory for deliveries is used up, a large delivery waits for some, and a press is
// answered at once.
func TestReadMemoryLimit(t *testing.T) {
	byHTTP(t, saying(chat.AckUpdate, journey)(), func(t *testing.T, w *world) {
		w.Tolerate()
		m := w.whispered(t, ben)
		end := w.slowBodies()
		if a := w.Press(ben, m, "one", ""); !a.OK() || a.Took.Round(time.Millisecond) != 0 {
			t.Errorf("a press is answered with %d after %v", a.Status, a.Took)
		}
		large := []byte(`{"type":1}` + strings.Repeat(" ", maxPayload/2))
		ping := func(want int, after time.Duration) {
			t.Helper()
			began := time.Now()
			code := pinged(t, w.discord, large, nil).Code
			if waited := time.Since(began); code != want || waited != after {
				t.Errorf("a large delivery is answered with %d after %v", code, waited)
			}
		}
		ping(http.StatusServiceUnavailable, webhook.MemoryTimeout)
		time.AfterFunc(webhook.MemoryTimeout/2, end)
		ping(http.StatusOK, webhook.MemoryTimeout/2)
		w.settled(t)
	})
}

// A delivery that has been read delays no other, however long the bot takes.
func TestSlowHandlerHoldsNoReadMemory(t *testing.T) {
	byHTTP(t, saying(chat.AckWhisper, after(1900*time.Millisecond, journey))(), func(t *testing.T, w *world) {
		m := w.post(t, card("join us", "join"))
		var all sync.WaitGroup
		for i := range 100 {
			id := fmt.Sprint(1100000000000010000 + i)
			w.AddUser(fake.User{ID: id, Name: fmt.Sprint("u", i)})
			all.Go(func() {
				if a := w.Press(id, m, "join", ""); !a.OK() {
					t.Errorf("answered with %d", a.Status)
				}
			})
		}
		all.Wait()
		w.settled(t)
	})
}

func TestPing(t *testing.T) {
	byHTTP(t, &platformtest.Script{}, func(t *testing.T, w *world) {
		if a := w.Ping(); !a.OK() || a.Type != 1 {
			t.Errorf("answered with %+v", a)
		}
	})
}

// Discord closes the connection. The event is still handled, and its card reaches the conversation
// with the bot without the token.
func TestClientDisconnects(t *testing.T) {
	handle := after(8*time.Second, journey)
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, saying(chat.AckUpdate, handle)())
		m := w.say(t, ben, card("before", "one"))
		w.Serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Second)
			defer cancel()
			w.discord.Handler().ServeHTTP(rw, r.WithContext(ctx))
		}))
		w.Tolerate()
		w.Press(ben, m, "one", "")
		w.settled(t)
		w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "after one / [one] [two]")
	})
}

// BenchmarkPress measures one press by HTTP, from the signature to the response; BenchmarkBare
// measures a handler that verifies, decodes and does nothing else.
func BenchmarkPress(b *testing.B) {
	s := fake.New(b)
	d, err := New(b.Context(), Options{Token: fake.Token, PublicKey: fake.PublicKey, APIURL: fake.URL, Dial: s.Dial, Commands: specs, Responder: silent{}})
	if err != nil {
		b.Fatal(err)
	}
	bench(b, d.Handler())
}

func BenchmarkBare(b *testing.B) {
	key, err := hex.DecodeString(fake.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	bench(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, _ := io.ReadAll(r.Body)
		signature, _ := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
		var in interaction
		if !ed25519.Verify(key, append([]byte(r.Header.Get("X-Signature-Timestamp")), payload...), signature) || json.Unmarshal(payload, &in) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, `{"type":6}`)
	}))
}

// silent answers every press with a change of its card.
type silent struct{}

func (silent) Ack(chat.Event) chat.Ack { return chat.AckUpdate }
func (silent) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	return journey(ctx, e)
}

func bench(b *testing.B, h http.Handler) {
	b.ReportAllocs()
	var all []*http.Request
	n := uint64(1 << 60)
	for b.Loop() {
		if len(all) == 0 { // signing is Discord's work
			b.StopTimer()
			for range 1000 {
				n++
				payload := fmt.Appendf(nil, `{"id":"%d","application_id":"%s","type":3,"token":"t%d","channel_id":"%s","user":{"id":"%d"},"context":1,"message":{"id":"%d","flags":32768},"data":{"custom_id":"one","component_type":2}}`,
					n, fake.App, n, fake.DM(ben), n, n) // each is somebody else's: one person may not press so fast
				r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(payload))
				fake.Sign(r, payload, time.Now())
				all = append(all, r)
			}
			b.StartTimer()
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, all[0])
		all = all[1:]
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
