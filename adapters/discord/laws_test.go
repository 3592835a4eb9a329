package discord

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platform/platformlaw"
)

func TestPlatformLaws(t *testing.T) {
	staged := func(t *testing.T, s platformlaw.Setup) *world {
		w := stage(t, s.Bot, func(o *Options) {
			o.Observer = s.Observer
			o.Log = slog.New(slog.NewTextHandler(s.Log, nil))
		})
		w.log = s.Log
		return w
	}
	t.Run("http", func(t *testing.T) {
		platformlaw.Run(t, func(t *testing.T, s platformlaw.Setup) *platformlaw.Platform {
			w := staged(t, s)
			w.Serve(w.discord.Handler())
			return w.law(t)
		})
	})
	t.Run("gateway", func(t *testing.T) {
		platformlaw.Run(t, func(t *testing.T, s platformlaw.Setup) *platformlaw.Platform {
			w := staged(t, s)
			w.run(t, w.discord)
			return w.law(t)
		})
	})
}

// law returns the world in the form that the laws use.
func (w *world) law(t *testing.T) *platformlaw.Platform {
	cards := func(all []fake.Message) []string {
		out := make([]string, len(all))
		for i, m := range all {
			c, err := fake.ReadCard(m.Components)
			if err != nil {
				t.Error(err)
			}
			out[i] = strings.TrimSpace(c.String())
		}
		return out
	}
	return &platformlaw.Platform{
		Sender:  w.discord,
		Options: w.discord.options,
		Secrets: []string{fake.Token},
		Place:   channel(team),
		FailPosts: func(faults ...platformlaw.Fault) {
			w.Heal("send")
			for _, f := range faults {
				w.Fail("send", lawFault(f))
			}
		},
		Posts:  func() int { return len(w.Calls("send")) },
		Posted: func() []string { return cards(w.Messages(team)) },
		Seen:   func() []string { return cards(w.Seen(ben)) },
		Down:   w.Down,
		Button: func(verb string) func() {
			m := w.say(t, ben, card("before", verb))
			return func() {
				if a := w.Press(ben, m, verb, ""); !a.OK() {
					t.Errorf("the press was answered with %+v", a)
				}
			}
		},
		Submit: func(values map[string][]string) { w.Submit(ben, values) },
	}
}

// lawFault returns a fault in Discord's form.
func lawFault(f platformlaw.Fault) fake.Fault {
	out := fake.Fault{
		Status: f.Status, After: f.RetryAfter.Seconds(), Lose: f.Lost, Cut: f.Cut, Wait: f.Wait,
	}
	if f.Refused {
		out.Status, out.Code = http.StatusBadRequest, 50035
	}
	return out
}
