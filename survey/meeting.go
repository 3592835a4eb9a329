package survey

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/workshop"
)

// DefaultAssessmentRetention is how long an assessment is kept after its last change.
const DefaultAssessmentRetention = 6 * 365 * 24 * time.Hour

// ErrNoRole says that a person has not said what their role is.
var ErrNoRole = errors.New("the person has given no role")

// Assessment returns the assessment of a round that the person coordinates, or ErrNoAssessment.
func (c Coordinator) Assessment(
	ctx context.Context, id RoundID,
) (Round, workshop.Assessment, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return Round{}, workshop.Assessment{}, err
	}
	a, err := c.store.Assessment(ctx, id)
	return round, a, err
}

// StartWorkshop starts the workshop of a round whose survey has closed. For a draft it closes the
// round first: the area only meets, and there is no survey. Starting again changes nothing. The
// bool reports whether this call started it.
func (c Coordinator) StartWorkshop(
	ctx context.Context, id RoundID,
) (Round, workshop.Assessment, bool, error) {
	none := workshop.Assessment{}
	round, a, err := c.Assessment(ctx, id)
	switch {
	case err == nil:
		return round, a, false, nil
	case !errors.Is(err, ErrNoAssessment):
		return round, none, false, err
	case round.State == Open:
		return round, none, false, ErrStillOpen
	}
	if round.State == Draft {
		if round, err = c.closeDraft(ctx, round); err != nil {
			return round, none, false, err
		}
	}
	published, err := c.publish(ctx, round)
	if err != nil {
		return round, none, false, err
	}
	a = workshop.New(string(id), round.Area, published, c.now())
	if err := c.addPrevious(ctx, &a); err != nil {
		return round, none, false, err
	}
	started := c.entry(c.person, audit.Stage, stageChange(workshop.NotStarted, a.Stage))
	err = c.saveAssessment(ctx, &a, started)
	if isChanged(err) { // another coordinator started it at the same moment
		a, err = c.store.Assessment(ctx, id)
		return round, a, false, err
	}
	return round, a, err == nil, err
}

// closeDraft closes a round whose survey was never opened.
func (c Coordinator) closeDraft(ctx context.Context, round Round) (Round, error) {
	m, err := c.matrix(round)
	if err != nil {
		return round, err
	}
	round, err = c.change(ctx, round.ID, audit.Redrafted, func(r *Round) error {
		switch r.State {
		case Open: // another coordinator opened it at the same moment
			return ErrStillOpen
		case Closed:
			return errUnchanged
		}
		r.MatrixVersion, r.MatrixFingerprint = m.Version, m.Fingerprint()
		return nil
	})
	if err := ignoreUnchanged(err); err != nil {
		return round, err
	}
	now := c.now()
	round, err = c.store.CloseRound(ctx, round.ID, now, c.closing(c.person, round, now))
	if err != nil {
		return round, err
	}
	_, err = c.anonymise(ctx, round)
	return round, err
}

// workshop returns the round and its assessment, or ErrNoAssessment.
func (c *core) workshop(ctx context.Context, id RoundID) (Round, workshop.Assessment, error) {
	round, err := c.store.Round(ctx, id)
	if err != nil {
		return Round{}, workshop.Assessment{}, err
	}
	a, err := c.store.Assessment(ctx, id)
	return round, a, err
}

// Workshop returns the round and its assessment, or ErrNoAssessment, for the cards that everybody
// in a workshop sees.
func (s System) Workshop(ctx context.Context, id RoundID) (Round, workshop.Assessment, error) {
	return s.workshop(ctx, id)
}

// WorkshopProgress returns how many people rate in the workshop, and how many have voted in its
// open ballot.
func (s System) WorkshopProgress(ctx context.Context, id RoundID) (WorkshopProgress, error) {
	return s.store.WorkshopProgress(ctx, id)
}

