package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

func TestHomeRedrawn(t *testing.T) {
	n := 0
	homes := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Home {
			n++
			return []chat.Reply{chat.Update{Card: card(fmt.Sprint("page ", n), "one")}}
		}
		return updates(ctx, e)
	}
	page := func(t *testing.T, w *world) string {
		var v struct{ Blocks json.RawMessage }
		if home := w.Home(ben); home == nil {
			return ""
		} else if err := json.Unmarshal(home.Body, &v); err != nil {
			t.Fatal(err)
		}
		c, err := fake.ReadCard(v.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(c.String())
	}
	byHTTP(t, homes, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		w.Press(ben, m, "one", "")
		time.Sleep(5 * time.Second)
		w.want(t, "who has not looked has no page", page(t, w), "")
		w.Fail("views.publish", fake.Fault{Status: 429, RetryAfter: 2})
		w.OpenHome(ben)
		time.Sleep(3 * time.Second)
		w.want(t, "opened", page(t, w), "page 1\n[one]")
		for range 7 {
			w.Press(ben, m, "one", "")
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		if calls := len(w.Calls("views.publish")); calls < 3 || calls > 6 {
			t.Errorf("%d calls of views.publish", calls)
		}
		w.want(t, "handled last", fmt.Sprint(w.bot.Events[len(w.bot.Events)-1].Kind), fmt.Sprint(chat.Home))
		before := len(w.Messages(fake.IM(ben)))
		w.PressHome(ben, "two", "")
		synctest.Wait()
		w.want(t, "a press there answers in messages", texts(t, w.Messages(fake.IM(ben))[before:]), "after two")
		w.want(t, "and changes nothing", fmt.Sprint(len(w.Calls("chat.update"))), "0")
		time.Sleep(3 * time.Second)
		before = n
		w.Press(ben, m, "one", "") // drawn at once
		synctest.Wait()
		w.Press(ben, m, "one", "") // to be drawn in two seconds
		synctest.Wait()
		if err := w.slack.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.want(t, "drawn before the end", page(t, w), fmt.Sprintf("page %d\n[one]", before+2))
	})
}
