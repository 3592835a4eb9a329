package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"maturitybot/adapters/redis"
	"maturitybot/survey"
	"maturitybot/survey/workshop"
)

// roundsCommand lists the rounds for the operator, without naming people.
type roundsCommand struct {
	matrixFlag
	storeFlag
	Format string `help:"text or json." enum:"text,json" default:"text"`
}

// roundLine is one round in the list.
type roundLine struct {
	ID     survey.RoundID `json:"id"`
	Area   string         `json:"area"`
	Matrix string         `json:"matrix"`
	State  survey.State   `json:"state"`
	// Workshop is the stage of its workshop, or empty before it starts.
	Workshop workshop.Stage `json:"workshop,omitzero"`
	Opened   time.Time      `json:"opened,omitzero"`
	Closes   time.Time      `json:"closes"` // when it closes, or has closed
	Invited  int            `json:"invited"`
	Finished int            `json:"finished"`
}

// Run prints the rounds in the order of their closing times.
func (c roundsCommand) Run(ctx context.Context, s system) error {
	rounds, done, err := roundsIn(ctx, c.matrixFlag, c.storeFlag, storeFlag.open)
	if err != nil {
		return err
	}
	defer done()
	found := map[survey.RoundID]survey.Round{} // a scan may meet one twice
	if err := rounds.System().All(ctx, func(r survey.Round) error {
		found[r.ID] = r
		return nil
	}); err != nil {
		return err
	}
	lines := []roundLine{}
	for id, r := range found {
		status, err := rounds.System().Progress(ctx, id)
		if err != nil {
			return err
		}
		closes := r.ClosesAt
		if r.State == survey.Closed {
			closes = r.ClosedAt
		}
		line := roundLine{
			ID: id, Area: plain(r.Area), Matrix: r.Matrix, State: r.State, Closes: closes.In(r.Location()),
			Invited: status.Invited, Finished: status.Finished,
		}
		_, a, err := rounds.System().Workshop(ctx, id)
		if err != nil && !errors.Is(err, survey.ErrNoAssessment) {
			return err
		}
		line.Workshop = a.Stage
		if !r.OpenedAt.IsZero() {
			line.Opened = r.OpenedAt.In(r.Location())
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b roundLine) int { return cmp.Or(a.Closes.Compare(b.Closes), cmp.Compare(a.ID, b.ID)) })
	if c.Format == "json" {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(lines)
	}
	return table(s.out, lines)
}

func table(out io.Writer, lines []roundLine) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ROUND\tAREA\tMATRIX\tSTATE\tWORKSHOP\tOPENED\tCLOSES\tINVITED\tFINISHED")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", l.ID, l.Area, l.Matrix, l.State,
			workshopStage(l.Workshop), moment(l.Opened), moment(l.Closes), l.Invited, l.Finished)
	}
	return w.Flush()
}

// workshopStage returns the stage of a workshop in words, or a dash before it starts.
func workshopStage(s workshop.Stage) string {
	switch s {
	case workshop.Meeting:
		return "going on"
	case workshop.Agreed:
		return "finished"
	case workshop.NotStarted:
	}
	return "-"
}

// moment returns a time in its own zone, or a dash if there is none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("Mon 2006-01-02 15:04 MST")
}

// plain removes control characters, which could move the cursor of a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// operator opens the store for a command of the operator. The caller calls done when it has finished.
func operator(ctx context.Context, m matrixFlag, f storeFlag) (rounds *survey.Rounds, done func(), err error) {
	return roundsIn(ctx, m, f, storeFlag.openToWrite)
}

// roundsIn returns the rounds of the store that open returns.
func roundsIn(
	ctx context.Context, m matrixFlag, f storeFlag,
	open func(storeFlag, context.Context) (*redis.Store, error),
) (rounds *survey.Rounds, done func(), err error) {
	matrices, err := m.matrices()
	if err != nil {
		return nil, nil, err
	}
	store, err := open(f, ctx)
	if err != nil {
		return nil, nil, err
	}
	closeStore := func() { _ = store.Close() } // a write that returned was written
	return survey.NewRounds(store, matrices, time.Now), closeStore, nil
}
