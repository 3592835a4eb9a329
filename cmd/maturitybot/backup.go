package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/terminal"
)

// backupCommand writes a backup, encrypted for public keys. The machine that makes it needs no secret
// key.
type backupCommand struct {
	storeFlag
	File      string   `arg:"" help:"The file to write. - writes to standard output."`
	Recipient []string `short:"r" env:"BACKUP_RECIPIENT" required:"" placeholder:"age1..." help:"recipient"`
	Force     bool     `help:"Replace the file if it exists."`
}

// Run writes the backup. If it fails, a file that was there stays as it was.
func (c backupCommand) Run(ctx context.Context, s system) error {
	recipients, err := c.recipients()
	if err != nil {
		return err
	}
	if c.File == "-" && terminal.IsTerminal(s.out) {
		return errors.New("a backup cannot be read in a terminal: name a file, or redirect with > or |")
	}
	if _, err := os.Lstat(c.File); err == nil && !c.Force {
		return fmt.Errorf("%s is there already; name another file, or give --force", c.File)
	}
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // it was only read
	write := func(to io.Writer) (contents redis.Contents, err error) {
		encrypted, err := age.Encrypt(to, recipients...)
		if err != nil {
			return contents, fmt.Errorf("encrypt the backup: %w", err)
		}
		if contents, err = store.Backup(ctx, encrypted); err != nil {
			return contents, err
		}
		return contents, encrypted.Close()
	}
	var contents redis.Contents
	if c.File == "-" {
		contents, err = write(s.out)
	} else {
		contents, err = writeBackupFile(c.File, write)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "%s: %s.\n", c.File, describe(contents))
	if contents.Open > 0 {
		fmt.Fprintf(s.err, "Rounds that were not closed: %d. Anyone with this file and its key can tell "+
			"whose answers are whose in them. Delete the file by the date you promised.\n", contents.Open)
	}
	return nil
}

// recipients reads the public keys.
func (c backupCommand) recipients() ([]age.Recipient, error) {
	keys := strings.Join(c.Recipient, "\n")
	// age.ParseRecipients would repeat a secret key in its error.
	if strings.Contains(strings.ToUpper(keys), "AGE-SECRET-KEY-") {
		return nil, errors.New("--recipient is given the secret key; give the public key, " +
			"which begins with age1, and keep the secret key elsewhere")
	}
	recipients, err := age.ParseRecipients(strings.NewReader(keys))
	if err != nil {
		return nil, fmt.Errorf("--recipient wants public keys as age-keygen prints them, "+
			"which begin with age1: %w", err)
	}
	return recipients, nil
}

// describe returns the size of a backup, and when it was begun.
func describe(c redis.Contents) string {
	return fmt.Sprintf("rounds: %d, people: %d, responses: %d, assessments: %d, begun at %s",
		c.Rounds, c.People, c.Responses, c.Assessments, c.At.Format("2006-01-02 15:04:05 MST"))
}

// writeBackupFile writes a file that other users of the machine cannot read. It writes a temporary
// file in the same folder, and renames it to path when all of it is on the disk.
func writeBackupFile(
	path string, write func(io.Writer) (redis.Contents, error),
) (contents redis.Contents, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".maturitybot-*")
	if err != nil {
		return contents, fmt.Errorf("make the file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error says what matters
		}
	}()
	contents, err = write(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return contents, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return contents, fmt.Errorf("put the file in its place: %w", err)
	}
	return contents, syncFolder(filepath.Dir(path))
}