// addPrevious adds the ratings that the area agreed last time, in the same matrix.
func (c *core) addPrevious(ctx context.Context, a *workshop.Assessment) error {
	ids, err := c.store.Assessments(ctx, a.Area)
	if err != nil {
		return err
	}
	for _, id := range ids {
		earlier, err := c.store.Assessment(ctx, id)
		switch {
		case errors.Is(err, ErrNoAssessment):
			continue
		case err != nil:
			return err
		}
		if earlier.Stage == workshop.Agreed && earlier.Matrix == a.Matrix && earlier.Round != a.Round {
			a.Previous, a.PreviousAt = earlier.Ratings, earlier.FinishedAt
			return nil
		}
	}
	return nil
}

// saveAssessment saves the assessment and counts its version up.
func (c *core) saveAssessment(
	ctx context.Context, a *workshop.Assessment, e audit.Entry,
) error {
	a.ExpiresAt = c.now().Add(c.retention)
	if err := c.store.SaveAssessment(ctx, *a, e); err != nil {
		return err
	}
	a.Version++
	return nil
}

// changeAssessment applies edit to the assessment and saves it, with an audit entry of the action
// and the changes that edit returns. It starts again when the assessment was changed in between.
func (c *core) changeAssessment(
	ctx context.Context, id RoundID, by PersonID, act audit.Action,
	edit func(*workshop.Assessment) ([]audit.Change, error),
) (workshop.Assessment, error) {
	for range attempts {
		a, err := c.store.Assessment(ctx, id)
		if err != nil {
			return workshop.Assessment{}, err
		}
		changes, err := edit(&a)
		if err != nil {
			return a, err
		}
		e := audit.Entry{}
		if act != "" {
			e = c.entry(by, act, changes)
		}
		if err := c.saveAssessment(ctx, &a, e); !isChanged(err) {
			return a, err
		}
	}
	return workshop.Assessment{}, errOvertaken(id)
}

// edit is changeAssessment for a coordinator of the round.
func (c Coordinator) edit(
	ctx context.Context, id RoundID, act audit.Action,
	edit func(*workshop.Assessment) ([]audit.Change, error),
) (Round, workshop.Assessment, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return Round{}, workshop.Assessment{}, err
	}
	a, err := c.changeAssessment(ctx, id, c.person, act, edit)
	return round, a, err
}

// BeginBallot opens a ballot on the element, in which everybody rates anew. A ballot on another
// element that is open ends without being shown.
func (c Coordinator) BeginBallot(
	ctx context.Context, id RoundID, element string,
) (Round, workshop.Assessment, error) {
	return c.edit(ctx, id, "", func(a *workshop.Assessment) ([]audit.Change, error) {
		return nil, a.Begin(element)
	})
}

// Postpone takes an element after all others.
func (c Coordinator) Postpone(
	ctx context.Context, id RoundID, element string,
) (Round, workshop.Assessment, error) {
	return c.edit(ctx, id, "", func(a *workshop.Assessment) ([]audit.Change, error) {
		return nil, a.Postpone(element)
	})
}

// PauseWorkshop pauses the workshop. Beginning a ballot ends the pause.
func (c Coordinator) PauseWorkshop(
	ctx context.Context, id RoundID,
) (Round, workshop.Assessment, error) {
	return c.edit(ctx, id, "", func(a *workshop.Assessment) ([]audit.Change, error) {
		return nil, a.Pause(c.now())
	})
}

// TakeConsensus records the survey's most common level for the elements, which the coordinator has
// seen. It returns workshop.ErrChanged when they are not those that are in consensus now.
func (c Coordinator) TakeConsensus(
	ctx context.Context, id RoundID, elements []string,
) (Round, workshop.Assessment, error) {
	taken := func(a *workshop.Assessment) ([]audit.Change, error) {
		if err := a.TakeConsensus(elements, c.now()); err != nil {
			return nil, err
		}
		var changes []audit.Change
		for _, e := range elements {
			changes = append(changes, ratingChange(e, workshop.Rating{}, a.Ratings[e]))
		}
		return changes, nil
	}
	return c.edit(ctx, id, audit.Rated, taken)
}

// ShowBallot counts the votes of a ballot and deletes them. It returns workshop.ErrTooFew if fewer
// people than the round's minimum chose a level, and workshop.ErrNoBallot if the ballot is not
// open. The same operation again returns the same assessment.
func (c Coordinator) ShowBallot(
	ctx context.Context, id RoundID, ballot int, op Operation,
) (Round, workshop.Assessment, error) {
	round, a, err := c.Assessment(ctx, id)
	if err != nil {
		return round, a, err
	}
	shown := audit.Change{Field: audit.FieldBallot, New: number(ballot)}
	a, err = c.store.ShowBallot(ctx, a, ballot, op,
		c.entry(c.person, audit.Shown, []audit.Change{shown}))
	return round, a, err
}

