package slack

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/platform/platformlaw"
	"maturitybot/adapters/slack/fake"
)

func TestPlatformLaws(t *testing.T) {
	t.Run("http", func(t *testing.T) {
		platformlaw.Run(t, func(t *testing.T, s platformlaw.Setup) *platformlaw.Platform {
			w := stageWith(t, s.Bot, s.Log, s.Observer)
			w.Serve(w.slack.Handler())
			return w.law(t)
		})
	})
	t.Run("socket", func(t *testing.T) {
		platformlaw.Run(t, func(t *testing.T, s platformlaw.Setup) *platformlaw.Platform {
			w := stageWith(t, s.Bot, s.Log, s.Observer)
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- w.slack.RunSocket(ctx) }()
			t.Cleanup(func() {
				stop()
				if err := <-ended; err != nil {
					t.Errorf("it ended with %v", err)
				}
			})
			synctest.Wait()
			return w.law(t)
		})
	})
}

// law returns the world in the form that the laws use.
func (w *world) law(t *testing.T) *platformlaw.Platform {
	cards := func(all []fake.Message) []string {
		out := make([]string, len(all))
		for i, m := range all {
			c, err := fake.ReadCard(m.Blocks)
			if err != nil {
				t.Error(err)
			}
			out[i] = strings.TrimSpace(c.String())
		}
		return out
	}
	return &platformlaw.Platform{
		Sender:  w.slack,
		Options: w.slack.options,
		Secrets: []string{fake.Token, fake.AppToken, fake.Secret},
		Place:   placeTeam,
		FailPosts: func(faults ...platformlaw.Fault) {
			w.Heal("chat.postMessage")
			for _, f := range faults {
				w.Fail("chat.postMessage", lawFault(f))
			}
		},
		Posts:  func() int { return len(w.Calls("chat.postMessage")) },
		Posted: func() []string { return cards(w.Messages(team)) },
		Seen:   func() []string { return cards(w.Seen(ben)) },
		Down:   w.Down,
		Button: func(verb string) func() {
			m := w.send(t, ben, card("before", verb))
			return func() {
				if a := w.Press(ben, m, verb, ""); !a.OK() {
					t.Errorf("the press was answered with %+v", a)
				}
			}
		},
		Submit: func(values map[string][]string) { w.Submit(ben, values) },
	}
}

// lawFault returns a fault in Slack's form.
func lawFault(f platformlaw.Fault) fake.Fault {
	out := fake.Fault{
		Status: f.Status, RetryAfter: int(f.RetryAfter / time.Second),
		Lose: f.Lost, Cut: f.Cut, Wait: f.Wait,
	}
	if f.Refused {
		out.Error = "msg_too_long"
	}
	return out
}
