package slack

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
)

// A list of people that was interrupted by a rate limit continues where it stopped.
func TestFindResumesAfterRateLimit(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		for n := range 50 {
			w.AddUser(fake.User{ID: fmt.Sprintf("U0MANY%04d", n), Email: fmt.Sprintf("p%d@example.org", n)})
		}
		find := func() int {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			for n := range 52 {
				if _, err := w.slack.Find(ctx, placeTeam, fmt.Sprintf("P%d@example.org", n)); err != nil && !errors.Is(err, chat.ErrNobody) {
					return n
				}
			}
			return 52
		}
		w.Fail("users.lookupByEmail", append(make([]fake.Fault, 30), fake.Fault{Status: 429, RetryAfter: 40})...)
		w.want(t, "found before the limit", fmt.Sprint(find()), "30")
		time.Sleep(time.Minute)
		before := len(w.Calls("users.lookupByEmail"))
		w.want(t, "found after it", fmt.Sprint(find()), "52")
		w.want(t, "asked for", fmt.Sprint(len(w.Calls("users.lookupByEmail"))-before), "22")
		// A user who leaves is not found any more, and a user who joins is found soon.
		w.ChangeUser(fake.User{ID: "U0MANY0000", Email: "p0@example.org", Deleted: true})
		w.AddUser(fake.User{ID: "U0MANY0050", Email: "p50@example.org"})
		time.Sleep(addressMissTTL)
		for word, want := range map[string]error{"p0@example.org": chat.ErrNobody, "p50@example.org": nil} {
			if _, err := w.slack.Find(t.Context(), placeTeam, word); !errors.Is(err, want) {
				t.Errorf("Find(%q): %v", word, err)
			}
		}
		for n := 0; len(w.slack.profiles.addresses) < maxProfiles; n++ {
			w.slack.profiles.addresses[fmt.Sprint(n)] = address{}
		}
		w.slack.Find(t.Context(), placeTeam, "ana@example.org")
		if n := len(w.slack.profiles.addresses); n > maxProfiles {
			t.Errorf("%d addresses are kept", n)
		}
	})
}

func TestFind(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GUEST000", Email: "guest@example.org", Guest: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Email: "gone@example.org", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Email: "strange@example.org", Stranger: true})
		w.AddUser(fake.User{ID: "U0ROBOT000", Email: "robot@example.org", Bot: true})
		for word, want := range map[string]string{
			"ana@example.org": ana, " ANA@example.org ": ana, "<@" + ben + ">": ben, "<@" + ben + "|ben>": ben, ben: ben,
			"<mailto:ben@example.org|ben@example.org>": ben, "guest@example.org": "U0GUEST000",
			"gone@example.org": "", "U0GONE0000": "", "strange@example.org": "", "U0STRANGE0": "", "robot@example.org": "", fake.Bot: "",
			"U0NOBODY00": "", "nobody@example.org": "", "Ben": "", "": "", "<!channel>": "",
		} {
			p, err := w.slack.Find(t.Context(), placeTeam, word)
			switch {
			case want == "" && !errors.Is(err, chat.ErrNobody):
				t.Errorf("Find(%q) = %v, %v, want ErrNobody", word, p, err)
			case want != "" && (err != nil || p != chat.Person{Platform: Platform, Workspace: fake.Team, ID: want}):
				t.Errorf("Find(%q) = %v, %v, want %s", word, p, err, want)
			}
		}
		time.Sleep(addressTTL)
		w.Fail("users.lookupByEmail", fake.Fault{Error: "missing_scope"})
		if _, err := w.slack.Find(t.Context(), placeTeam, "ana@example.org"); err == nil || errors.Is(err, chat.ErrNobody) {
			t.Errorf("without the scope: %v", err)
		}
	})
}