// Recording is what a coordinator records for an element.
type Recording struct {
	Element string
	Rating  workshop.Rating
	Hands   []int // a show of hands, lowest level first; nil where there was none
}

// RecordRating records the rating of an element. It returns the errors of Assessment.Record.
func (c Coordinator) RecordRating(
	ctx context.Context, id RoundID, r Recording,
) (Round, workshop.Assessment, error) {
	r.Rating.Reason = plaintext.Clean(strings.TrimSpace(r.Rating.Reason))
	r.Rating.Others = plaintext.Clean(strings.TrimSpace(r.Rating.Others))
	r.Rating.At = c.now()
	return c.edit(ctx, id, audit.Rated, func(a *workshop.Assessment) ([]audit.Change, error) {
		progress, err := c.store.WorkshopProgress(ctx, id)
		if err != nil {
			return nil, err
		}
		before, rated := a.Ratings[r.Element]
		record := func() error { return a.Record(r.Element, r.Rating, r.Hands, progress.Present) }
		if rated {
			record = func() error { return a.Change(r.Element, r.Rating) }
		}
		if err := record(); err != nil {
			return nil, err
		}
		return []audit.Change{ratingChange(r.Element, before, a.Ratings[r.Element])}, nil
	})
}

// RecountHands replaces the show of hands of an element's last ballot.
func (c Coordinator) RecountHands(
	ctx context.Context, id RoundID, element string, hands []int,
) (Round, workshop.Assessment, error) {
	return c.edit(ctx, id, "", func(a *workshop.Assessment) ([]audit.Change, error) {
		progress, err := c.store.WorkshopProgress(ctx, id)
		if err != nil {
			return nil, err
		}
		return nil, a.CountHands(element, hands, progress.Present)
	})
}

// ConfirmHands says that nobody was counted twice in an element's last ballot.
func (c Coordinator) ConfirmHands(ctx context.Context, id RoundID, element string) error {
	_, _, err := c.edit(ctx, id, "", func(a *workshop.Assessment) ([]audit.Change, error) {
		return nil, a.ConfirmHands(element)
	})
	return err
}

// FinishWorkshop ends the workshop: elements without a rating are recorded as not rated, and of the
// people who were there only how many had each role is kept. Finishing again changes nothing. The
// bool reports whether this call finished it.
func (c Coordinator) FinishWorkshop(
	ctx context.Context, id RoundID,
) (Round, workshop.Assessment, bool, error) {
	for range attempts {
		round, a, err := c.Assessment(ctx, id)
		switch {
		case err != nil:
			return round, a, false, err
		case a.Stage == workshop.Agreed:
			return round, a, false, nil
		}
		a.ExpiresAt = c.now().Add(c.retention)
		finished := c.entry(c.person, audit.Stage, stageChange(a.Stage, workshop.Agreed))
		a, err = c.store.EndWorkshop(ctx, a, c.now(), finished)
		if !isChanged(err) {
			return round, a, err == nil, err
		}
	}
	return Round{}, workshop.Assessment{}, false, errOvertaken(id)
}

// Objections returns how many people object to the rating of each element, while the workshop goes
// on. It returns none where fewer people than the minimum are there: one objection among few people
// could be traced.
func (c Coordinator) Objections(ctx context.Context, id RoundID) (map[string]int, error) {
	round, err := c.Round(ctx, id)
	if err != nil {
		return nil, err
	}
	progress, err := c.store.WorkshopProgress(ctx, id)
	if err != nil || progress.Present < round.MinGroup {
		return nil, err
	}
	return c.store.Objections(ctx, id)
}

// stageChange is what the audit log says of a move from one stage to another.
func stageChange(from, to workshop.Stage) []audit.Change {
	return []audit.Change{{Field: audit.FieldStage, Old: string(from), New: string(to)}}
}

