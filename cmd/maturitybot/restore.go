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

// restoreCommand writes a backup back, or checks it.
type restoreCommand struct {
	matrixFlag
	storeFlag
	File            string   `arg:"" help:"The backup; - reads standard input."`
	Identity        string   `name:"identity" short:"i" required:"" placeholder:"FILE" help:"File with the secret key, as age-keygen wrote it."`
	Check           bool     `help:"Only read the whole backup, and say whether it can be restored; needs no Redis."`
	Replace         bool     `help:"Take out the rounds that Redis holds, for those of the backup."`
	Erasures        []string `name:"erasures" env:"ERASURES" placeholder:"FILE" type:"path" help:"Files to which serve and forget added what was erased; several with commas."`
	WithoutErasures bool     `name:"without-erasures" help:"Go on though nothing tells what was erased since the backup."`
}

// Run restores. Nothing is written before all of the backup has been read and found whole.
func (c restoreCommand) Run(ctx context.Context, s streams) error {
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
		c.File = "standard input" // in what is said of it
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
		fmt.Fprintf(s.out, "%s is whole. %s.\n", c.File, contains(contents))
		return nil
	}
	rest, err := c.restore(ctx, read)
	if err != nil {
		return err
	}
	report(s, rest)
	return nil
}

// backup opens the backup. As it is read twice, standard input becomes a file that nobody else can open, and that is gone with the program.
func (c restoreCommand) backup(in io.Reader) (f *os.File, err error) {
	if c.File != "-" {
		return openFile(c.File)
	}
	if terminal.IsTerminal(in) {
		return nil, errors.New("a backup is nothing to type in a terminal; name its file, or send it here with < or |")
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

func (c restoreCommand) restore(ctx context.Context, read func() (io.Reader, error)) (redis.Restored, error) {
	o := redis.RestoreOptions{Replace: c.Replace, WithoutErasures: c.WithoutErasures}
	for _, path := range c.Erasures {
		j, err := openFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist) && c.WithoutErasures:
			continue
		case errors.Is(err, os.ErrNotExist):
			return redis.Restored{}, fmt.Errorf("the file of erasures %s is not there: give the copy you kept (--erasures FILE), or --without-erasures", path)
		case err != nil:
			return redis.Restored{}, err
		}
		defer func() { _ = j.Close() }() // it was only read
		o.Journals = append(o.Journals, j)
	}
	matrices, err := c.matrices()
	if err != nil {
		return redis.Restored{}, err
	}
	store, err := c.openToWrite(ctx)
	if err != nil {
		return redis.Restored{}, err
	}
	defer func() { _ = store.Close() }() // everything was written when it was said to be
	r, err := store.Restore(ctx, read, o)
	switch {
	case errors.Is(err, redis.ErrNotEmpty):
		return r, fmt.Errorf("%w. Nothing was changed. Stop the bot, back up what is there, then give --replace to take it out", err)
	case errors.Is(err, redis.ErrErasuresUnknown):
		return r, fmt.Errorf("%w. Nothing was changed. Give the files to which serve and forget added erasures (--erasures), one of them begun before the backup. If there are none, "+
			"--without-erasures goes on: people who withdrew or were to be forgotten since are then back, and rounds closed since are open", err)
	case err != nil:
		return r, err
	}
	rounds := survey.NewRounds(store, matrices, time.Now)
	for _, id := range r.Closed {
		if err := rounds.System().AnonymiseRoster(ctx, id); err != nil {
			return r, fmt.Errorf("all is restored, but the list of people of round %s still holds their roles; run it again with --replace: %w", id, err)
		}
	}
	for id, people := range r.Uncounted {
		if err := rounds.System().AnonymiseRoster(ctx, id); err != nil {
			return r, fmt.Errorf("all is restored, but people who are to be forgotten are still in round %s; run it again with --replace: %w", id, err)
		}
		for _, person := range people {
			if _, err := store.Forget(ctx, id, person); err != nil {
				return r, fmt.Errorf("all is restored, but people who are to be forgotten are still in round %s; run it again with --replace: %w", id, err)
			}
		}
	}
	restored := map[survey.RoundID]bool{} // all that the store now holds; a scan may meet one twice
	if err := rounds.System().All(ctx, func(round survey.Round) error {
		restored[round.ID] = true
		return nil
	}); err != nil {
		return r, fmt.Errorf("all is restored, but the records do not tell of it; run it again with --replace: %w", err)
	}
	for id := range restored {
		if err := rounds.System().Audit(ctx, id, audit.Operator, audit.Restored, audit.Change{Field: audit.FieldBackup, New: r.Backup.At.UTC().Format(time.RFC3339)}); err != nil {
			return r, fmt.Errorf("all is restored, but the record of round %s does not tell of it; run it again with --replace: %w", id, err)
		}
	}
	return r, nil
}

// report says what came of a restore, and loudly what may have come back with it.
func report(s streams, r redis.Restored) {
	fmt.Fprintf(s.out, "Restored rounds: %d. The backup has %s.\n", r.Rounds, contains(r.Backup))
	for _, line := range []struct {
		n    int
		what string
	}{
		{r.Replaced, "Rounds that were there and were taken out"},
		{r.Expired, "Rounds left out, since they are not to be kept any more"},
		{r.Withdrawn, "People whose answers were left out, since they withdrew after the backup (counted in each round)"},
		{r.Forgotten, "People left out altogether, since they are to be forgotten (counted in each round)"},
	} {
		if line.n > 0 {
			fmt.Fprintf(s.out, "%s: %d.\n", line.what, line.n)
		}
	}
	if len(r.Closed) > 0 {
		fmt.Fprintf(s.out, "Closed since the backup, and closed again, so that nobody can tell whose answers are whose: %s.\n", ids(r.Closed))
	}
	if len(r.Unsteered) > 0 {
		fmt.Fprintf(s.err, "NOTE: somebody who is to be forgotten is still the only coordinator of %s. Where the survey is not closed, add another with maturitybot coordinator ROUND add PERSON. Then run forget again.\n", ids(r.Unsteered))
	}
	if r.Unknown > 0 {
		fmt.Fprintf(s.err, "WARNING: of %d rounds nothing tells what was erased after the backup. People who withdrew or were to be forgotten since then are back, "+
			"and a round that was closed since is open. Do again what you know of: maturitybot forget, /maturity close.\n", r.Unknown)
	}
}

func ids(rounds []survey.RoundID) string {
	all := make([]string, len(rounds))
	for i, id := range rounds {
		all[i] = string(id)
	}
	return strings.Join(all, ", ")
}

// identities reads the secret keys; what is in the file appears in no error.
func (c restoreCommand) identities() ([]age.Identity, error) {
	f, err := openFile(c.Identity)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	identities, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("%s holds no secret key as age-keygen writes it (one that is protected by a passphrase is to be decrypted with age first)", c.Identity)
	}
	return identities, nil
}

// decrypt reads a backup that was encrypted.
func (c restoreCommand) decrypt(f io.Reader, identities []age.Identity) (io.Reader, error) {
	in, err := age.Decrypt(bufio.NewReader(f), identities...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, fmt.Errorf("%s was not made for the key in %s", c.File, c.Identity)
	case err != nil:
		return nil, fmt.Errorf("%s is not a backup of maturitybot, or is damaged: %w", c.File, err)
	}
	return in, nil
}
