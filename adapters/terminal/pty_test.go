package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"maturitybot/bot/chat"
)

// stage is a pseudo-terminal with an emulator at its other end, on which a conversation runs.
type stage struct {
	t     *testing.T
	mu    sync.Mutex
	news  *sync.Cond
	raw   []byte
	emu   *vt.Emulator
	keys  io.Writer
	sent  []chat.Reply
	ended bool
	err   error
	late  bool
	over  chan struct{}
}

// lastByte ends what is written to the pseudo-terminal. An emulator ignores it, and a conversation
// never writes it.
const lastByte = "\x00"

func play(t *testing.T, ctx context.Context, responder chat.Responder, width, height int, environ ...string) *stage {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(slave, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, emu: vt.NewEmulator(width, height), keys: master, over: make(chan struct{})}
	s.news = sync.NewCond(&s.mu)
	limit := time.AfterFunc(20*time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.late = true
		s.news.Broadcast()
	})
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { _, _ = io.Copy(io.Discard, s.emu) }) // what a terminal would answer to questions
	all.Go(func() {
		buffer := make([]byte, 4096)
		for {
			n, err := master.Read(buffer)
			s.mu.Lock()
			s.raw = append(s.raw, buffer[:n]...)
			_, _ = s.emu.Write(buffer[:n])
			s.news.Broadcast()
			s.mu.Unlock()
			if err != nil || bytes.HasSuffix(buffer[:n], []byte(lastByte)) {
				close(s.over)
				return
			}
		}
	})
	term := New(slave, slave, Options{Words: func(context.Context) Words { return english() }, IDs: "e", Done: receipt,
		Environ: append([]string{"TERM=xterm-256color"}, environ...)})
	all.Go(func() {
		err := term.Converse(ctx, responder, ben, place, start, func(r chat.Reply) { s.sent = append(s.sent, r) })
		// The kernel may drop what is unread when the last side that writes is closed.
		_, _ = io.WriteString(slave, lastByte)
		<-s.over
		_ = slave.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended, s.err = true, err
		s.news.Broadcast()
	})
	t.Cleanup(func() {
		limit.Stop()
		cancel()
		_ = master.Close()
		// Not Close, which races with the reader.
		_ = s.emu.InputPipe().(io.Closer).Close()
		all.Wait()
	})
	return s
}

func (s *stage) screen() string { return ansi.Strip(s.emu.Render()) }

// see waits until every one of the texts is on the screen.
func (s *stage) see(texts ...string) {
	s.t.Helper()
	s.until("texts "+strings.Join(texts, " | "), func() bool {
		screen := s.screen()
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(screen, text) })
	})
}

func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() {
		if s.late || s.ended {
			s.t.Fatalf("%s did not come (ended %v, %v); the screen:\n%s", what, s.ended, s.err, s.screen())
		}
		s.news.Wait()
	}
}

func (s *stage) press(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.keys, keys); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the conversation's end and returns its error.
func (s *stage) end() error {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended && !s.late {
		s.news.Wait()
	}
	if !s.ended {
		s.t.Fatalf("it did not end; the screen:\n%s", s.screen())
	}
	return s.err
}

// Keys as a terminal sends them.
const (
	up, down, enter, tab, ctrlC, esc = "\x1b[A", "\x1b[B", "\r", "\t", "\x03", "\x1b"
)

func TestAnswerByKeys(t *testing.T) {
	bot := &small{}
	s := play(t, t.Context(), bot, 80, 24)
	s.see("> 1 Basic", "Esc leave")
	s.press(down)
	s.see("> 2 Early")
	s.press(enter)
	s.see("2 ✓ Early", ">[9 Next ›]")
	s.press("3")
	s.see("3 ✓ Substantial", "  2 Early", ">[9 Next ›]")
	s.press(enter)
	s.see("Your answers", "> [1 Submit]")
	s.press(enter)
	s.see("Thank you", "> [1 Go on]")
	s.press(enter)
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	if s.emu.IsAltScreen() || !strings.Contains(s.screen(), "Your receipt: level 3.") {
		t.Errorf("the receipt does not stay on the first screen:\n%s", s.screen())
	}
	if strings.Contains(s.screen(), "You have left") {
		t.Error("a user who has finished gets the text for leaving")
	}
	want := []string{"e1 0 start", "e2 1 answer:2", "e3 1 answer:3", "e4 1 review", "e5 1 submit"}
	if got := bot.said(); !slices.Equal(got, want) {
		t.Errorf("the bot received %q, want %q", got, want)
	}
	for _, e := range bot.events {
		if e.Who != ben || e.Where != place || !e.Admin || e.Locale != "en" {
			t.Errorf("event %+v lacks who, where, admin or locale", e)
		}
	}
	if len(s.sent) != 1 {
		t.Errorf("sink got %d replies, want the post", len(s.sent))
	}
}

func TestCtrlC(t *testing.T) {
	for name, keys := range map[string]string{"ctrl-c": ctrlC, "q": "q", "esc": esc} {
		t.Run(name, func(t *testing.T) {
			s := play(t, t.Context(), &small{}, 80, 24)
			s.see("> 1 Basic")
			s.press(keys)
			if err := s.end(); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(s.screen(), "You have left. What you answered is kept.") {
				t.Errorf("the last screen:\n%s", s.screen())
			}
		})
	}
}

// slow answers only when it is let.
type slow struct {
	small
	asked, let chan struct{}
}

func (s *slow) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	if e.Action.Verb == "answer" {
		s.asked <- struct{}{}
		select {
		case <-s.let:
		case <-ctx.Done():
			return nil
		}
	}
	return s.small.Handle(ctx, e)
}

