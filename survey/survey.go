// Package survey holds the rules of a round of the maturity matrix: who takes part, who may do what,
// what may be answered and until when, what closing means, and what of the answers may be shown. It
// knows nothing of chat platforms, of Redis, of languages beyond their codes, or of how a result is
// drawn.
package survey

import (
	"errors"
	"time"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// RoundID names one round: lower-case letters and digits, safe in a chat platform's identifiers.
type RoundID string

// Valid reports whether an id is safe in keys, in file names and in the identifiers of platforms: up to
// 64 letters, digits, hyphens and underscores.
func (id RoundID) Valid() bool {
	const most = 64
	for _, r := range id {
		if !plaintext.IsIDRune(r) {
			return false
		}
	}
	return id != "" && len(id) <= most
}

// PersonID names one person on one platform, as "platform:workspace:user". It is never a display name.
type PersonID string

// State is where a round stands. It only moves forward.
type State string

// A round is prepared as a draft, then open for answers, then closed for good.
const (
	Draft  State = "draft"
	Open   State = "open"
	Closed State = "closed"
)

// Limits and defaults of a round.
const (
	MaxAreaRunes         = 60
	MaxPlaceRunes        = 200
	MaxOrganisationRunes = 80
	// Retention is how long a round is kept after the day its survey closes.
	Retention = 365 * 24 * time.Hour
	// DefaultTimeZone is where both editions of the matrix are used.
	DefaultTimeZone = "Europe/London"
)

// Round is one self-assessment by one local area.
type Round struct {
	ID           RoundID
	Version      int // counts the changes; a change made from an older version is refused
	State        State
	Area         string
	Matrix       string        // the id of the matrix it is asked with
	Languages    []matrix.Lang // the first is the language of the coordinator's channel
	TimeZone     string        // an IANA name
	ClosesAt     time.Time
	Workshop     Workshop
	Channel      string // the coordinator's channel, as the bot addresses it
	Coordinators []PersonID
	MinGroup     int
	Consensus    results.Consensus
	OpenedAt     time.Time
	ClosedAt     time.Time
	RemindedAt   time.Time // when reminders by hand were last asked for
	Nudged       int       // to how many people these were
	Reminders    ReminderPlan
	Posts        ChannelPlan
	PlannedAt    time.Time        // when the plan of reminders, or a date it counts from, was last changed after the opening
	LastDigest   *DigestProgress  // what the last digest said; nil before the first
	SelfJoin     bool             // a Join button was posted: whoever presses it is let in
	Turnout      *results.Turnout // who took part; kept once the round is closed, when the roster forgets who did what
	Anonymised   bool             // the roster of the closed round has forgotten roles, languages, organisations and the time of consent
}

// Workshop is when and where people talk about the results. A zero time means it is not set yet.
type Workshop struct {
	At    time.Time
	Place string // an address or a link
}

// Location is the round's time zone, or UTC when this machine does not know it.
func (r Round) Location() *time.Location {
	loc, err := time.LoadLocation(r.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// ExpiresAt is when everything kept about the round is deleted.
func (r Round) ExpiresAt() time.Time {
	at := r.ClosesAt
	if !r.ClosedAt.IsZero() {
		at = r.ClosedAt
	}
	return at.Add(Retention)
}

// AcceptsAnswers says whether an answer given at now counts: open, and before its closing time.
func (r Round) AcceptsAnswers(now time.Time) bool {
	return r.State == Open && now.Before(r.ClosesAt)
}

// Status is how far a person has come in a round.
type Status string

// The standings of a person, in the order they are usually met.
const (
	NotInvited Status = ""
	Invited    Status = "invited"
	Started    Status = "started"  // accepted the privacy notice
	Finished   Status = "finished" // pressed Submit at least once
	Declined   Status = "declined"
	Withdrawn  Status = "withdrawn" // everything erased but this one fact, so that nobody asks again
)

// Scope says for whom a person answers.
type Scope string

// The scopes a person may choose from.
const (
	ScopeTeam         Scope = "team"
	ScopeOrganisation Scope = "organisation"
	ScopeArea         Scope = "area"
)

// Scopes lists every scope, in the order they are offered.
var Scopes = []Scope{ScopeTeam, ScopeOrganisation, ScopeArea}

// Member is a person's entry in the roster of a round. It holds no answers.
type Member struct {
	Person           PersonID
	Status           Status
	Language         matrix.Lang // chosen by the person; empty until then
	Role             string      // id of a role of the matrix, Unstated, or empty while not known; first the coordinator's guess, then the person's own word
	Group            string      // id of that role's group in the matrix
	Organisation     string
	Scope            Scope
	Notice           string    // version of the privacy notice that was accepted
	NoticeAt         time.Time // when, to the second; once the roster is sealed, the day, as midnight UTC
	Unreachable      bool      // the platform refused to deliver a message
	TimeZone         string    // an IANA name, as the platform tells it; empty where it does not
	RemindersOff     bool      // asked not to be reminded any more
	RemindOnDate     string    // the date on which they asked to be reminded, as 2026-12-04, by their own clock
	LastRemindedDate string    // the date on which they were last reminded
	LastNudgedDate   string    // the date of the last reminder by hand that was sent to them, by the round's clock
}

// TakesPart says whether the person has accepted the notice and has not withdrawn.
func (m Member) TakesPart() bool { return m.Status == Started || m.Status == Finished }

// NoticeDay is the day on which the person accepted the notice, as midnight UTC; zero for never.
func (m Member) NoticeDay() time.Time { return m.NoticeAt.UTC().Truncate(24 * time.Hour) }

// Operation is one thing somebody did. ID names it, also when a platform delivers it again; At is when it was made by the
// platform's clock, or zero: of two that arrive in the wrong order, it says which was the last.
type Operation struct {
	ID string
	At time.Time
}

// Delivery is one message that is owed to one person, or to the coordinator's channel when Person is empty.
type Delivery struct {
	Round  RoundID
	Person PersonID
	Kind   MessageKind
}

// Participation is one person's place in one round: the round, their entry in its roster, and the pseudonym their
// response lies under (empty once the round is closed: the secret that links the two is gone).
type Participation struct {
	Round     Round
	Member    Member
	Pseudonym string
}

// What can go wrong, for the caller to tell apart with errors.Is.
var (
	ErrNoRound        = errors.New("no such round")
	ErrNotOpen        = errors.New("the survey has not been opened")
	ErrClosed         = errors.New("the survey has closed")
	ErrOpened         = errors.New("the survey has been opened, so its set-up stands")
	ErrStillOpen      = errors.New("the survey is still open")
	ErrNotTakingPart  = errors.New("the person does not take part")
	ErrWithdrawn      = errors.New("the person has withdrawn")
	ErrNotCoordinator = errors.New("not a coordinator of this round")
	ErrChanged        = errors.New("changed by somebody else in between")
	ErrUnavailable    = errors.New("the store cannot be reached")
)

// errDone ends a change that has nothing left to do.
var errDone = errors.New("nothing to change")

func unlessDone(err error) error {
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

func isChanged(err error) bool { return errors.Is(err, ErrChanged) }
func isNoRound(err error) bool { return errors.Is(err, ErrNoRound) }

// refuseState says why a round in this state takes no answers and no steering.
func refuseState(s State) error {
	if s == Draft {
		return ErrNotOpen
	}
	return ErrClosed
}

// InputError is something a person wrote that cannot stand; Field and Reason are stable words a caller
// turns into a sentence, and Limit is the number that the reason speaks of, if any.
type InputError struct {
	Field  string
	Reason string
	Limit  int
}

func (e *InputError) Error() string { return e.Field + ": " + e.Reason }

// DoubleTap is the longest time between an answer and a second tap on the question that comes after
// it, for the second tap to be taken for a slip of the thumb: nobody has read a question by then.
const DoubleTap = 1500 * time.Millisecond

// TooSoonError refuses an answer to an open element that was given within DoubleTap of the answer
// to another, which Before names. Nothing was saved.
type TooSoonError struct{ Before string }

func (e *TooSoonError) Error() string { return "too soon after the answer before" }
