// Package terminal shows the bot in a terminal, as plain lines that also suit pipes, scripts and
// screen readers. Like a chat platform, it prints the cards of a chat.Responder for one user, and
// passes what the user chooses and writes back as events. It does not know surveys, and has no
// sentences of its own: the caller passes them as Words.
package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"maturitybot/bot/chat"
)

// columns is the length of the longest line in a wide window. Longer lines are hard to read.
const columns = 80

// Options configure a Terminal.
type Options struct {
	// Words returns the terminal's own words in the user's language. Required by Converse, which
	// calls it before the start event and after every response, which may have changed the language.
	Words func(context.Context) Words
	// Now returns the time of an event. Nil leaves the time out, because input from a pipe was typed
	// earlier.
	Now func() time.Time
	// Done reports whether a card ends the conversation, as a receipt does. Nil means that none does.
	Done func(chat.Card) bool
}

// Terminal holds a conversation with one user.
type Terminal struct {
	in      *bufio.Reader
	out     io.Writer
	options Options
	echo    bool // input does not show on its own, so it is printed
	events  int
}

// New returns a terminal that reads from in and writes to out.
func New(in io.Reader, out io.Writer, options Options) *Terminal {
	return &Terminal{in: bufio.NewReader(in), out: out, options: options, echo: !IsTerminal(in)}
}

// IsTerminal reports whether a reader or writer is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Show prints a card without asking for input, such as one that was posted to a channel.
func (t *Terminal) Show(card chat.Card) error {
	return t.print(strings.Join(cardParts(harmlessCard(card), t.width(), Words{}, false), ""))
}

func (t *Terminal) print(text string) error {
	if _, err := io.WriteString(t.out, text); err != nil {
		return fmt.Errorf("write to the terminal: %w", err)
	}
	return nil
}

// width is the number of columns to print in now.
func (t *Terminal) width() int {
	if file, ok := t.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 0 {
			return min(w, columns)
		}
	}
	return columns
}

// readLine returns the next line without its end, io.EOF after the last line, or the error of ctx.
// If ctx ends first, a read goes on in the background, so readLine must not be called again.
func (t *Terminal) readLine(ctx context.Context) (string, error) {
	var line string
	var err error
	read := make(chan struct{})
	go func() {
		line, err = t.in.ReadString('\n')
		close(read)
	}()
	select {
	case <-read:
	case <-ctx.Done():
	}
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("read a line: %w", context.Cause(ctx))
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("read a line: %w", err)
	case err != nil && line == "":
		return "", io.EOF
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// Converse passes start to the responder, and then an event for everything that the user does. It
// returns nil when the user leaves, the input ends or a card is Done. When ctx ends it returns the
// error of ctx, and the terminal cannot converse again. Converse fills in an empty ID of start. All
// later events have the Who, Where, Admin and Locale of start.
//
// Update replaces the current card. Whisper shows a new card with an item to go back; a whisper
// without buttons is printed once, and the current card stays. A Post is not shown.
func (t *Terminal) Converse(
	ctx context.Context, responder chat.Responder, start chat.Event,
) error {
	words := t.options.Words(ctx)
	if err := words.Check(); err != nil {
		return err
	}
	if start.ID == "" {
		start.ID = t.eventID()
	}
	k := &talk{t: t, responder: responder, start: start, words: harmlessWords(words)}
	err := k.run(ctx)
	if errors.Is(err, io.EOF) || errors.Is(err, errLeft) {
		err = nil
	}
	if k.done && err == nil {
		return nil
	}
	if printed := t.print(k.wrap("", k.words.Left)); err == nil {
		err = printed
	}
	return err
}

func (t *Terminal) eventID() string {
	t.events++
	return strconv.Itoa(t.events)
}
