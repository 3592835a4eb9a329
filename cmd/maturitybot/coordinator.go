package main

import (
	"context"
	"errors"
	"fmt"

	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// coordinatorCommand adds a coordinator to a round. An operator uses it when the last coordinator has
// left.
type coordinatorCommand struct {
	matrixFlag
	storeFlag
	Round  string `arg:"" help:"Id of the round, as maturitybot rounds prints it."`
	Do     string `arg:"" enum:"add" help:"What to do: add."`
	Person string `arg:"" help:"person"`
}

// Run adds the coordinator, and prints what it did. It changes nothing if the person already is a
// coordinator.
func (c coordinatorCommand) Run(ctx context.Context, s system) error {
	who, err := parsePerson(c.Person)
	if err != nil {
		return err
	}
	if survey.PersonID(who.String()).ByLink() {
		return errors.New("that person takes part by a link to the web, and cannot coordinate a round")
	}
	rounds, done, err := operator(ctx, c.matrixFlag, c.storeFlag)
	if err != nil {
		return err
	}
	defer done()
	r, err := rounds.System().Round(ctx, survey.RoundID(c.Round))
	if errors.Is(err, survey.ErrNoRound) {
		return fmt.Errorf("there is no round %q: maturitybot rounds lists them", c.Round)
	}
	if err != nil {
		return err
	}
	home, err := chat.ParsePlace(r.Channel)
	if err != nil {
		return fmt.Errorf("read the channel of the round: %w", err)
	}
	if who.Platform != home.Platform || who.Workspace != "" && who.Workspace != home.Workspace {
		return fmt.Errorf("the round is in %s:%s, and the person is not: "+
			"its results would leave that workspace", home.Platform, home.Workspace)
	}
	person := survey.PersonID(who.String())
	r, added, err := rounds.System().AddCoordinator(ctx, r.ID, person)
	var tooMany *survey.InputError
	switch {
	case errors.As(err, &tooMany):
		return fmt.Errorf("the round has %d coordinators, which is the most", tooMany.Limit)
	case err != nil && added:
		return fmt.Errorf("%s was added, but there will be no message in the channel: %w", who, err)
	case err != nil:
		return err
	case !added:
		fmt.Fprintf(s.out, "%s is a coordinator of %s (%s) already.\n", who, plain(r.Area), r.ID)
	default:
		fmt.Fprintf(s.out, "%s is a coordinator of %s (%s, %s) now, one of %d. "+
			"The bot posts this in the round's channel.\n",
			who, plain(r.Area), r.ID, r.State, len(r.Coordinators))
	}
	return nil
}
