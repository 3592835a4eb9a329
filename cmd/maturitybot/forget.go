package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/terminal"
	"maturitybot/survey"
)

// forgetCommand takes a person out of every round. An operator uses it after a written request.
type forgetCommand struct {
	matrixFlag
	storeFlag
	erasuresFlag
	Person string `arg:"" help:"person"`
	Yes    bool   `help:"Do not ask for confirmation."`

	WithoutErasures bool `help:"forget_without_erasures"`
}

// Run erases a person, and prints what it erased in each round. Run again, it erases what was added
// since.
func (c forgetCommand) Run(ctx context.Context, s system) error {
	who, err := parsePerson(c.Person)
	if err != nil {
		return err
	}
	if !c.Yes {
		err := confirm(s, "This person is taken out of every round, and what they answered in "+
			"rounds that are not closed is erased, for good. The record of what coordinators did "+
			"keeps their identifier, if it is there. Go on?")
		if err != nil {
			return err
		}
	}
	matrices, err := c.matrices()
	if err != nil {
		return err
	}
	store, err := c.openToWrite(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // every write was confirmed before it was reported
	inJournal, err := c.checkJournal(ctx, store)
	if err != nil {
		return err
	}
	done, err := c.journal(store)
	switch {
	case err != nil && c.WithoutErasures:
		inJournal, done = false, func() error { return nil }
	case err != nil:
		return notErased(err)
	}
	defer func() { _ = done() }() // every line of it was synced
	system := survey.NewRounds(store, matrices, time.Now).System()
	all, err := system.Forget(ctx, survey.PersonID(who.String()))
	soleCoordinator := false
	for _, f := range all {
		fmt.Fprintln(s.out, forgottenLine(f))
		soleCoordinator = soleCoordinator || f.SoleCoordinator
	}
	if len(all) == 0 && err == nil {
		fmt.Fprintln(s.out, "No round lists this person. A record may still hold their identifier.")
	}
	if err != nil {
		return fmt.Errorf("not everything could be erased; run it again: %w", err)
	}
	restored := "a restore brings it back, and you must run this again"
	if inJournal {
		restored = "a restore with the file of erasures leaves it out"
	}
	fmt.Fprintf(s.out, "Messages from the bot stay in their conversation. "+
		"Earlier backups still hold what was erased: %s.\n", restored)
	fmt.Fprintln(s.out, "They can be invited again. "+
		"If CREATORS names them, remove them there.")
	if soleCoordinator {
		fmt.Fprintln(s.err, "maturitybot: a round that is not closed needs a "+
			"coordinator. Add another with maturitybot coordinator ROUND add PERSON, "+
			"or close the survey, then run this again.")
		return errReported
	}
	return nil
}

// checkJournal reports whether the erasure will be in a journal that a later restore reads. That is a
// journal of serve or, where serve has none, any journal. If not, it returns an error that says what
// to do, or no error with --without-erasures.
func (c forgetCommand) checkJournal(ctx context.Context, store *redis.Store) (bool, error) {
	known, err := store.Journals(ctx)
	if err != nil {
		return false, err
	}
	wrong := ""
	switch {
	case c.Erasures == "" && len(known) == 0:
		wrong = "ERASURES is not set, neither here nor where serve runs. Set it to a file for both"
	case c.Erasures == "":
		wrong = "serve adds erasures to a file, and ERASURES does not name it here. Set the same one"
	case len(known) > 0:
		name, err := journalName(c.Erasures)
		if err != nil && !c.WithoutErasures {
			return false, notErased(err)
		}
		if !slices.Contains(known, name) {
			wrong = c.Erasures + " is not the file that serve adds erasures to. Give that one"
		}
	}
	switch {
	case wrong == "":
		return true, nil
	case c.WithoutErasures:
		return false, nil
	}
	return false, notErased(errors.New(wrong + ", or a restored backup brings this person back"))
}

// notErased returns an error for a journal that cannot be used.
func notErased(why error) error {
	return fmt.Errorf("nothing was erased: %w. --without-erasures goes on without it", why)
}

// forgottenLine returns a line about what was erased of a person in one round.
func forgottenLine(f survey.Forgotten) string {
	var done []string
	if f.Invited {
		done = append(done, "removed from the list of people invited")
	}
	if f.Answers {
		done = append(done, "answers erased")
	}
	if f.Messages > 0 {
		done = append(done, fmt.Sprintf("messages waiting for them deleted (%d)", f.Messages))
	}
	if f.Attended {
		done = append(done, "role and open vote in the workshop erased")
	}
	if f.WasCoordinator {
		done = append(done, "no longer a coordinator")
	}
	if f.SoleCoordinator {
		done = append(done, "STILL its only coordinator")
	}
	line := fmt.Sprintf("%s (%s, %s): %s.",
		plain(f.Round.Area), f.Round.ID, f.Round.State, strings.Join(done, "; "))
	if f.Round.State == survey.Closed && f.Invited {
		line += " If they answered, the answers stay: " +
			"since the survey closed, nobody can tell which they are."
	}
	return line
}

// confirm asks the user a question at a terminal. It returns an error if the answer is not yes, or if
// there is no terminal.
func confirm(s system, question string) error {
	noUser := errors.New("there is no terminal to confirm at: give --yes")
	if !terminal.IsTerminal(s.in) {
		return noUser
	}
	fmt.Fprint(s.err, question+" [y/N] ")
	answer, err := bufio.NewReader(s.in).ReadString('\n')
	switch answer = strings.ToLower(strings.TrimSpace(answer)); {
	case err == io.EOF && answer == "":
		return noUser
	case err != nil && err != io.EOF:
		return fmt.Errorf("read the answer: %w", err)
	case answer != "y" && answer != "yes":
		return errors.New("nothing was erased")
	}
	return nil
}
