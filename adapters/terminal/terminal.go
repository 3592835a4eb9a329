// Package terminal shows the bot in a terminal. Like a chat platform, it draws the cards of a
// chat.Responder for one user, and passes what the user presses, selects and writes back as events.
// It has two modes: a screen operated by keys if input and output are terminals, and plain lines
// for pipes, scripts and screen readers. It does not know surveys, and has no sentences of its own:
// the caller passes them as Words.
package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"maturitybot/bot/chat"
)

// Columns is the default of Options.Width. Longer lines are hard to read.
const Columns = 80

// Options configure a Terminal.
type Options struct {
	// Words returns the terminal's own words in the user's language. Required. It is called before
	// the start event and after every response, which may have changed the language.
	Words func(context.Context) Words
	// Plain selects plain lines even if a screen could be drawn.
	Plain bool
	// Width is the longest line of text, in columns; 0 means Columns. In a narrower window, lines are
	// as wide as the window.
	Width int
	// Environ has NO_COLOR, TERM and similar variables as "key=value"; nil means os.Environ.
	Environ []string
	// IDs is the prefix of all event ids. If events are remembered for longer than this process runs,
	// each process needs another prefix, or its events are taken for duplicates.
	IDs string
	// Now returns the time of an event. Nil leaves the time out, because input from a pipe was typed
	// earlier.
	Now func() time.Time
	// Done reports whether a card ends the conversation, as a receipt does. Nil means that none does.
	Done func(chat.Card) bool
}

// Terminal holds a conversation with one user.
type Terminal struct {
	in      *lines
	file    term.File // in, if it is a file
	out     io.Writer
	options Options
	screen  bool // both ends are terminals that can move a cursor
	echo    bool // input does not show on its own, so plain lines repeat it
	profile colorprofile.Profile
	events  int
}

// New returns a terminal that reads from in and writes to out. It draws a screen if both are
// terminals, TERM is not "dumb" and Options.Plain is not set.
func New(in io.Reader, out io.Writer, options Options) *Terminal {
	if options.Environ == nil {
		options.Environ = os.Environ()
	}
	if options.Width <= 0 {
		options.Width = Columns
	}
	t := &Terminal{in: newLines(in), out: out, options: options, echo: true}
	t.file, _ = in.(term.File)
	reads, writes := IsTerminal(in), IsTerminal(out)
	t.echo = !reads
	t.screen = reads && writes && !options.Plain && variable(options.Environ, "TERM") != "dumb"
	t.profile = colorprofile.NoTTY
	if t.screen {
		t.profile = colorprofile.Detect(out, options.Environ)
		// https://no-color.org: any value but the empty one.
		if variable(options.Environ, "NO_COLOR") != "" {
			t.profile = colorprofile.ASCII
		}
	}
	return t
}

// IsTerminal reports whether a reader or writer is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(term.File)
	return ok && term.IsTerminal(file.Fd())
}

func variable(environ []string, name string) string {
	value := ""
	for _, e := range environ {
		if key, v, ok := strings.Cut(e, "="); ok && key == name {
			value = v // the last one counts, as with os/exec
		}
	}
	return value
}

// Show draws a card without asking for input, such as one that was posted to a channel.
func (t *Terminal) Show(card chat.Card) error {
	card = harmlessCard(card)
	text := plainCard(card, t.width(), Words{}, nil)
	if t.screen {
		drawn := newLook(t.profile).card(card, drawing{width: t.width(), cursor: -1})
		text = strings.Join(drawn.lines, "\n") + "\n"
	}
	return t.print(text)
}

func (t *Terminal) print(text string) error {
	out := t.out
	if t.screen {
		out = &colorprofile.Writer{Forward: t.out, Profile: t.profile}
	}
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("write to the terminal: %w", err)
	}
	return nil
}

// width is the number of columns to draw in now.
func (t *Terminal) width() int {
	if file, ok := t.out.(term.File); ok {
		if w, _, err := term.GetSize(file.Fd()); err == nil && w > 0 {
			return min(w, t.options.Width)
		}
	}
	return t.options.Width
}

// Converse passes start to the responder, and then an event for everything that the user does. It
// returns nil when the user leaves, the input ends or a card is Done. When ctx ends it returns the
// error of ctx. Converse fills in an empty ID, Who or Where of start. All later events have the
// Admin and Locale of start.
//
// Update replaces the current card. Whisper shows a new card with a button to go back; a whisper
// without buttons is shown above the current card instead. Posts go to sink, in order. Sink must
// not write to this terminal, because a screen may be drawn there.
func (t *Terminal) Converse(
	ctx context.Context, responder chat.Responder, me chat.Person, where chat.Place,
	start chat.Event, sink func(chat.Reply),
) error {
	words := t.options.Words(ctx)
	if err := words.Check(); err != nil {
		return err
	}
	k := &talk{
		t:         t,
		responder: responder,
		me:        me,
		where:     where,
		admin:     start.Admin,
		locale:    start.Locale,
		sink:      sink,
		words:     harmlessWords(words),
	}
	if start.ID == "" {
		start.ID = t.id()
	}
	if start.Who == (chat.Person{}) {
		start.Who = me
	}
	if start.Where == (chat.Place{}) {
		start.Where = where
	}
	var err error
	if t.screen {
		err = k.runScreen(ctx, start)
	} else {
		err = k.runPlain(ctx, start)
	}
	if k.done && err == nil {
		return nil
	}
	if printed := t.print(k.words.Left + "\n"); err == nil {
		err = printed
	}
	return err
}

func (t *Terminal) id() string {
	t.events++
	return fmt.Sprintf("%s%d", t.options.IDs, t.events)
}
