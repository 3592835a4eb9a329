package slack

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

func TestProfileInEvent(t *testing.T) {
	whispers := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("psst")}} }
	byHTTP(t, whispers, func(t *testing.T, w *world) {
		last := func() chat.Event { synctest.Wait(); return w.bot.Events[len(w.bot.Events)-1] }
		w.Command(ana, team, "new")
		if e := last(); !e.Admin || e.Locale != "cy-GB" {
			t.Errorf("Ana's event is %+v", e)
		}
		w.Say(ana, "hello")
		w.Say(ben, "hello")
		if e := last(); e.Admin || e.Locale != "en-GB" {
			t.Errorf("Ben's event is %+v", e)
		}
		w.want(t, "asked", fmt.Sprint(len(w.Calls("users.info"))), "2")
		w.ChangeUser(fake.User{ID: ben, Admin: true, Locale: "cy-GB"})
		w.Say(ben, "hello")
		if e := last(); !e.Admin || e.Locale != "cy-GB" {
			t.Errorf("Ben's event is %+v", e)
		}
		time.Sleep(2 * time.Hour)
		w.Say(ben, "hello")
		w.want(t, "asked", fmt.Sprint(len(w.Calls("users.info"))), "4")

		w.AddUser(fake.User{ID: "U0CEM00000", Locale: "cy-GB"})
		w.Fail("users.info", fake.Fault{Wait: 5 * time.Second})
		if a := w.Command("U0CEM00000", team, "help"); a.Took > 800*time.Millisecond {
			t.Errorf("waited %v for a profile", a.Took)
		}
		if e := last(); e.Locale != "" {
			t.Errorf("Cem's event is %+v", e)
		}
		time.Sleep(5 * time.Second)
		w.Command("U0CEM00000", team, "help")
		if e := last(); e.Locale != "cy-GB" {
			t.Errorf("Cem's event is %+v", e)
		}
		// A press that changes its card does not wait for the profile, which is there for the next.
		w.AddUser(fake.User{ID: "U0DAN00000", Zone: "Europe/Lisbon"})
		w.Fail("users.info", fake.Fault{Wait: 5 * time.Second})
		if a := w.Press("U0DAN00000", fake.Message{Channel: team, TS: "1.1"}, "one", ""); a.Took > 10*time.Millisecond {
			t.Errorf("waited %v for a profile", a.Took)
		}
		time.Sleep(6 * time.Second)
		w.Press("U0DAN00000", fake.Message{Channel: team, TS: "1.1"}, "one", "")
		if e := last(); e.TimeZone != "Europe/Lisbon" {
			t.Errorf("Dan's event is %+v", e)
		}
		// A profile that Slack does not return is requested again after a minute.
		w.AddUser(fake.User{ID: "U0EVE00000", Gone: true})
		before := len(w.Calls("users.info"))
		for range 5 {
			w.Press("U0EVE00000", fake.Message{Channel: team, TS: "1.1"}, "one", "")
			synctest.Wait()
		}
		w.want(t, "asked", fmt.Sprint(len(w.Calls("users.info"))-before), "1")
		time.Sleep(2 * time.Minute)
		w.Press("U0EVE00000", fake.Message{Channel: team, TS: "1.1"}, "one", "")
		synctest.Wait()
		w.want(t, "asked after a minute", fmt.Sprint(len(w.Calls("users.info"))-before), "2")
	})
}

// In an enterprise the id of a person from another workspace has the same form as a member's; only
// the profile shows the difference.
func TestEnterpriseOutsider(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.bot.How = func(chat.Event) chat.Ack { return chat.AckWhisper }
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true, Admin: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		for i, c := range []struct{ user, workspace string }{{ben, fake.Team}, {"U0STRANGE0", fake.Other}, {"U0GONE0000", "none"}} {
			body := fmt.Sprintf(`{"type":"block_actions","trigger_id":"t%d","user":{"id":%q,"team_id":%q},"team":{"id":%q},"enterprise":{"id":"E1"},`+
				`"container":{"type":"message","channel_id":%q,"message_ts":"1.1"},"actions":[{"type":"button","action_id":"join","action_ts":"1.1"}]}`, i, c.user, fake.Other, fake.Team, team)
			if a := w.Post(request(formKind, url.Values{"payload": {body}}.Encode(), time.Now())); !a.OK() {
				t.Errorf("%s: %+v", c.user, a)
			}
			synctest.Wait()
			e := w.bot.Events[len(w.bot.Events)-1]
			if e.Who != (chat.Person{Platform: Platform, Workspace: c.workspace, ID: c.user}) || e.Admin {
				t.Errorf("%s is %+v", c.user, e.Who)
			}
		}
	})
}

