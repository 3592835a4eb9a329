package terminal

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"

	"maturitybot/bot/chat"
)

var update = flag.Bool("update", false, "write testdata/conversation.txt anew")

// conversation has a conversation and returns all that was printed.
func conversation(t *testing.T, bot chat.Responder, in io.Reader) (string, error) {
	t.Helper()
	var out strings.Builder
	term := New(in, &out, Options{Words: func(context.Context) Words { return english() }, Done: receipt})
	err := term.Converse(t.Context(), bot, start)
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

func TestConversation(t *testing.T) {
	bot := &small{}
	got, err := conversation(t, bot, strings.NewReader(strings.Join(script, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	got += "\n== what the bot was told\n" + strings.Join(bot.said(), "\n") + "\n"
	const file = "testdata/conversation.txt"
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

func TestInputEndsAnywhere(t *testing.T) {
	for n := range len(script) {
		got, err := conversation(t, &small{}, strings.NewReader(strings.Join(script[:n], "\n")))
		if err != nil || !strings.HasSuffix(got, "\nYou have left. What you answered is kept.\n") {
			t.Errorf("after %d lines: %v; it ends\n%s", n, err, got[max(0, len(got)-200):])
		}
	}
}

func TestQuitKey(t *testing.T) {
	for _, keys := range []string{"q", "Q", "leave", "10\nq", "next\nerase\nq", "8\n\nq\n\n\n\n\n\n\n\nq"} {
		bot := &small{}
		got, err := conversation(t, bot, strings.NewReader(keys+"\n2\n2\n2\n2\n"))
		if err != nil || !strings.HasSuffix(got, "You have left. What you answered is kept.\n") || slices.Contains(bot.said(), "2 1 answer:2") {
			t.Errorf("%q did not leave: %v\n%s", keys, err, got)
		}
	}
}

func TestContextCancelled(t *testing.T) {
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
	if err := term.Converse(ctx, bot, start); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestReadCancelled(t *testing.T) {
	in, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = hold.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	term := New(in, io.Discard, Options{})
	if _, err := hold.WriteString("first\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	if s, err := term.readLine(ctx); s != "first" || err != nil {
		t.Fatalf("got %q, %v", s, err)
	}
	go cancel()
	if _, err := term.readLine(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestEventFields(t *testing.T) {
	bot := &small{}
	if _, err := conversation(t, bot, strings.NewReader("next\nq\n")); err != nil {
		t.Fatal(err)
	}
	for _, e := range bot.events {
		if e.Who != ben || e.Where != place || !e.Admin || e.Locale != "en" {
			t.Errorf("event %+v lacks who, where, admin or locale", e)
		}
	}
}

// TestRealTerminal: what the user types shows on its own, and lines are no longer than the window.
func TestRealTerminal(t *testing.T) {
	screen, tty, err := pty.Open()
	if err != nil {
		t.Skip("no terminal here: ", err)
	}
	defer func() { _ = screen.Close(); _ = tty.Close() }()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 20, Cols: 40}); err != nil {
		t.Fatal(err)
	}
	if _, err := screen.WriteString("2\n\x04"); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(screen)
	if echo, err := reader.ReadString('\n'); echo != "2\r\n" { // of the kernel, which may come late
		t.Fatalf("the terminal shows %q, %v", echo, err)
	}
	printed := make(chan string)
	go func() {
		text, _ := reader.ReadString('\x00')
		printed <- text
	}()
	term := New(tty, tty, Options{Words: func(context.Context) Words { return english() }})
	if err := term.Converse(t.Context(), &small{}, start); err != nil {
		t.Fatal(err)
	}
	if _, err := tty.WriteString("\x00"); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(<-printed, "\r\n", "\n")
	for line := range strings.SplitSeq(got, "\n") {
		if n := utf8.RuneCountInString(line); n > 40 {
			t.Errorf("a line of %d characters: %q", n, line)
		}
	}
	if !strings.Contains(got, "2) ✓ Early (chosen): One or two partners\n   have listed") || !strings.HasSuffix(got, "You have left. What you answered is\nkept.\n\x00") ||
		strings.Contains(got, "q to leave > 2\n") || strings.ContainsRune(got, '\x1b') {
		t.Errorf("got\n%s", got)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct{ lead, text, want string }{
		{"", "", "\n"},
		{"", "one two three", "one two\nthree\n"},
		{"1) ", "one two three", "1) one\n   two\n   three\n"},
		{"", "ŵŵŵŵ ŷŷŷŷ", "ŵŵŵŵ ŷŷŷŷ\n"},
		{"- ", "see https://example.org now\n\nthen", "- see\n  https://example.org\n  now\n\n  then\n"},
	} {
		if got := wrap(c.lead, c.text, 9); got != c.want {
			t.Errorf("wrap(%q, %q) = %q, want %q", c.lead, c.text, got, c.want)
		}
	}
}

func TestMeterLeftOut(t *testing.T) {
	spans := harmlessSpans([]chat.Span{chat.Words("2 of 3 "), chat.Meter{Done: 2, Total: 3}})
	if got := unstyled(spans); got != "2 of 3" {
		t.Errorf("got %q", got)
	}
}

func TestChannelFieldSameWorkspace(t *testing.T) {
	k := &talk{start: start}
	field := chat.Channel{Label: chat.Label{ID: "channel", Text: "Channel", Optional: true}}
	for typed, want := range map[string]string{" #team ": "terminal:w:#team", "slack:T1:C1": "slack:T1:C1"} {
		if got, complaint := k.check(field, []string{typed}); complaint != "" || !slices.Equal(got, []string{want}) {
			t.Errorf("%q: got %v, %q; want %s", typed, got, complaint, want)
		}
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
	if err := term.Converse(t.Context(), bot, start); err != nil {
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
	if err := term.Converse(t.Context(), bot, start); err == nil || len(bot.said()) > 0 {
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
