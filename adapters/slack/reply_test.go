package slack

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/adapters/slack/fake"
	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

func TestUpdateWithSpentResponseURL(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one"))
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Fail("chat.update", fake.Fault{Status: http.StatusTooManyRequests, RetryAfter: 7}, fake.Fault{Error: "ratelimited"}, fake.Fault{Status: 500}, fake.Fault{Lose: true})
		w.Press(ben, m, "one", "")
		time.Sleep(5 * time.Second)
		w.want(t, "too early", texts(t, w.Messages(fake.IM(ben))), "before / [one]")
		time.Sleep(10 * time.Second)
		w.want(t, "Ben's card", texts(t, w.Messages(fake.IM(ben))), "after one")
		calls := w.Calls("chat.update")
		w.want(t, "calls", fmt.Sprint(len(calls)), "5")
		if gap := calls[1].At.Sub(calls[0].At); gap < 7*time.Second {
			t.Errorf("asked again after %v, asked to wait 7s", gap)
		}
	})
}

func TestUpdateEphemeralWithSpentResponseURL(t *testing.T) {
	whispers := func(ctx context.Context, e chat.Event) []chat.Reply {
		if e.Kind == chat.Command {
			return []chat.Reply{chat.Whisper{Card: card("here", "one")}}
		}
		return updates(ctx, e)
	}
	byHTTP(t, whispers, func(t *testing.T, w *world) {
		w.Command(ben, team, "home")
		synctest.Wait()
		w.want(t, "whispered", texts(t, w.Whispers(ben)), "here / [one]")
		w.Press(ben, w.Whispers(ben)[0], "one", "")
		synctest.Wait()
		w.want(t, "changed", texts(t, w.Whispers(ben)), "after one")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Press(ben, w.Whispers(ben)[0], "two", "")
		synctest.Wait()
		w.want(t, "anew", texts(t, w.Whispers(ben)), "after one; after two")
		w.want(t, "calls of chat.update", fmt.Sprint(len(w.Calls("chat.update"))), "0")
		w.want(t, "to everybody", texts(t, w.Messages(team)), "")
	})
}

// A reply to a press on a card that everybody sees is shown only to the person who pressed,
// whatever kind of reply it is.
func TestSharedCardNotUpdated(t *testing.T) {
	byHTTP(t, opens(updates), func(t *testing.T, w *world) {
		m := w.post(t, team, card("join", "one", "detail"))
		w.Press(ben, m, "one", "")
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "after one")
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		w.Submit(ben, map[string][]string{"note": {"x"}})
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "after one; after keep")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Press(ben, m, "two", "")
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "after one; after keep; after two")
		w.want(t, "everybody sees", texts(t, w.Messages(team)), "join / [one] [detail]")
		w.want(t, "calls of chat.update", fmt.Sprint(len(w.Calls("chat.update"))), "0")
	})
}

func TestUpdateDeletedCard(t *testing.T) {
	byHTTP(t, updates, func(t *testing.T, w *world) {
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Press(ben, fake.Message{Channel: fake.IM(ben), TS: "1.000001"}, "one", "")
		synctest.Wait()
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "after one")
	})
}

func TestWhisper(t *testing.T) {
	whispers := func(context.Context, chat.Event) []chat.Reply { return []chat.Reply{chat.Whisper{Card: card("psst")}} }
	byHTTP(t, whispers, func(t *testing.T, w *world) {
		const far, deaf = "C0FAR00000", "C0DEAF0000"
		w.AddChannel(fake.Channel{ID: far, Members: []string{ben}, Private: true})
		w.AddChannel(fake.Channel{ID: deaf, Members: []string{ben}})
		w.Command(ben, "", "help")
		synctest.Wait()
		w.want(t, "in private it stays", texts(t, w.Messages(fake.IM(ben))), "psst")
		w.Command(ben, far, "help") // the bot is not in there: the URL speaks all the same
		synctest.Wait()
		w.want(t, "elsewhere it is Ben's alone", texts(t, w.Whispers(ben)), "psst")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Command(ben, team, "help")
		synctest.Wait()
		w.want(t, "without the URL", texts(t, w.Whispers(ben)), "psst; psst")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Command(ben, deaf, "help")
		synctest.Wait()
		w.want(t, "with neither", texts(t, w.Messages(fake.IM(ben))), "psst; psst")
	})
}

