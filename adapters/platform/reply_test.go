package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"maturitybot/bot/chat"
)

// recorder is a Replier that records its calls. A card with the text "fail" is refused, and for
// "unsure" the response is lost.
type recorder struct {
	done      []string
	canUpdate bool
}

func (r *recorder) show(how string, c chat.Card) error {
	text := strings.TrimSpace(c.String())
	r.done = append(r.done, how+" "+text)
	switch text {
	case "fail":
		return errTest
	case "unsure":
		return chat.ErrUnsure
	case "without files":
		return WithoutFiles([]string{"a.png"}, errTest)
	}
	return nil
}

func (r *recorder) Update(_ context.Context, c chat.Card) error { return r.show("update", c) }
func (r *recorder) CanUpdate() bool                             { return r.canUpdate }

func (r *recorder) Redraw(redraw chat.Redraw) error {
	return r.show("redraw", textCard(redraw.Of.Message))
}

func (r *recorder) Whisper(_ context.Context, w chat.Whisper) error {
	return r.show("whisper", w.Card)
}

func (r *recorder) Direct(_ context.Context, c chat.Card) chat.Delivered {
	return chat.Delivered{Err: r.show("direct", c), URL: "https://card.test"}
}

func (r *recorder) Post(_ context.Context, n int, p chat.Post) error {
	return r.show(fmt.Sprint("post ", n), p.Card)
}

func (r *recorder) OpenForm(_ context.Context, o chat.OpenForm) error {
	return r.show("form", o.Fallback)
}

func (r *recorder) FieldErrors(context.Context, chat.FieldErrors) error {
	return r.show("errors", chat.Card{})
}

func textCard(s string) chat.Card { return chat.Card{Blocks: []chat.Block{chat.Paragraph(s)}} }

// whisperOutcome is a Then that whispers what became of a card.
func whisperOutcome(d chat.Delivered) []chat.Reply {
	text := fmt.Sprintf("failed: %v, missing: %v, link: %s", d.Failed(), d.Missing, d.URL)
	return []chat.Reply{chat.Whisper{Card: textCard(text)}}
}

func TestCarryOut(t *testing.T) {
	whisper := func(s string) chat.Reply { return chat.Whisper{Card: textCard(s)} }
	for name, c := range map[string]struct {
		replies []chat.Reply
		want    []string
		errors  int
	}{
		"in order": {
			[]chat.Reply{chat.Update{Card: textCard("a")}, whisper("b"), chat.Post{Card: textCard("c")},
				chat.OpenForm{Fallback: textCard("d")}, chat.FieldErrors{}},
			[]string{"update a", "whisper b", "post 3 c", "form d", "errors "}, 0,
		},
		"a whisper that fails takes back what follows": {
			[]chat.Reply{whisper("fail"), whisper("b")},
			[]string{"whisper fail"}, 1,
		},
		"a shared card that cannot be changed": {
			[]chat.Reply{chat.Redraw{Of: chat.CardRef{Message: "fail"}}, whisper("b")},
			[]string{"redraw fail", "whisper b"}, 1,
		},
		"an update that fails": {
			[]chat.Reply{chat.Update{Card: textCard("fail")}, whisper("b")},
			[]string{"update fail", "whisper b"}, 1,
		},
		"a post stands": {
			[]chat.Reply{chat.Post{Card: textCard("a"), Then: whisperOutcome}, whisper("b")},
			[]string{"post 1 a", "whisper failed: false, missing: [], link:", "whisper b"}, 0,
		},
		"a post fails": {
			[]chat.Reply{chat.Post{Card: textCard("fail"), Then: whisperOutcome}, whisper("b")},
			[]string{"post 1 fail", "whisper failed: true, missing: [], link:"}, 1,
		},
		"a post may stand": {
			[]chat.Reply{chat.Post{Card: textCard("unsure"), Then: whisperOutcome}, whisper("b")},
			[]string{"post 1 unsure", "whisper failed: false, missing: [], link:", "whisper b"}, 1,
		},
		"a post without files": {
			[]chat.Reply{chat.Post{Card: textCard("without files"), Then: whisperOutcome}},
			[]string{"post 1 without files", "whisper failed: false, missing: [a.png], link:"}, 1,
		},
		"a direct card that fails is explained by its Then": {
			[]chat.Reply{chat.Direct{Card: textCard("fail"), Then: whisperOutcome}, whisper("b")},
			[]string{"direct fail", "whisper failed: true, missing: [], link: https://card.test"}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			to := &recorder{}
			CarryOut(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), c.replies, to)
			if !slices.Equal(to.done, c.want) {
				t.Errorf("done: %q, want %q", to.done, c.want)
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != c.errors {
				t.Errorf("%d errors, want %d:\n%s", n, c.errors, &log)
			}
		})
	}
}

func TestRedraw(t *testing.T) {
	update := chat.Update{Card: textCard("a"), Refresh: func(context.Context) (chat.Update, bool) {
		return chat.Update{Card: textCard("b")}, true
	}}
	for canUpdate, want := range map[bool][]string{
		true:  {"update a", "update b"},
		false: {"update a"},
	} {
		to := &recorder{canUpdate: canUpdate}
		CarryOut(t.Context(), slog.New(slog.DiscardHandler), []chat.Reply{update}, to)
		if !slices.Equal(to.done, want) {
			t.Errorf("can update %v: %q, want %q", canUpdate, to.done, want)
		}
	}
}

func TestGiveBack(t *testing.T) {
	long := strings.Repeat("é", chat.MaxText)
	for name, c := range map[string]struct {
		fields map[string]string
		typed  []string
		want   []string // the texts of each card, joined by "|"
	}{
		"errors by field, then texts": {
			map[string]string{"b": "Two.", "a": "One."}, []string{"hello", " ", "you"},
			[]string{"One.|Two.|hello", "you"},
		},
		"the same error twice": {
			map[string]string{"b": "One.", "a": "One."}, nil, []string{"One."},
		},
		"a long text": {nil, []string{long + "x"}, []string{long + "|x"}},
		"nothing":     {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			fits := func(c chat.Card) bool { return len(c.Blocks) <= 3 }
			var got []string
			for _, card := range GiveBack(chat.FieldErrors{Fields: c.fields}, c.typed, fits) {
				got = append(got, strings.ReplaceAll(strings.TrimSpace(card.String()), "\n", "|"))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWithoutFiles(t *testing.T) {
	if err := WithoutFiles(nil, errTest); err != nil {
		t.Errorf("no file is missing: %v", err)
	}
	err := WithoutFiles([]string{"a.png"}, errTest)
	missing, ok := errors.AsType[*chat.MissingFilesError](err)
	if !ok || !slices.Equal(missing.Names, []string{"a.png"}) || !errors.Is(err, errTest) {
		t.Errorf("the error is %v", err)
	}
}
