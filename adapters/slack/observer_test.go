package slack

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/platformtest"
	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

func TestObserverSocketCount(t *testing.T) {
	var observed platformtest.Observer
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, updates)
		w.slack.options.Observer = &observed
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.slack.RunSocket(ctx) }()
		synctest.Wait()
		w.want(t, "opened", observed.String(), "acknowledged [] limited [] connected [1 2]")
		w.Disconnect("refresh_requested")
		time.Sleep(10 * time.Second)
		w.want(t, "refreshed", observed.String(), "acknowledged [] limited [] connected [1 2]")
		w.Down(true)
		time.Sleep(time.Minute)
		w.want(t, "down", observed.String(), "acknowledged [] limited [] connected [1 0]")
		w.Down(false)
		time.Sleep(time.Minute)
		w.want(t, "up again", observed.String(), "acknowledged [] limited [] connected [1 2]")
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		w.want(t, "ended", observed.String(), "acknowledged [] limited [] connected [1 0]")
	})
}

// TestNewUnavailable checks that New returns chat.ErrUnavailable for an outage, and not for an
// error that the operator must correct.
func TestNewUnavailable(t *testing.T) {
	for name, c := range map[string]struct {
		fault fake.Fault
		down  bool
		pass  bool
	}{
		"down":          {down: true, pass: true},
		"500":           {fault: fake.Fault{Status: 500}, pass: true},
		"503":           {fault: fake.Fault{Status: 503}, pass: true},
		"limited":       {fault: fake.Fault{Status: 429, RetryAfter: 200}, pass: true},
		"lost":          {fault: fake.Fault{Lose: true}, pass: true},
		"fatal_error":   {fault: fake.Fault{Error: "fatal_error"}, pass: true},
		"invalid_auth":  {fault: fake.Fault{Error: "invalid_auth"}},
		"org_login":     {fault: fake.Fault{Error: "org_login_required"}},
		"not Slack's":   {fault: fake.Fault{Status: 404}},
		"token_revoked": {fault: fake.Fault{Error: "token_revoked"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := fake.New(t)
			f.Down(c.down)
			for range maxAttempts {
				f.Fail("auth.test", c.fault)
			}
			_, err := New(t.Context(), Options{Token: fake.Token, AppToken: fake.AppToken, APIURL: fake.URL, Dial: f.Dial, Responder: &platformtest.Script{}})
			if err == nil || errors.Is(err, chat.ErrUnavailable) != c.pass {
				t.Errorf("%s: %v", name, fmt.Sprint(err))
			}
		})
	}
}