func TestSecondCtrlC(t *testing.T) {
	bot := &slow{asked: make(chan struct{}), let: make(chan struct{})}
	s := play(t, t.Context(), bot, 80, 24)
	s.see("> 1 Basic")
	s.press("2")
	<-bot.asked
	s.press(ctrlC + ctrlC)
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
}

func TestScreenContextCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := play(t, ctx, &small{}, 80, 24)
	s.see("> 1 Basic")
	cancel()
	if err := s.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if s.emu.IsAltScreen() {
		t.Error("the terminal is left on its second screen")
	}
}

// colour is a sequence that sets a colour: 30-38, 40-48, 90-107.
var colour = regexp.MustCompile(`\x1b\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m`)

func TestNoColorVariable(t *testing.T) {
	for _, c := range []struct {
		environ string
		want    bool
	}{{"NO_COLOR=1", false}, {"NO_COLOR=yes", false}, {"TERM=xterm", false}, {"NO_COLOR=", true}} {
		s := play(t, t.Context(), &small{}, 80, 24, c.environ)
		s.see("> 1 Basic")
		s.press("2")
		s.see("2 ✓ Early")
		s.press("q")
		if err := s.end(); err != nil {
			t.Fatal(err)
		}
		if got := colour.Match(s.raw); got != c.want {
			t.Errorf("with %q: colours %v, want %v", c.environ, got, c.want)
		}
		if !strings.Contains(string(s.raw), "\x1b[1m") && !strings.Contains(string(s.raw), "\x1b[1;") {
			t.Errorf("with %q: nothing is bold", c.environ)
		}
	}
}

func TestDumbTerminal(t *testing.T) {
	s := play(t, t.Context(), &small{}, 80, 30, "TERM=dumb")
	s.see("1) Basic", "Number or name, q to leave > ")
	s.press("2\n")
	s.see("2) ✓ Early (chosen)")
	s.press("\x04")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsRune(string(s.raw), '\x1b') {
		t.Errorf("an escape sequence in plain lines: %q", s.raw)
	}
}

func TestFormOnScreen(t *testing.T) {
	bot := &small{}
	s := play(t, t.Context(), bot, 80, 50)
	s.see("> 1 Basic")
	s.press("8")
	s.see("Add detail", "> [ ] Local data", "0/20", "(✓) My team")
	s.press(" " + down + enter) // two of the several
	s.see("[✓] Local data", "[✓] Interviews, talks")
	s.press(tab + "A note by Ana, that runs on")
	s.see("! 27/20", "> │ A note by Ana, that runs on")
	s.press(tab + tab + "2026-02-30" + tab + "25:00" + tab + down + " " + tab + "@cem, ben cem" + tab)
	s.see("> [Save]", "(✓) The whole area")
	s.press(enter)
	s.see("! Too long: 27 of 20 characters. Please shorten it.", "! Please write the day as YYYY-MM-DD.",
		"! Please write the time as HH:MM.", "> │ A note by Ana, that runs on")
	s.press(strings.Repeat("\x7f", 14) + tab + tab + "\x152026-02-28" + tab + "\x157:05" + tab + tab + tab + enter)
	s.see("! That reads like a name.", "> │ A note by Ana", "13/20")
	s.press("\x7f\x7f\x7fus" + enter + "all") // several lines
	s.see("> │ A note by us", "│ all")
	s.press(tab + tab + tab + tab + tab + tab + enter)
	s.see("Commissioning and resources")
	s.press("8")
	s.see("│ A note by us", "│ all")
	s.press(esc)
	s.see("Commissioning and resources")
	s.press("q")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	got := bot.said()
	want := `e4 2 detailed barrier=[] day=["2026-02-28"] held=["data" "talks"] note=["A note by us\nall"] ` +
		`people=["terminal:w:cem" "terminal:w:ben"] scope=["area"] time=["07:05"]`
	if len(got) != 5 || got[3] != want {
		t.Errorf("the bot received\n%s\nwant as the fourth\n%s", strings.Join(got, "\n"), want)
	}
}

func TestEscInChangedForm(t *testing.T) {
	s := play(t, t.Context(), &small{}, 80, 50)
	s.see("> 1 Basic")
	s.press("8")
	s.see("> [ ] Local data")
	s.press(tab + "typed")
	s.see("5/20")
	s.press(esc)
	s.see(">[Cancel]", "│ typed")
	s.press(enter)
	s.see(">[8 Add detail]")
	s.press("q")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
}

func TestConfirmListAndPreviousCard(t *testing.T) {
	bot := &small{}
	s := play(t, t.Context(), bot, 80, 40)
	s.see("> 1 Basic")
	s.press("7") // a whisper without buttons stands above the card, which stays
	s.see("┃ This is the first element.", "> [7 ‹ Back]")
	s.press("G" + enter)
	s.see("> 1 Shared strategy", "Esc back")
	s.press(esc)
	s.see("> [▾ All elements]")
	s.press(enter)
	s.see("> 1 Shared strategy")
	s.press("2")
	s.see("Picked e2", "[2 Back to the card before]")
	s.press("2")
	s.see("> 1 Basic")
	s.press("9")
	s.see("Your answers")
	s.press("2")
	s.see("Erase your answers?", "They cannot be brought back.", ">[2 Keep them]")
	s.press(enter)
	s.see("Your answers", ">[2 Erase my answers!]")
	s.press(enter)
	s.see("Erase your answers?")
	s.press("1")
	s.see("Erased", "> [1 Leave]")
	s.press(enter)
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	want := []string{"e1 0 start", "e2 1 notice", `e3 1 jump picked=["e2"]`, "e4 1 review", "e5 1 erase"}
	if got := bot.said(); !slices.Equal(got, want) {
		t.Errorf("the bot received %q, want %q", got, want)
	}
}
