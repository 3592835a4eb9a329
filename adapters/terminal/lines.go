package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/muesli/cancelreader"
)

// lines reads one line at a time. Reading can be cancelled.
type lines struct {
	from   io.Reader
	reader cancelreader.CancelReader
	buffer *bufio.Reader
}

func newLines(from io.Reader) *lines { return &lines{from: from} }

// next returns the next line without its end, io.EOF after the last line, or the error of ctx. If
// ctx ends first, next cancels the read. Only reads from files can be cancelled; others go on in
// the background.
func (l *lines) next(ctx context.Context) (string, error) {
	if l.buffer == nil {
		// Only when needed, because a screen reads the same file itself.
		reader, err := cancelreader.NewReader(l.from)
		if err != nil {
			return "", fmt.Errorf("read a line: %w", err)
		}
		l.reader, l.buffer = reader, bufio.NewReader(reader)
	}
	type read struct {
		text string
		err  error
	}
	got := make(chan read, 1)
	go func() {
		text, err := l.buffer.ReadString('\n')
		got <- read{text, err}
	}()
	var r read
	select {
	case r = <-got:
	case <-ctx.Done():
		if l.reader.Cancel() {
			<-got
		}
		return "", fmt.Errorf("read a line: %w", context.Cause(ctx))
	}
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("read a line: %w", context.Cause(ctx))
	case r.err != nil && !errors.Is(r.err, io.EOF):
		return "", fmt.Errorf("read a line: %w", r.err)
	case r.err != nil && r.text == "":
		return "", io.EOF
	}
	return strings.TrimRight(r.text, "\r\n"), nil
}
