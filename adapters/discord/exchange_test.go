package discord

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"maturitybot/adapters/discord/fake"
	"maturitybot/bot/chat"
)

func TestSlowHandlerDefers(t *testing.T) {
	whisper, post := chat.Whisper{Card: card("whispered")}, chat.Post{To: channel(team), Card: card("posted"), Then: sorry("sorry")}
	for _, c := range []struct {
		name     string
		ack      chat.Ack
		private  bool
		replies  []chat.Reply
		first    int
		whispers string
		channel  string
	}{
		{"update", chat.AckUpdate, false, []chat.Reply{chat.Update{Card: card("after")}}, 6, "after", ""},
		{"update and whisper", chat.AckUpdate, false, []chat.Reply{chat.Update{Card: card("after")}, whisper}, 6, "after; whispered", ""},
		{"update with nothing", chat.AckUpdate, false, nil, 6, "before / [one] [two]", ""},
		{"whisper", chat.AckWhisper, false, []chat.Reply{whisper}, 5, "before / [one] [two]; whispered", ""},
		{"two whispers", chat.AckWhisper, false, []chat.Reply{whisper, whisper}, 5, "before / [one] [two]; whispered; whispered", ""},
		{"whisper that is an update", chat.AckWhisper, false, []chat.Reply{chat.Update{Card: card("after")}}, 5, "before / [one] [two]; after", ""},
		{"nothing to whisper", chat.AckWhisper, false, nil, 5, "before / [one] [two]", ""},
		{"post and whisper", chat.AckWhisper, false, []chat.Reply{post, whisper}, 5, "before / [one] [two]; whispered", "posted"},
		{"post alone", chat.AckWhisper, false, []chat.Reply{post}, 5, "before / [one] [two]", "posted"},
		{"update of a conversation", chat.AckUpdate, true, []chat.Reply{chat.Update{Card: card("after")}}, 6, "", "after"},
		{"whisper in a conversation", chat.AckWhisper, true, []chat.Reply{whisper}, 5, "", "before / [one]; whispered"},
		{"nothing in a conversation", chat.AckWhisper, true, nil, 5, "", "before / [one]"},
		{"update of a conversation after a whisper", chat.AckWhisper, true, []chat.Reply{whisper, chat.Update{Card: card("after")}}, 5, "", "after; whispered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBothModes(t, saying(c.ack, slowly(8*time.Second, replying(c.replies...))), func(t *testing.T, w *world) {
				var m fake.Message
				at := team
				if c.private {
					m, at = w.say(t, ben, card("before", "one")), fake.DM(ben)
				} else {
					m = w.whispered(t, ben)
				}
				if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != c.first || a.Took > 2100*time.Millisecond {
					t.Errorf("answered with %d after %v: %v", a.Type, a.Took, a.Err)
				}
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ben)), c.whispers)
				w.want(t, "channel", texts(t, w.Messages(at)), c.channel)
			})
		})
	}
}

func TestFirstResponseCarriesReply(t *testing.T) {
	whisper, post := chat.Whisper{Card: card("whispered")}, chat.Post{To: channel(team), Card: card("posted"), Then: sorry("sorry")}
	update := chat.Update{Card: card("after")}
	for _, c := range []struct {
		name     string
		replies  []chat.Reply
		first    int
		whispers string
		calls    string
	}{
		{"whisper", []chat.Reply{whisper}, 4, "before / [one] [two]; whispered", ""},
		{"whisper, then update", []chat.Reply{whisper, update}, 7, "after; whispered", "followup"},
		{"update, then post", []chat.Reply{update, post}, 7, "after", "send"},
		{"post, then update", []chat.Reply{post, update}, 6, "after", "send original"},
		{"nothing", nil, 6, "before / [one] [two]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			byHTTP(t, saying(chat.AckUpdate, slowly(0, replying(c.replies...)))(), func(t *testing.T, w *world) {
				m := w.whispered(t, ben)
				if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != c.first {
					t.Errorf("answered with %+v", a)
				}
				w.settled(t)
				w.want(t, "whispers", texts(t, w.Whispers(ben)), c.whispers)
				// A change may be made again: by HTTP it can arrive before what it changes.
				w.want(t, "calls", strings.Join(slices.Compact(strings.Fields(w.ops())), " "), c.calls)
			})
		})
	}
}

