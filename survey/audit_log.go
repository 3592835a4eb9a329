package survey

import (
	"context"

	"maturitybot/survey/audit"
)

// AuditLog is the audit log of a round, with the round as it is.
type AuditLog struct {
	Round Round
	audit.Log
}

// AuditLog returns a round's audit log to one of its coordinators.
func (c Coordinator) AuditLog(ctx context.Context, id RoundID) (AuditLog, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return AuditLog{}, err
	}
	return System{c.core}.AuditLog(ctx, round)
}

// AuditLog returns a round's audit log to the system.
func (s System) AuditLog(ctx context.Context, round Round) (AuditLog, error) {
	entries, err := s.store.AuditLog(ctx, round.ID)
	if err != nil {
		return AuditLog{}, err
	}
	log := audit.Log{Entries: entries, Broken: audit.Verify(string(round.ID), entries)}
	return AuditLog{Round: round, Log: log}, nil
}

// Audit records an action that changes no setting of the round. It does not check that by is a
// coordinator. The limits of the audit package apply, see Entry.WithinQuota.
func (s System) Audit(
	ctx context.Context, id RoundID, by PersonID, action audit.Action, changes ...audit.Change,
) error {
	e := audit.Entry{At: s.now(), By: string(by), Action: action, Changes: changes}
	return s.store.AppendEntry(ctx, id, e.WithinQuota)
}

// AuditRefused records that a person who is not a coordinator of the round tried the action that
// the verb names.
func (s System) AuditRefused(ctx context.Context, id RoundID, by PersonID, verb string) error {
	return s.Audit(ctx, id, by, audit.Refused, audit.Change{Field: audit.FieldVerb, New: verb})
}