// A command can be typed in a conversation between two people. The bot cannot distinguish it from
// its own conversation with a person, and cannot post there.
func TestCommandInForeignDM(t *testing.T) {
	both := func(_ context.Context, e chat.Event) []chat.Reply {
		return []chat.Reply{chat.Post{To: e.Where, Card: card("for all"), Then: sorry("psst")}}
	}
	byHTTP(t, both, func(t *testing.T, w *world) {
		w.Command(ben, "D0ELSEWHERE", "help")
		synctest.Wait()
		w.want(t, "Ben alone sees", texts(t, w.Whispers(ben)), "psst")
		w.want(t, "the other one sees", texts(t, w.Messages("D0ELSEWHERE")), "")
		w.Fail("response_url", fake.Fault{Status: http.StatusNotFound})
		w.Command(ben, "D0ELSEWHERE", "help")
		time.Sleep(2 * channelInterval)
		w.want(t, "without the URL", texts(t, w.Messages(fake.IM(ben))), "psst")
	})
}

func TestFormFallback(t *testing.T) {
	byHTTP(t, opens(nil), func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "detail"))
		w.Fail("views.open", fake.Fault{Error: "expired_trigger_id"})
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		seen := w.Seen(ben)
		if last := seen[len(seen)-1]; !strings.Contains(last.Text, "too late") || w.Modal(ben) != nil {
			t.Errorf("he sees %q", last.Text)
		}
	})
}

func TestFormUpdatesOrigin(t *testing.T) {
	byHTTP(t, opens(func(_ context.Context, e chat.Event) []chat.Reply {
		return []chat.Reply{chat.Update{Card: card("kept " + e.Value("note"))}}
	}), func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "detail"))
		w.Press(ben, m, "detail", "")
		synctest.Wait()
		read, err := fake.ReadForm(w.Modal(ben).Body)
		if err != nil {
			t.Fatal(err)
		}
		w.want(t, "the form", read.String(), form().String())
		if a := w.Submit(ben, map[string][]string{"note": {"a note"}, "kinds": {"b"}}); !a.OK() {
			t.Errorf("submitted: %+v", a)
		}
		synctest.Wait()
		w.want(t, "Ben's conversation", texts(t, w.Messages(fake.IM(ben))), "kept a note")
		if w.Modal(ben) != nil {
			t.Error("the form is still open")
		}
	})
}

func TestFormOpensBeforeEarlierReplies(t *testing.T) {
	byHTTP(t, opens(nil), func(t *testing.T, w *world) {
		m := w.send(t, ben, card("before", "one", "detail"))
		w.Fail("response_url", fake.Fault{Status: 429, RetryAfter: 30})
		w.Press(ben, m, "one", "")
		w.Press(ben, m, "detail", "")
		time.Sleep(time.Second)
		if w.Modal(ben) == nil {
			t.Errorf("no form after a second:\n%s", w.log)
		}
		time.Sleep(time.Minute)
		w.want(t, "calls of views.open", fmt.Sprint(len(w.Calls("views.open"))), "1")
	})
}

func TestExpiredTrigger(t *testing.T) {
	slow := func(ctx context.Context, e chat.Event) []chat.Reply {
		dispatch.Sleep(ctx, 4*time.Second)
		return []chat.Reply{chat.OpenForm{Form: form()}}
	}
	byHTTP(t, slow, func(t *testing.T, w *world) {
		w.Command(ben, team, "new")
		time.Sleep(5 * time.Second)
		if !strings.Contains(w.log.String(), "expired_trigger_id") {
			t.Errorf("the log is\n%s", w.log)
		}
		w.want(t, "calls of views.open", fmt.Sprint(len(w.Calls("views.open"))), "1")
	})
}

