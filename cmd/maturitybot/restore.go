package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/age"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/terminal"
	"maturitybot/survey"
	"maturitybot/survey/audit"
)

// restoreCommand writes a backup back into Redis, or only checks it.
type restoreCommand struct {
	matrixFlag
	storeFlag
	File            string   `arg:"" help:"The backup. - reads standard input."`
	Identity        string   `short:"i" required:"" placeholder:"FILE" help:"identity"`
	Check           bool     `help:"Only read the whole backup and say whether it can be restored. Needs no Redis."`
	Replace         bool     `help:"Replace the rounds in Redis with those in the backup."`
	Erasures        []string `env:"ERASURES" placeholder:"FILE" type:"path" help:"restore_erasures"`
	WithoutErasures bool     `help:"Restore even if there is no list of what was erased after the backup."`
}

// Run restores or checks the backup. It writes nothing before it has read and checked the whole
// backup.
func (c restoreCommand) Run(ctx context.Context, s system) error {
	identities, err := c.identities()
	if err != nil {
		return err
	}
	f, err := c.backup(s.in)
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if c.File == "-" {
		c.File = "standard input" // its name in messages
	}
	read := func() (io.Reader, error) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		return c.decrypt(f, identities)
	}
	if c.Check {
		in, err := read()
		if err != nil {
			return err
		}
		contents, err := redis.CheckBackup(in)
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		fmt.Fprintf(s.out, "%s is whole. %s.\n", c.File, describe(contents))
		return nil
	}
	restored, err := c.restore(ctx, read)
	if _, written := errors.AsType[*incompleteError](err); err == nil || written {
		printRestored(s, restored)
	}
	return err
}

// backup opens the backup. A backup is read twice, so standard input is copied to a temporary file.
// The file has no name, so that no other process can open it, and ends with the program.
func (c restoreCommand) backup(in io.Reader) (f *os.File, err error) {
	if c.File != "-" {
		return openFile(c.File)
	}
	if terminal.IsTerminal(in) {
		return nil, errors.New("a backup cannot be typed in a terminal: name its file, " +
			"or redirect with < or |")
	}
	if f, err = os.CreateTemp("", "maturitybot-*"); err != nil {
		return nil, err
	}
	_, err = io.Copy(f, in)
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// restore writes the backup that read returns into Redis, without the erasures in the journals. It
// then brings every round up to date, and adds the restore to its audit log.
func (c restoreCommand) restore(
	ctx context.Context, read func() (io.Reader, error),
) (redis.Restored, error) {
	options := redis.RestoreOptions{Replace: c.Replace, WithoutErasures: c.WithoutErasures}
	for _, path := range c.Erasures {
		journal, err := openFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist) && c.WithoutErasures:
			continue
		case errors.Is(err, os.ErrNotExist):
			return redis.Restored{}, fmt.Errorf("the file of erasures %s is not there: "+
				"give the copy you kept (--erasures FILE), or --without-erasures", path)
		case err != nil:
			return redis.Restored{}, err
		}
		defer func() { _ = journal.Close() }() // it was only read
		options.Journals = append(options.Journals, journal)
	}
	matrices, err := c.matrices()
	if err != nil {
		return redis.Restored{}, err
	}
	store, err := c.openToWrite(ctx)
	if err != nil {
		return redis.Restored{}, err
	}
	defer func() { _ = store.Close() }() // every write was confirmed before it was reported
	restored, err := store.Restore(ctx, read, options)
	switch {
	case errors.Is(err, redis.ErrNotEmpty):
		return restored, fmt.Errorf("%w. Nothing was changed. Stop the bot, back up what is there, "+
			"then give --replace to take it out", err)
	case errors.Is(err, redis.ErrErasuresUnknown):
		return restored, fmt.Errorf("%w. Nothing was changed. Give the files to which serve and "+
			"forget added erasures (--erasures), one of them begun before the backup. "+
			"If there are none, give --without-erasures: people who withdrew or were forgotten "+
			"since then are back, and rounds closed since then are open", err)
	case err != nil:
		return restored, err
	}
	system := survey.NewRounds(store, matrices, time.Now).System()
	for _, id := range restored.Closed {
		if err := system.AnonymiseRoster(ctx, id); err != nil {
			return restored, incomplete(err, "the list of people of round %s still holds their roles", id)
		}
	}
	for id, people := range restored.Uncounted {
		if err := forgetPeople(ctx, store, system, id, people); err != nil {
			return restored, incomplete(err,
				"people who are to be forgotten are still in round %s", id)
		}
	}
	return restored, auditRestore(ctx, system, restored.Backup.At)
}

