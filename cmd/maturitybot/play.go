package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"maturitybot/bot/transcript"
)

// playCommand plays one .chat file.
type playCommand struct {
	matrixFlag
	File string `arg:"" help:"The .chat file. - reads standard input."`
	Log  bool   `help:"Print the bot's log to standard error."`
}

// Run plays the file and prints it with everything the bot did.
func (c playCommand) Run(ctx context.Context, s system) error {
	matrices, err := c.matrices()
	if err != nil {
		return err
	}
	script := s.in
	if c.File != "-" {
		f, err := openFile(c.File)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		script = f
	}
	var to io.Writer = io.Discard
	if c.Log {
		to = s.err
	}
	scene, _, done, err := newStage(filepath.Dir(c.File), embeddedOptions{
		matrices: matrices, log: slog.New(slog.NewTextHandler(to, nil)),
	}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // the store is gone with it
	played, err := transcript.Play(ctx, script, scene)
	if _, printed := io.WriteString(s.out, played); printed != nil {
		return fmt.Errorf("print transcript: %w", printed)
	}
	if err != nil {
		return fmt.Errorf("play %s: %w", c.File, err)
	}
	return nil
}
