package discord

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/adapters/platformtest"
	"maturitybot/bot/chat"
)

func TestObserverGateway(t *testing.T) {
	var observed platformtest.Observer
	synctest.Test(t, func(t *testing.T) {
		w := stage(t, &platformtest.Script{}, func(o *Options) { o.Observer = &observed })
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.discord.RunGateway(ctx) }()
		synctest.Wait()
		w.want(t, "ready", observed.String(), "acknowledged [] limited [] connected [1]")
		w.Cut()
		synctest.Wait()
		w.want(t, "cut", observed.String(), "acknowledged [] limited [] connected [0]")
		time.Sleep(time.Minute)
		w.want(t, "resumed", observed.String(), "acknowledged [] limited [] connected [1]")
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		w.want(t, "ended", observed.String(), "acknowledged [] limited [] connected [0]")
	})
}

// TestNewUnavailable checks that New and Register return chat.ErrUnavailable for an outage, and
// not for an error that the operator must correct.
func TestNewUnavailable(t *testing.T) {
	for name, c := range map[string]struct {
		fault fake.Fault
		down  bool
		pass  bool
	}{
		"down":           {down: true, pass: true},
		"500":            {fault: fake.Fault{Status: 500}, pass: true},
		"lost":           {fault: fake.Fault{Lose: true}, pass: true},
		"limited":        {fault: fake.Fault{Status: 429, After: 200}, pass: true},
		"shut out":       {fault: fake.Fault{Status: 429, HTML: true}, pass: true},
		"refused":        {fault: fake.Fault{Status: 401}},
		"not Discord's":  {fault: fake.Fault{Status: 404, HTML: true}},
		"missing access": {fault: fake.Fault{Status: 403, Code: 50001}},
	} {
		for _, op := range []string{"me", "commands"} {
			synctest.Test(t, func(t *testing.T) {
				w := &world{Server: fake.New(t), bot: &platformtest.Script{}, log: &platformtest.Log{}}
				d := &Discord{}
				var err error
				if op == "commands" {
					d = w.start(t, w.options())
				}
				w.Down(c.down)
				for range maxAttempts {
					w.Fail(op, c.fault)
				}
				if op == "commands" {
					err = d.Register(t.Context())
				} else {
					_, err = New(t.Context(), w.options())
				}
				if err == nil || errors.Is(err, chat.ErrUnavailable) != c.pass {
					t.Errorf("%s of %s: %v", name, op, err)
				}
			})
		}
	}
}