// A change may reach Discord before Discord has processed the first response.
func TestEditBeforeTokenSettles(t *testing.T) {
	whisper := chat.Whisper{Card: card("whispered")}
	byHTTP(t, saying(chat.AckUpdate, slowly(0, replying(chat.Update{Card: card("after")}, whisper)))(), func(t *testing.T, w *world) {
		w.Digest(400 * time.Millisecond)
		m := w.whispered(t, ben)
		w.Press(ben, m, "one", "")
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after; whispered")
	})
}

// Each call takes most of a second. The first response is still in time.
func TestSlowAPI(t *testing.T) {
	for _, handling := range []time.Duration{0, 8 * time.Second} {
		byGateway(t, saying(chat.AckUpdate, slowly(handling, journey))(), func(t *testing.T, w *world) {
			w.Latency(func(string) time.Duration { return 900 * time.Millisecond })
			m := w.whispered(t, ben)
			if a := w.Press(ben, m, "one", ""); !a.OK() {
				t.Errorf("answered after %v: %v", a.Took, a.Err)
			}
			w.settled(t)
			w.want(t, "whispers", texts(t, w.Whispers(ben)), "after one / [one] [two]")
		})
	}
}

func TestFormOpens(t *testing.T) {
	note := form(chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 500, Lines: true})
	for _, took := range []time.Duration{0, 2300 * time.Millisecond} {
		inBothModes(t, saying(chat.AckForm, slowly(took, replying(chat.OpenForm{Form: note}))), func(t *testing.T, w *world) {
			m := w.whispered(t, ben)
			if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != 9 {
				t.Errorf("answered with %+v", a)
			}
			got, err := fake.ReadForm(w.Modal(ben).Body)
			if err != nil {
				t.Fatal(err)
			}
			want := note
			want.Submit = "Submit"
			w.want(t, "form", got.String(), want.String())
		})
	}
}

// No form opens after the first response. The user can ask for it again.
func TestFormTooLate(t *testing.T) {
	note := form(chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 500})
	inBothModes(t, saying(chat.AckForm, slowly(8*time.Second, replying(chat.OpenForm{Form: note}))), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		if a := w.Press(ben, m, "one", ""); !a.OK() || a.Type != 5 {
			t.Errorf("answered with %+v", a)
		}
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "before / [one] [two]; [Detail]")
	})
}

// The user sees what is wrong with a form, and what they typed into it.
func TestFieldErrors(t *testing.T) {
	fields := []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: 3000, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: "Barrier"}, Max: 3000, Lines: true},
		chat.Select{Label: chat.Label{ID: "held", Text: "Held"}, Options: []chat.Option{{Value: "survey-data", Label: "Survey"}}},
	}
	handle := func(took time.Duration) func(context.Context, chat.Event) []chat.Reply {
		return func(_ context.Context, e chat.Event) []chat.Reply {
			switch e.Kind {
			case chat.Command:
				return []chat.Reply{chat.Whisper{Card: card("before", "one")}}
			case chat.Press:
				return []chat.Reply{chat.OpenForm{Form: form(fields...)}}
			}
			time.Sleep(took)
			return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "Name no one, please.", "barrier": "Too vague."}}}
		}
	}
	for _, took := range []time.Duration{0, 8 * time.Second} {
		inBothModes(t, saying(chat.AckUpdate, handle(took)), func(t *testing.T, w *world) {
			m := w.whispered(t, ben)
			w.Press(ben, m, "one", "")
			a := w.Submit(ben, map[string][]string{"note": {"my *note*"}, "barrier": {"no time"}, "held": {"survey-data"}})
			if !a.OK() {
				t.Errorf("answered with %+v", a)
			}
			w.settled(t)
			w.want(t, "whispers", texts(t, w.Whispers(ben)), "before / [one]; Too vague. / Name no one, please. / my *note* / no time")
			w.Press(ben, m, "one", "")
			long := strings.Repeat("long ", 599)
			w.Submit(ben, map[string][]string{"note": {long}, "barrier": {long}, "held": {"survey-data"}})
			w.settled(t)
			all := w.Whispers(ben)
			if n := strings.Count(texts(t, all), strings.TrimSpace(long)); n != 2 {
				t.Errorf("%d of two long texts came back", n)
			}
		})
	}
}

func TestDismissedWhileDeferred(t *testing.T) {
	inBothModes(t, saying(chat.AckUpdate, slowly(8*time.Second, journey)), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		w.Press(ben, m, "one", "")
		w.Dismiss(m)
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after one / [one] [two]")
	})
}

