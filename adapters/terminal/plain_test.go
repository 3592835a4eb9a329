package terminal

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"maturitybot/bot/chat"
)

var update = flag.Bool("update", false, "write testdata/plain.txt anew")

// lineTalkOf has a conversation in plain lines and returns all that was printed.
func lineTalkOf(t *testing.T, bot chat.Responder, in io.Reader) (string, error) {
	t.Helper()
	var out strings.Builder
	term := New(in, &out, Options{Words: func(context.Context) Words { return english() }, IDs: "e", Done: receipt})
	err := term.Converse(t.Context(), bot, ben, place, start, func(chat.Reply) {})
	return out.String(), err
}

// script is the input of a user who goes through everything.
var script = []string{
	"9000", "no such thing", "back", "substantial", "", "Not app", "2",
	"all elements", "lead", "back to the card", // a list, and the way back from the card it brought
	"add", // the form:
	"nothing", "5, 1", "1, interviews",
	"A note by Ana, far too long", "", "A note by Ana", "second", "", "-", "2026-02-30", "2026-02-28", "7:05", "the w", "@cem, ben",
	"save", // the note is refused
	"By us", "", "barrier", "no money, none", "no money", "1",
	"8", "", "-", "", "", "", "-", "", "save", "2", // a form that lacks what it needs, then is right
	"", "save",
	"8", "", "", "", "", "", "", "", "cancel",
	"next", "erase", "no", "keep", "erase", "2", "submit",
}

func TestPlainConversation(t *testing.T) {
	bot := &small{}
	got, err := lineTalkOf(t, bot, strings.NewReader(strings.Join(script, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	got += "\n== what the bot was told\n" + strings.Join(bot.said(), "\n") + "\n"
	const file = "testdata/plain.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the conversation is not %s (go test ./adapters/terminal -update writes it anew):\n%s", file, got)
	}
}

func TestPlainInputEndsAnywhere(t *testing.T) {
	for n := range len(script) {
		got, err := lineTalkOf(t, &small{}, strings.NewReader(strings.Join(script[:n], "\n")))
		if err != nil || !strings.HasSuffix(got, "\nYou have left. What you answered is kept.\n") {
			t.Errorf("after %d lines: %v; it ends\n%s", n, err, got[max(0, len(got)-200):])
		}
	}
}

func TestQuitKey(t *testing.T) {
	for _, keys := range []string{"q", "Q", "leave", "10\nq", "next\nerase\nq", "8\n\nq\n\n\n\n\n\n\n\nq"} {
		bot := &small{}
		got, err := lineTalkOf(t, bot, strings.NewReader(keys+"\n2\n2\n2\n2\n"))
		if err != nil || !strings.HasSuffix(got, "You have left. What you answered is kept.\n") || slices.Contains(bot.said(), "e2 1 answer:2") {
			t.Errorf("%q did not leave: %v\n%s", keys, err, got)
		}
	}
}

func TestPlainContextCancelled(t *testing.T) {
	in, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = hold.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	bot := &small{}
	term := New(in, io.Discard, Options{Words: func(context.Context) Words {
		if len(bot.said()) > 0 {
			cancel() // while the first line is read, or just before
		}
		return english()
	}})
	if err := term.Converse(ctx, bot, ben, place, start, func(chat.Reply) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestPlainReadCancelled(t *testing.T) {
	in, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = hold.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	l := newLines(in)
	if _, err := hold.WriteString("first\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	if s, err := l.next(ctx); s != "first" || err != nil {
		t.Fatalf("got %q, %v", s, err)
	}
	go cancel()
	if _, err := l.next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestWordsInUserLanguage(t *testing.T) {
	bot := &small{}
	var out strings.Builder
	term := New(strings.NewReader("1\nxyz\n"), &out, Options{Words: func(context.Context) Words {
		w := english()
		if len(bot.said()) > 1 {
			w.Number, w.Chosen, w.Left = "Dewiswch rif rhwng 1 a {to}.", "wedi'i ddewis", "Cadwyd eich atebion."
		}
		return w
	}})
	if err := term.Converse(t.Context(), bot, ben, place, start, func(chat.Reply) {}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"✓ Basic (wedi'i ddewis)", "Dewiswch rif rhwng 1 a 10.", "Cadwyd eich atebion."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing from\n%s", want, out.String())
		}
	}
}

func TestMissingWords(t *testing.T) {
	bot := &small{}
	term := New(strings.NewReader(""), io.Discard, Options{Words: func(context.Context) Words { return Words{} }})
	if err := term.Converse(t.Context(), bot, ben, place, start, nil); err == nil || len(bot.said()) > 0 {
		t.Errorf("got %v after %d events", err, len(bot.said()))
	}
}

func TestShowWithoutInput(t *testing.T) {
	var out strings.Builder
	term := New(strings.NewReader(""), &out, Options{})
	if err := term.Show((&small{level: "1"}).review()); err != nil {
		t.Fatal(err)
	}
	want := "# Your answers\nCommissioning and resources: level 1.\n[Submit] [Erase my answers!]\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