// While Slack does not return the profile of a person from another workspace of the enterprise,
// the person does not count as a member, whatever they press. As soon as it does, they do.
func TestEnterpriseMembershipUnknown(t *testing.T) {
	for _, ack := range []chat.Ack{chat.AckWhisper, chat.AckUpdate} {
		byHTTP(t, nil, func(t *testing.T, w *world) {
			w.bot.How = func(chat.Event) chat.Ack { return ack }
			n := 0
			unverified := func(user, from string) bool {
				n++
				body := fmt.Sprintf(`{"type":"block_actions","trigger_id":"t%d","user":{"id":%q,"team_id":%q},"team":{"id":%q},"enterprise":{"id":"E1"},`+
					`"container":{"type":"message","channel_id":%q,"message_ts":"1.1"},"actions":[{"type":"button","action_id":"join","action_ts":"1.1"}]}`, n, user, from, fake.Team, team)
				w.Post(request(formKind, url.Values{"payload": {body}}.Encode(), time.Now()))
				time.Sleep(10 * time.Second)
				return w.bot.Events[len(w.bot.Events)-1].Unverified
			}
			w.Fail("users.info", fake.Fault{Wait: 5 * time.Second}, fake.Fault{Status: 404})
			if !unverified(ben, fake.Other) {
				t.Error("Slack was slow, and Ben of another workspace passes for ours")
			}
			if unverified(ben, fake.Other) {
				t.Error("Slack has told that Ben is ours")
			}
			w.AddUser(fake.User{ID: "U0EVE00000"})
			if !unverified("U0EVE00000", fake.Other) {
				t.Error("Slack did not tell of Eve, who passes for ours")
			}
			w.AddUser(fake.User{ID: "U0FAY00000"})
			w.Fail("users.info", fake.Fault{Wait: 5 * time.Second})
			if unverified("U0FAY00000", fake.Team) {
				t.Error("Fay's own workspace is ours")
			}
		})
	}
}

// People picked in a form must pass the same checks as people in a list.
func TestPickedPeople(t *testing.T) {
	form := chat.Form{Title: "Invite", Submit: "Send", Cancel: "Cancel", Action: chat.NewAction("send"), Fields: []chat.Field{chat.People{Label: chat.Label{ID: "people", Text: "People"}}}}
	byHTTP(t, func(_ context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Submit {
			return nil
		}
		return []chat.Reply{chat.OpenForm{Form: form}}
	}, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GUEST000", Guest: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true})
		w.AddUser(fake.User{ID: "U0ROBOT000", Bot: true})
		pick := func(ids ...string) []string {
			w.Command(ana, team, "invite")
			synctest.Wait()
			w.Submit(ana, map[string][]string{"people": ids})
			time.Sleep(2 * pickTimeout)
			synctest.Wait()
			return w.bot.Events[len(w.bot.Events)-1].Values["people"]
		}
		ours := func(id string) string { return chat.Person{Platform: Platform, Workspace: fake.Team, ID: id}.String() }
		got := pick(ben, "U0GUEST000", "U0GONE0000", "U0STRANGE0", "U0ROBOT000", "U0NOBODY00")
		w.want(t, "picked", fmt.Sprint(got), fmt.Sprint([]string{ours(ben), ours("U0GUEST000"), "U0GONE0000", "U0STRANGE0", "U0ROBOT000", "U0NOBODY00"}))
		for _, v := range got[2:] {
			if p, err := chat.ParsePerson(v); err == nil {
				t.Errorf("%q passes for %v", v, p)
			}
		}
		many := []string{"U0STRANGE0"}
		for n := range 2 * lookupLimit {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			many = append(many, id)
		}
		before := len(w.Calls("users.info"))
		got = pick(many...)
		if len(got) != len(many) || got[0] != "U0STRANGE0" || got[1] != ours("U0MANY0000") {
			t.Errorf("of many: %v", got)
		}
		w.want(t, "calls of users.info for many", fmt.Sprint(len(w.Calls("users.info"))-before), "0")
		// Slack offered the people whose profiles do not arrive in time.
		w.AddUser(fake.User{ID: "U0LATE0000"})
		w.Fail("users.info", fake.Fault{Status: 429, RetryAfter: 60})
		w.want(t, "unknown", fmt.Sprint(pick("U0LATE0000")), fmt.Sprint([]string{ours("U0LATE0000")}))
	})
}

// The id that a client gives to a message is compared only within its channel.
func TestMessageIDsPerChannel(t *testing.T) {
	hi := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("hi")}} }
	byHTTP(t, hi, func(t *testing.T, w *world) {
		for _, user := range []string{ana, ben} {
			w.Event(map[string]any{"type": "message", "channel": fake.IM(user), "channel_type": "im", "user": user, "team": fake.Team, "text": "x", "ts": "1.000001", "client_msg_id": "same"})
			synctest.Wait()
			w.want(t, user, texts(t, w.Messages(fake.IM(user))), "hi")
		}
	})
}