// incompleteError is the error of a restore that wrote the backup, and could not do all that follows.
type incompleteError struct {
	missing string // what is not done
	err     error
}

func (e *incompleteError) Error() string {
	return fmt.Sprintf("all is restored, but %s; run it again with --replace: %v", e.missing, e.err)
}

func (e *incompleteError) Unwrap() error { return e.err }

func incomplete(err error, format string, args ...any) error {
	return &incompleteError{fmt.Sprintf(format, args...), err}
}

// forgetPeople takes people out of a restored round.
func forgetPeople(
	ctx context.Context, store *redis.Store, system survey.System,
	id survey.RoundID, people []survey.PersonID,
) error {
	if err := system.AnonymiseRoster(ctx, id); err != nil {
		return err
	}
	for _, person := range people {
		if _, err := store.Forget(ctx, id, person); err != nil {
			return err
		}
	}
	return nil
}

// auditRestore adds an entry about the restore of a backup, begun at that time, to the audit log of
// every round.
func auditRestore(ctx context.Context, system survey.System, begun time.Time) error {
	ids := map[survey.RoundID]bool{} // a set, because All may visit a round twice
	err := system.All(ctx, func(round survey.Round) error {
		ids[round.ID] = true
		return nil
	})
	if err != nil {
		return incomplete(err, "the restore is missing in the records")
	}
	change := audit.Change{Field: audit.FieldBackup, New: begun.UTC().Format(time.RFC3339)}
	for id := range ids {
		if err := system.Audit(ctx, id, audit.Operator, audit.Restored, change); err != nil {
			return incomplete(err, "the restore is missing in the record of round %s", id)
		}
	}
	return nil
}

// printRestored prints what was restored, and warns of erasures that may be undone.
func printRestored(s system, r redis.Restored) {
	fmt.Fprintf(s.out, "Restored rounds: %d. The backup has %s.\n", r.Rounds, describe(r.Backup))
	for _, line := range []struct {
		count int
		text  string
	}{
		{r.Replaced, "Rounds that were there before and were deleted"},
		{r.Expired, "Rounds left out because their time to be kept has ended"},
		{r.Withdrawn, "People whose answers were left out " +
			"because they withdrew after the backup (counted in each round)"},
		{r.Forgotten, "People left out completely " +
			"because they were forgotten after the backup (counted in each round)"},
	} {
		if line.count > 0 {
			fmt.Fprintf(s.out, "%s: %d.\n", line.text, line.count)
		}
	}
	if len(r.Closed) > 0 {
		fmt.Fprintf(s.out, "Closed after the backup, and now closed again, "+
			"so that nobody can tell whose answers are whose: %s.\n", joinIDs(r.Closed))
	}
	if len(r.CoordinatorKept) > 0 {
		fmt.Fprintf(s.err, "NOTE: a person to be forgotten is still the only coordinator of %s. "+
			"If the survey is not closed, add another with maturitybot coordinator "+
			"ROUND add PERSON. Then run forget again.\n", joinIDs(r.CoordinatorKept))
	}
	if r.Unknown > 0 {
		fmt.Fprintf(s.err, "WARNING: for %d rounds it is not known what was erased after the backup. "+
			"People who withdrew or were forgotten since then are back, "+
			"and a round that was closed since then is open. "+
			"Repeat what you know of: maturitybot forget, /maturity close.\n", r.Unknown)
	}
}

func joinIDs(rounds []survey.RoundID) string {
	all := make([]string, len(rounds))
	for i, id := range rounds {
		all[i] = string(id)
	}
	return strings.Join(all, ", ")
}

// identities reads the secret keys. No error repeats what is in the file.
func (c restoreCommand) identities() ([]age.Identity, error) {
	f, err := openFile(c.Identity)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	identities, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("%s holds no secret key as age-keygen writes it (decrypt one "+
			"that has a passphrase with age first)", c.Identity)
	}
	return identities, nil
}

// decrypt returns a reader of the decrypted backup.
func (c restoreCommand) decrypt(f io.Reader, identities []age.Identity) (io.Reader, error) {
	in, err := age.Decrypt(bufio.NewReader(f), identities...)
	var noMatch *age.NoIdentityMatchError
	switch {
	case errors.As(err, &noMatch):
		return nil, fmt.Errorf("%s was not made for the key in %s", c.File, c.Identity)
	case err != nil:
		return nil, fmt.Errorf("%s is not a backup of maturitybot, or is damaged: %w", c.File, err)
	}
	return in, nil
}