func TestMembers(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		w.AddUser(fake.User{ID: "U0GUEST000", Guest: true})
		w.AddUser(fake.User{ID: "U0GONE0000", Deleted: true})
		w.AddUser(fake.User{ID: "U0STRANGE0", Stranger: true})
		w.AddUser(fake.User{ID: "U0ROBOT000", Bot: true})
		some := []string{ana, ben, "U0GUEST000", "U0GONE0000", "U0STRANGE0", "U0ROBOT000"}
		w.AddChannel(fake.Channel{ID: team, Members: some, BotIn: true})
		w.Fail("conversations.members", fake.Fault{Status: 500}, fake.Fault{Lose: true}, fake.Fault{Status: 429, RetryAfter: 1})
		all, err := w.slack.Members(t.Context(), placeTeam)
		if err != nil || len(all) != 3 {
			t.Errorf("members are %v, %v", all, err)
		}
		w.want(t, "calls of users.list", fmt.Sprint(len(w.Calls("users.list"))), "0")
		for n := range 2500 {
			id := fmt.Sprintf("U0MANY%04d", n)
			w.AddUser(fake.User{ID: id})
			some = append(some, id)
		}
		w.AddChannel(fake.Channel{ID: team, Members: some, BotIn: true})
		before := len(w.Calls("users.info"))
		for range 2 {
			if all, err = w.slack.Members(t.Context(), placeTeam); err != nil || len(all) != 2503 {
				t.Errorf("%d members, %v", len(all), err)
			}
		}
		w.want(t, "calls of users.list", fmt.Sprint(len(w.Calls("users.list"))), "3")
		if more := len(w.Calls("users.info")) - before; more > 1 { // the stranger is on no list
			t.Errorf("%d calls of users.info", more)
		}
		w.AddChannel(fake.Channel{ID: "C0PRIVATE0", Private: true})
		for _, id := range []string{"C0PRIVATE0", "C0NOWHERE0"} {
			if _, err := w.slack.Members(t.Context(), chat.Place{Platform: Platform, Workspace: fake.Team, Channel: id}); !errors.Is(err, chat.ErrNobody) {
				t.Errorf("members of %s: %v", id, err)
			}
		}
	})
}

func TestCanPost(t *testing.T) {
	byHTTP(t, nil, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			channel fake.Channel
			want    chat.Obstacle
		}{
			"member":          {channel: fake.Channel{BotIn: true}},
			"no member":       {channel: fake.Channel{}, want: chat.NotMember},
			"private":         {channel: fake.Channel{Private: true, BotIn: true}},
			"private, not in": {channel: fake.Channel{Private: true}, want: chat.NotMember},
			"archived":        {channel: fake.Channel{BotIn: true, Archived: true}, want: chat.Archived},
		} {
			c.channel.ID = "C0OTHER000"
			w.AddChannel(c.channel)
			err := w.slack.CanPost(t.Context(), chat.Place{Platform: Platform, Workspace: fake.Team, Channel: c.channel.ID})
			why, _ := errors.AsType[*chat.CannotPostError](err)
			if err == nil && c.want != "" || err != nil && (why == nil || why.Reason != c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
		if err := w.slack.CanPost(t.Context(), chat.Place{Platform: Platform, Workspace: fake.Team, Channel: fake.IM(ben)}); err != nil {
			t.Errorf("a person's own conversation: %v", err)
		}
		w.Fail("conversations.info", fake.Fault{Error: "missing_scope"})
		err := w.slack.CanPost(t.Context(), placeTeam)
		if _, known := errors.AsType[*chat.CannotPostError](err); err == nil || known {
			t.Errorf("where Slack does not say: %v", err)
		}
		// Obstacles that only a post shows.
		w.AddChannel(fake.Channel{ID: team, Members: []string{ana}, BotIn: true, Closed: true})
		err = w.slack.Post(t.Context(), "", placeTeam, card("results"), nil)
		if why, ok := errors.AsType[*chat.CannotPostError](err); !ok || why.Reason != chat.Restricted || !errors.Is(err, chat.ErrUnreachable) {
			t.Errorf("where only some can post: %v", err)
		}
	})
}
