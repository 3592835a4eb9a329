package platformlaw

import (
	"context"
	"slices"
	"strings"
	"time"

	"maturitybot/bot/chat"
)

// replyLaws are the laws of handling an event.
var replyLaws = []law{
	{"replies-in-order", postsFirst, repliesInOrder},
	{"failed-post-explained", postsFirst, failedPostExplained},
	{"acknowledged-when-handled", handlesSlowly, acknowledgedWhenHandled},
	{"typed-text-given-back", refusesLate, typedTextGivenBack},
	{"long-text-given-back", refusesLate, longTextGivenBack},
}

// postsFirst posts a card and shows two more, or says that the first was not posted.
func postsFirst(_ context.Context, e chat.Event) []chat.Reply {
	explain := func(d chat.Delivered) []chat.Reply {
		if !d.Failed() {
			return nil
		}
		return []chat.Reply{chat.Whisper{Card: card("not posted")}}
	}
	return []chat.Reply{
		chat.Post{To: e.Where, Card: card("for all"), Then: explain},
		chat.Whisper{Card: card("one")},
		chat.Whisper{Card: card("two")},
	}
}

func repliesInOrder(w *world) {
	w.Button("start")()
	w.settle()
	w.want("replies", w.last(3), []string{"for all", "one", "two"})
}

// If a card cannot be posted, the operator reads why, and what the bot says instead is shown.
func failedPostExplained(w *world) {
	press := w.Button("start")
	w.FailPosts(Fault{Refused: true})
	press()
	w.settle()
	w.want("replies", w.last(1), []string{"not posted"})
	if !strings.Contains(w.log.String(), "reply not delivered") {
		w.Errorf("the log does not say so:\n%s", w.log)
	}
}

func handlesSlowly(_ context.Context, e chat.Event) []chat.Reply {
	time.Sleep(time.Second)
	return []chat.Reply{chat.Update{Card: card("after " + e.Action.Verb)}}
}

// An event is acknowledged once it was handled, and the observer hears how long that took.
func acknowledgedWhenHandled(w *world) {
	press := w.Button("one")
	_ = w.observer.String() // what came before
	press()
	w.settle()
	w.want("observed", w.observer, "acknowledged [1s] limited [] connected []")
	w.want("the card", w.last(1), []string{"after one"})
}

// refusesLate opens a form, and refuses it later than any platform keeps a form open.
func refusesLate(_ context.Context, e chat.Event) []chat.Reply {
	if e.Kind != chat.Submit {
		return []chat.Reply{chat.OpenForm{Form: form, Fallback: card("too late")}}
	}
	time.Sleep(8 * time.Second)
	return []chat.Reply{chat.FieldErrors{Fields: map[string]string{"note": "Name nobody."}}}
}

var form = chat.Form{
	Title: "Detail", Submit: "Save", Cancel: "Cancel", Action: chat.NewAction("keep"),
	Fields: []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: "Note"}, Max: chat.MaxFieldText, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: "Barrier"}, Max: chat.MaxFieldText},
	},
}

// What is typed into a form that can no longer be answered is given back, below what is wrong.
func typedTextGivenBack(w *world) {
	w.Button("form")()
	w.settle()
	w.Submit(map[string][]string{"note": {"my *note*"}, "barrier": {"no time"}})
	w.settle()
	got := w.last(1)[0]
	w.want("given back", strings.Fields(got), strings.Fields("Name nobody. my *note* no time"))
}

// Text that is too long for one message is given back in several, all of it.
func longTextGivenBack(w *world) {
	w.Button("form")()
	w.settle()
	before := len(w.Seen())
	long := chat.MaxFieldText
	note, barrier := strings.Repeat("ŵ", long), strings.Repeat("ŷ", long)
	w.Submit(map[string][]string{"note": {note}, "barrier": {barrier}})
	w.settle()
	all := w.Seen()[before:]
	if len(all) < 2 {
		w.Fatalf("%d messages\n%s", len(all), w.log)
	}
	w.want("of the note", strings.Count(lines(all), "ŵ"), long)
	w.want("of the barrier", strings.Count(lines(all), "ŷ"), long)
	first := strings.Index(lines(all), "ŷ")
	if strings.LastIndex(lines(all), "ŵ") > first || !strings.HasPrefix(all[0], "Name nobody.") {
		w.Errorf("the order of %q", lines(all))
	}
}

// last returns the text of the last cards that the person sees.
func (w *world) last(n int) []string {
	all := w.Seen()
	return slices.Clone(all[max(0, len(all)-n):])
}
