package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"maturitybot/survey"
)

// visit lets a person come by a link, answer every question with the lowest level, and finish. It
// reports whether they could: not by a link that leads nowhere, or an open link that is full. The
// operation tells people apart who come by the open link.
func (b *embeddedBot) visit(ctx context.Context, link, operation string) (bool, error) {
	path, ok := strings.CutPrefix(link, b.webURL+"/")
	id, token, found := strings.Cut(path, "/")
	if !ok || !found {
		return false, fmt.Errorf("there is no such link in a file yet")
	}
	round, visitors := survey.RoundID(id), b.rounds.Visiting()
	credential, err := visitors.Enter(ctx, round, token, survey.Operation{ID: operation})
	if errors.Is(err, survey.ErrNoLink) || errors.Is(err, survey.ErrLinkFull) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	visit, err := visitors.Find(ctx, round, credential)
	if err != nil {
		return false, err
	}
	own := b.rounds.For(visit.Member.Person)
	part, err := own.Start(ctx, round)
	if err != nil {
		return false, err
	}
	m, err := b.rounds.Matrix(part.Round)
	if err != nil {
		return false, err
	}
	if part.Member.Role == "" {
		if _, err := own.SetRole(ctx, round, survey.Unstated); err != nil {
			return false, err
		}
	}
	for _, e := range m.Elements() {
		op := survey.Operation{ID: operation + e.ID}
		if _, _, err := own.Answer(ctx, round, op, e.ID, 1); err != nil {
			return false, err
		}
	}
	_, _, err = own.Submit(ctx, round)
	return err == nil, err
}
