// Package terminal is the bot in a terminal: it draws the cards of a chat.Responder, lets one person press, pick
// and write, and hands what they did back as events, the way a chat platform would. It has two ways of talking:
// a screen operated by keys, where input and output are terminals, and plain lines for pipes, scripts and screen
// readers. It knows nothing of surveys, and has no sentences of its own: they come in as Words.
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

// Columns is how wide text runs at most where Options.Width does not say: longer lines are hard to read.
const Columns = 80

// Options say how a Terminal talks.
type Options struct {
	// Words returns the terminal's own words in the person's language. It is asked once before the start event and
	// again after every answer of the responder, since that may have changed the language. Required.
	Words func(context.Context) Words
	// Plain asks for plain lines even where a screen could be drawn.
	Plain bool
	// Width is the widest that text runs, in columns; 0 means Columns. A narrower window narrows it.
	Width int
	// Environ holds NO_COLOR, TERM and their like as "key=value"; nil means the process's own.
	Environ []string
	// IDs begins the id of every event made here. Where events are remembered longer than this process
	// lives, it must be another one each time, or gestures are taken for repeats.
	IDs string
	// Now is the clock by which events say when a gesture was made. Nil means that they say
	// nothing: what is read from a pipe was not typed at the moment.
	Now func() time.Time
	// Done says that a card ends the conversation, such as a receipt. Nil means that none does.
	Done func(chat.Card) bool
}

// Terminal talks with one person.
type Terminal struct {
	in      *lines
	file    term.File // in, where it is a file
	out     io.Writer
	options Options
	screen  bool // both ends are terminals that can move a cursor
	echo    bool // what is read does not show by itself, so that plain lines repeat it
	profile colorprofile.Profile
	events  int
}

// New returns a terminal that reads from in and writes to out. It draws a screen where both are terminals,
// TERM is not "dumb" and plain lines were not asked for.
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

// IsTerminal says whether what is read from, or written to, is a terminal.
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

// Show draws a card without asking anything, such as one that was posted to a channel.
func (t *Terminal) Show(card chat.Card) error {
	card = harmlessCard(card)
	text := plainCard(card, t.width(), Words{}, nil)
	if t.screen {
		text = strings.Join(newLook(t.profile).card(card, drawing{width: t.width(), cursor: -1}).lines, "\n") + "\n"
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

// Converse hands start to the responder and goes on from what comes back, until the person leaves, the input ends
// or a card is Done (then it returns nil), or ctx ends (then it returns an error that is ctx's). In start, an empty
// ID, Who or Where is filled in; its Admin and Locale are those of all later events.
//
// Update replaces the card at hand. Whisper lays a new one over it, with a way back; where it
// has nothing to press it is shown above it instead. Post goes to sink, in order. Sink must not write
// to this terminal: a screen may be standing there.
func (t *Terminal) Converse(ctx context.Context, responder chat.Responder, me chat.Person, where chat.Place,
	start chat.Event, sink func(chat.Reply)) error {
	words := t.options.Words(ctx)
	if err := words.Check(); err != nil {
		return err
	}
	k := &talk{t: t, responder: responder, me: me, where: where, admin: start.Admin, locale: start.Locale,
		sink: sink, words: harmlessWords(words)}
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
		err = k.onScreen(ctx, start)
	} else {
		err = k.inLines(ctx, start)
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