// The token expires before the answer is there. In the conversation with the bot the card still
// changes; elsewhere the next press brings a new token.
func TestTokenExpired(t *testing.T) {
	handle := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Action.Verb == "one" && e.Kind == chat.Press {
			time.Sleep(8 * time.Second)
		}
		return journey(ctx, e)
	}
	inBothModes(t, saying(chat.AckUpdate, handle), func(t *testing.T, w *world) {
		in := w.say(t, ben, card("before", "one"))
		w.Press(ben, in, "one", "")
		w.Later(16 * time.Minute)
		w.settled(t)
		w.want(t, "conversation", texts(t, w.Messages(fake.DM(ben))), "after one / [one] [two]")

		m := w.whispered(t, eve)
		w.Press(eve, m, "one", "")
		w.Later(16 * time.Minute)
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(eve)), "before / [one] [two]")
		if !strings.Contains(w.log.String(), "reply not delivered") {
			t.Errorf("nothing was logged:\n%s", w.log)
		}
		w.Press(eve, m, "two", "")
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(eve)), "after two / [one] [two]")
	})
}

// The first response is late, or lost.
func TestFirstResponseByAPI(t *testing.T) {
	for name, c := range map[string]struct {
		faults   []fake.Fault
		tolerate bool
		private  bool
		want     string
	}{
		"lost on its way back":     {[]fake.Fault{{Lose: true}}, false, false, "after one / [one] [two]"},
		"lost on its way":          {[]fake.Fault{{Cut: true}}, false, false, "after one / [one] [two]"},
		"unavailable":              {[]fake.Fault{{Status: 503}, {Status: 502}}, false, false, "after one / [one] [two]"},
		"limited":                  {[]fake.Fault{{Status: 429, After: 0.5}}, false, false, "after one / [one] [two]"},
		"late":                     {[]fake.Fault{{Wait: 3500 * time.Millisecond}}, true, false, "before / [one] [two]"},
		"late in the conversation": {[]fake.Fault{{Wait: 3500 * time.Millisecond}}, true, true, "after one / [one] [two]"},
		"unknown, there":           {[]fake.Fault{{Status: 404, Code: 10062}}, true, true, "after one / [one] [two]"},
		"answered by another":      {[]fake.Fault{{Status: 400, Code: 40060}}, true, true, "before / [one] [two]"},
	} {
		t.Run(name, func(t *testing.T) {
			byGateway(t, saying(chat.AckUpdate, journey)(), func(t *testing.T, w *world) {
				var m fake.Message
				if c.private {
					m = w.say(t, ben, card("before", "one", "two"))
				} else {
					m = w.whispered(t, ben)
				}
				w.Fail("callback", c.faults...)
				if c.tolerate {
					w.Tolerate()
				}
				w.Press(ben, m, "one", "")
				w.settled(t)
				all := w.Whispers(ben)
				if c.private {
					all = w.Messages(fake.DM(ben))
				}
				w.want(t, "seen", texts(t, all), c.want)
			})
		})
	}
}

// If the answer to the first response is lost, the other replies still arrive.
func TestRetriedFirstResponse(t *testing.T) {
	byGateway(t, saying(chat.AckUpdate, slowly(0, replying(chat.Update{Card: card("after")}, chat.Whisper{Card: card("whispered")})))(), func(t *testing.T, w *world) {
		m := w.whispered(t, ben)
		w.Fail("callback", fake.Fault{Lose: true})
		w.Press(ben, m, "one", "")
		w.settled(t)
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "after; whispered")
	})
}

func TestConfirm(t *testing.T) {
	asking := card("close?")
	asking.Blocks = append(asking.Blocks, chat.Buttons{Buttons: []chat.Button{
		{Label: "Close it", Action: chat.NewAction("closenow"), Confirm: &chat.Confirm{Title: "Sure?", Text: "It is final.", Yes: "Close", No: "Keep"}},
	}})
	inBothModes(t, saying(chat.AckUpdate, journey), func(t *testing.T, w *world) {
		m := w.say(t, ana, asking)
		if a := w.Press(ana, m, "?closenow", "no"); !a.OK() || a.Type != 6 {
			t.Errorf("no was answered with %+v", a)
		}
		w.want(t, "handled", w.bot.Verbs(), "")
		if a := w.Press(ana, m, "closenow", ""); !a.OK() || a.Type != 7 {
			t.Errorf("yes was answered with %+v", a)
		}
		w.want(t, "handled", w.bot.Verbs(), "closenow")
	})
}