// ratingChange is what the audit log says of a rating: the levels as numbers, and the reason.
func ratingChange(element string, before, after workshop.Rating) audit.Change {
	text := func(r workshop.Rating) string {
		switch {
		case r.At.IsZero():
			return ""
		case r.Reason == "":
			return fmt.Sprintf("%d %s", r.Level, r.How)
		}
		return fmt.Sprintf("%d %s: %s", r.Level, r.How, r.Reason)
	}
	field := audit.RatingPrefix + element
	return audit.Change{Field: field, Old: text(before), New: text(after)}
}

// Attendee is what one person may do in a workshop: rate, object, and put an element on the agenda.
// Everybody who is in the workspace may. The caller has checked that they are.
type Attendee struct {
	*core
	person PersonID
}

// Attendance is a workshop as one person sees it.
type Attendance struct {
	Round      Round
	Assessment workshop.Assessment
	Attendee   workshop.Attendee // what the person gave to Attend, or the zero value
	Progress   WorkshopProgress
}

// Attending returns the workshop of a round as the person sees it.
func (p Attendee) Attending(ctx context.Context, id RoundID) (Attendance, error) {
	round, a, err := p.workshop(ctx, id)
	if err != nil {
		return Attendance{}, err
	}
	as, err := p.store.Attendee(ctx, id, p.person)
	if err != nil {
		return Attendance{}, err
	}
	progress, err := p.store.WorkshopProgress(ctx, id)
	return Attendance{Round: round, Assessment: a, Attendee: as, Progress: progress}, err
}

// Attend keeps the person's role, and the language that they want to be addressed in, until the
// workshop is finished. Afterwards only how many people had the role is known.
func (p Attendee) Attend(ctx context.Context, id RoundID, as workshop.Attendee) error {
	round, a, err := p.workshop(ctx, id)
	if err != nil {
		return err
	}
	m, err := p.matrix(round)
	if err != nil {
		return err
	}
	_, _, known := m.Role(as.Role)
	switch {
	case a.Stage != workshop.Meeting:
		return workshop.ErrStage
	case !known && as.Role != Unstated:
		return &InputError{Field: "role", Reason: "unknown"}
	}
	return p.store.Attend(ctx, id, p.person, as)
}

// Vote keeps the person's rating in a ballot. at is the workshop as Attending returned it. Vote
// returns ErrNoRole if they have not said what their role is, and workshop.ErrNoBallot unless the
// ballot is open.
func (p Attendee) Vote(
	ctx context.Context, at Attendance, ballot int, op Operation, rating matrix.Rating,
) error {
	m, err := p.matrix(at.Round)
	switch {
	case err != nil:
		return err
	case rating != matrix.DontKnow && (rating < 1 || int(rating) > len(m.Levels)):
		return matrix.ErrNoRating
	case at.Attendee.Role == "":
		return ErrNoRole
	}
	// Whether the ballot is open is for the store to say: it recognises a vote that was counted.
	return p.store.Vote(ctx, at.Round.ID, ballot, p.person, op, rating)
}

// Object keeps, or takes back, that the person does not agree with what was recorded for an
// element. They must have rated in this workshop: otherwise it returns ErrNoRole.
func (p Attendee) Object(ctx context.Context, id RoundID, element string, objects bool) error {
	_, a, err := p.workshop(ctx, id)
	if err != nil {
		return err
	}
	_, rated := a.Ratings[element]
	switch {
	case a.Stage != workshop.Meeting:
		return workshop.ErrStage
	case !rated:
		return matrix.ErrNoElement
	}
	attends, err := p.store.Attendee(ctx, id, p.person)
	switch {
	case err != nil:
		return err
	case attends.Role == "":
		return ErrNoRole
	}
	return p.store.Object(ctx, id, element, p.person, objects)
}

// TalkAbout puts an element with a consensus in the survey back on the agenda. Who asked is not
// kept.
func (p Attendee) TalkAbout(
	ctx context.Context, id RoundID, element string,
) (workshop.Assessment, error) {
	return p.changeAssessment(ctx, id, p.person, "",
		func(a *workshop.Assessment) ([]audit.Change, error) { return nil, a.TalkAbout(element) })
}
