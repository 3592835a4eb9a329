package survey

import (
	"fmt"
	"time"

	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
)

// Rounds gives access to the rounds in a store. It does nothing itself: As, AsCreator, LinksAs,
// For, Attending, Visiting and System say on whose authority something is done, and each returns a type
// with the methods that this authority allows.
type Rounds struct{ core }

// NewRounds returns the rounds in the store. The matrices are those that a round may use.
// Where several have the same id, new rounds take the first. Now returns the current time.
func NewRounds(store Store, matrices matrix.List, now func() time.Time) *Rounds {
	return &Rounds{core{
		store: store, matrices: matrices, now: now, retention: DefaultAssessmentRetention,
	}}
}

// KeepAssessments sets how long an assessment is kept after its last change.
func (r *Rounds) KeepAssessments(retention time.Duration) { r.retention = retention }

// As returns what the person may do as a coordinator.
func (r *Rounds) As(person PersonID) Coordinator { return Coordinator{&r.core, person} }

// AsCreator returns what the person may do who may start rounds. The caller has checked that they
// may.
func (r *Rounds) AsCreator(person PersonID) Creator { return Creator{&r.core, person} }

// For returns what the person may do about their own participation.
func (r *Rounds) For(person PersonID) Participant { return Participant{&r.core, person} }

// Attending returns what the person may do in a workshop.
func (r *Rounds) Attending(person PersonID) Attendee { return Attendee{&r.core, person} }

// LinksAs returns what the person may do as a coordinator, also about links.
func (r *Rounds) LinksAs(person PersonID) LinkCoordinator { return LinkCoordinator{r.As(person)} }

// Visiting returns what a person may do who holds a link.
func (r *Rounds) Visiting() Visitor { return Visitor{&r.core} }

// System returns what the bot does by itself, and what the operator does on the command line.
func (r *Rounds) System() System { return System{&r.core} }

// Matrix returns the matrix that a round uses.
func (r *Rounds) Matrix(round Round) (*matrix.Matrix, error) { return r.matrix(round) }

// core is what Coordinator, Creator, Participant, Attendee, Visitor and System share. Its methods
// check no permission.
type core struct {
	store    Store
	matrices matrix.List
	now      func() time.Time
	// retention is how long an assessment is kept after its last change.
	retention time.Duration
	linkKeys  LinkKeys
}

// matrix returns the matrix of a round in the version that the round was opened with. A draft has
// the matrix that new rounds take.
func (c *core) matrix(round Round) (*matrix.Matrix, error) {
	find := c.openedMatrix
	if round.State == Draft {
		find = func(r Round) (*matrix.Matrix, bool) { return c.matrices.ForNewRounds(r.Matrix) }
	}
	if m, ok := find(round); ok {
		return m, nil
	}
	return nil, fmt.Errorf("round %s: this installation does not have version %d of the matrix %q",
		round.ID, max(round.MatrixVersion, 1), round.Matrix)
}

// openedMatrix returns the matrix that the round was opened with. A round from before rounds kept
// the version has version 0: it has version 1, or else the matrix that new rounds take.
func (c *core) openedMatrix(round Round) (*matrix.Matrix, bool) {
	m, ok := c.matrices.Find(round.Matrix, max(round.MatrixVersion, 1))
	if !ok && round.MatrixVersion == 0 {
		return c.matrices.ForNewRounds(round.Matrix)
	}
	return m, ok
}

// entry returns an audit entry of an action that is done now.
func (c *core) entry(by PersonID, act audit.Action, changes []audit.Change) audit.Entry {
	return audit.Entry{At: c.now(), By: string(by), Action: act, Changes: changes}
}

// answering returns nil if the round takes answers now, and the reason why it does not otherwise.
func (c *core) answering(round Round) error {
	if round.AcceptsAnswers(c.now()) {
		return nil
	}
	return notOpenErr(round.State)
}