func TestInvalidForm(t *testing.T) {
	broken := func(context.Context, chat.Event) []chat.Reply {
		f := form()
		f.Fields = []chat.Field{nil}
		return []chat.Reply{chat.OpenForm{Form: f}, chat.Whisper{Card: card("and on")}}
	}
	byHTTP(t, broken, func(t *testing.T, w *world) {
		w.Command(ben, team, "new")
		synctest.Wait()
		w.want(t, "Ben sees", texts(t, w.Whispers(ben)), "and on")
		if !strings.Contains(w.log.String(), "opening a form") {
			t.Errorf("the log is\n%s", w.log)
		}
	})
}

// Files for one person are sent to their own conversation with the bot.
func TestWhisperWithFiles(t *testing.T) {
	handle := func(context.Context, chat.Event) []chat.Reply {
		files := []chat.File{{Name: "a.png", Type: "image/png", Alt: "bars", Data: []byte("png")}}
		return []chat.Reply{chat.Whisper{Card: card("results"), Files: files, Then: sorry("sorry")}, chat.Whisper{Card: card("done")}}
	}
	byHTTP(t, handle, func(t *testing.T, w *world) {
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "channel", texts(t, w.Messages(team)), "")
		w.want(t, "Ana's conversation", texts(t, w.Messages(fake.IM(ana))), "results; 1 files")
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done")
		w.MessagesTab(false)
		w.Command(ana, team, "results")
		time.Sleep(5 * time.Second)
		w.want(t, "whispers", texts(t, w.Whispers(ana)), "done; sorry")
	})
}

// A card for a person's own conversation arrives there wherever the press was, and the bot learns
// where it is, or why it was not sent.
func TestDirect(t *testing.T) {
	answer := func(_ context.Context, e chat.Event) []chat.Reply {
		if !e.Direct {
			return []chat.Reply{chat.Whisper{Card: card("no direct messages")}}
		}
		return []chat.Reply{chat.Direct{Card: card("survey"), Then: func(d chat.Delivered) []chat.Reply {
			if d.Failed() {
				return []chat.Reply{chat.Whisper{Card: card("survey here")}}
			}
			link := chat.Text{Spans: []chat.Span{chat.Words("it is "), chat.WebLink{Text: "there", URL: cmp.Or(d.URL, "https://fake.slack.com/archives/")}}}
			return []chat.Reply{chat.Whisper{Card: chat.Card{Blocks: []chat.Block{link}}}}
		}}}
	}
	byHTTP(t, answer, func(t *testing.T, w *world) {
		m := w.post(t, team, card("join us", "join"))
		w.Press(ben, m, "join", "")
		synctest.Wait()
		sent := w.Messages(fake.IM(ben))
		w.want(t, "conversation", texts(t, sent), "survey")
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "it is there")
		link := "https://fake.slack.com/archives/" + fake.IM(ben) + "/p" + strings.ReplaceAll(sent[0].TS, ".", "")
		if whisper := w.Whispers(ben)[0]; !strings.Contains(string(whisper.Blocks), link) {
			t.Errorf("no link to %s in %s", link, whisper.Blocks)
		}

		w.Again() // redelivered
		synctest.Wait()
		w.want(t, "conversation after the same again", texts(t, w.Messages(fake.IM(ben))), "survey")

		w.Fail("chat.getPermalink", fake.Fault{Error: "message_not_found"})
		w.Press(ben, m, "join", "")
		synctest.Wait()
		w.want(t, "conversation", texts(t, w.Messages(fake.IM(ben))), "survey; survey")

		w.Fail("chat.postMessage", fake.Fault{Error: "messages_tab_disabled"})
		w.Press(ben, m, "join", "")
		synctest.Wait()
		w.want(t, "conversation", texts(t, w.Messages(fake.IM(ben))), "survey; survey")
		w.want(t, "whispers", texts(t, w.Whispers(ben)), "it is there; it is there; survey here")
	})
}
