// Package survey holds the rules of a round, which is one self-assessment of one local area against
// the maturity matrix. It decides what participants, coordinators and the system itself may do,
// until when answers are accepted, what happens when a round closes, and which results may be
// shown.
//
// The caller gets at a round as a Participant, a Coordinator or the System. Everything is kept in a
// Store, which this package only declares. The package does not depend on chat platforms, on Redis,
// on the texts in any language, or on how results are drawn.
package survey

import (
	"errors"
	"sync"
	"time"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// RoundID names one round: lower-case letters and digits, safe in a chat platform's identifiers.
type RoundID string

// Valid reports whether an id is safe in keys, in file names and in the identifiers of platforms:
// up to 64 letters, digits, hyphens and underscores.
func (id RoundID) Valid() bool {
	const most = 64
	for _, r := range id {
		if !plaintext.IsIDRune(r) {
			return false
		}
	}
	return id != "" && len(id) <= most
}

// PersonID names one person on one platform, as "platform:workspace:user". It is never a display
// name.
type PersonID string

// State is the stage that a round has reached. It only moves forward.
type State string

// A round is prepared as a draft, then open for answers, then closed for good.
const (
	Draft  State = "draft"
	Open   State = "open"
	Closed State = "closed"
)

// Limits and defaults of a round.
const (
	MaxAreaRunes  = 60
	MaxPlaceRunes = 200
	// Retention is how long a round is kept after its survey closes.
	Retention = 365 * 24 * time.Hour
	// DefaultTimeZone is the time zone of both nations that have an edition of the matrix.
	DefaultTimeZone = "Europe/London"
)

// Round is one self-assessment by one local area.
type Round struct {
	ID      RoundID
	Version int // counts the changes; a change made from an older version is refused
	State   State
	Area    string
	Matrix  string // the id of its matrix
	// MatrixVersion and MatrixFingerprint are those of the matrix when the survey was opened. Both
	// are zero in a draft, and in a round that was opened before rounds kept them.
	MatrixVersion     int
	MatrixFingerprint string
	Languages         []matrix.Lang // the first is the language of the coordinator's channel
	TimeZone          string        // an IANA name
	ClosesAt          time.Time
	Workshop          Workshop
	Channel           string // the coordinator's channel, as the bot addresses it
	Coordinators      []PersonID
	MinGroup          int
	Consensus         results.Consensus
	OpenedAt          time.Time
	ClosedAt          time.Time
	RemindedAt        time.Time // when a coordinator last sent reminders by hand
	Nudged            int       // how many people those reminders were sent to
	Reminders         ReminderPlan
	Posts             ChannelPlan
	// PlannedAt is when the reminder plan, or a date that it counts from, last changed after the
	// survey was opened.
	PlannedAt  time.Time
	LastDigest *DigestProgress // what the last digest reported; nil before the first
	SelfJoin   bool            // a Join button was posted, and anybody who presses it may take part
	// Notice is the version of the privacy notice that was in force when the round was opened. It
	// is empty in a draft, and in rounds opened before rounds kept it; see Round.NoticeVersion.
	Notice string
	// Turnout counts the people who took part. It is nil until the round is closed and its roster
	// is anonymised.
	Turnout *results.Turnout
	// Anonymised reports that the roster of the closed round no longer holds roles, languages or
	// times of consent.
	Anonymised bool
}

// Workshop is when and where people discuss the results. A zero time means that it is not set.
type Workshop struct {
	At    time.Time
	Place string // an address or a link
}

// Location returns the round's time zone, or UTC where this machine does not know it.
func (r Round) Location() *time.Location {
	loc, err := loadZone(r.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// loadZone returns the time zone of an IANA name.
func loadZone(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	zones.Store(name, loc)
	return loc, nil
}

// zones holds a *time.Location by name. time.LoadLocation reads a file each time, and planning asks
// for the zone of every round and of every person.
var zones sync.Map

// ExpiresAt returns when everything kept about the round is deleted.
func (r Round) ExpiresAt() time.Time {
	at := r.ClosesAt
	if !r.ClosedAt.IsZero() {
		at = r.ClosedAt
	}
	return at.Add(Retention)
}

// AcceptsAnswers reports whether an answer given at now counts: the round is open, and its closing
// time has not passed.
func (r Round) AcceptsAnswers(now time.Time) bool {
	return r.State == Open && now.Before(r.ClosesAt)
}

// Status is how far a person has come in a round.
type Status string

// The statuses of a person, in the usual order.
const (
	NotInvited Status = ""
	Invited    Status = "invited"
	Started    Status = "started"  // accepted the privacy notice
	Finished   Status = "finished" // pressed Submit at least once
	Declined   Status = "declined"
	Withdrawn  Status = "withdrawn" // everything else is deleted; this is kept so as not to ask again
)

// Member is a person's entry in the roster of a round. It holds no answers.
type Member struct {
	Person   PersonID
	Status   Status
	Language matrix.Lang // chosen by the person; empty until then
	// Role is the id of a role of the matrix, Unstated, or empty while it is not known. The
	// coordinator may propose one, and the person's own choice replaces it.
	Role   string
	Group  string // id of that role's group in the matrix
	Notice string // version of the privacy notice that was accepted
	// NoticeAt is when the notice was accepted, to the second. Once the roster is anonymised, it is
	// only the day, as midnight UTC.
	NoticeAt         time.Time
	Unreachable      bool   // the platform refused to deliver a message
	TimeZone         string // an IANA name from the platform; empty where it gives none
	RemindersOff     bool   // the person turned reminders off
	RemindOnDate     string // a date for a reminder in the person's zone, as 2026-12-04
	LastRemindedDate string // the date of the last reminder
	LastNudgedDate   string // the date of the last reminder by hand, in the round's time zone
}

// TakesPart reports whether the person has accepted the notice and has not withdrawn.
func (m Member) TakesPart() bool { return m.Status == Started || m.Status == Finished }

// awaited reports whether answers of the person are still to come.
func (m Member) awaited() bool { return m.Status == Invited || m.Status == Started }

// NoticeDay returns the day on which the person accepted the notice, as midnight UTC, or the zero
// time if they have not.
func (m Member) NoticeDay() time.Time { return m.NoticeAt.UTC().Truncate(24 * time.Hour) }

// Operation identifies one action of a user.
type Operation struct {
	// ID is the same each time the platform delivers the action.
	ID string
	// At is when the user acted, by the platform's clock, or zero. Of two actions that arrive in
	// the wrong order, it shows which was the later one.
	At time.Time
}

// Delivery is one message to one person, or to the coordinator's channel when Person is empty.
type Delivery struct {
	Round  RoundID
	Person PersonID
	Kind   MessageKind
}

// Participation is one person's place in one round.
type Participation struct {
	Round  Round
	Member Member // the person's entry in the roster
	// Pseudonym is the key of the person's response. It is empty once the round is closed, because
	// the secret that links a person to a response is then deleted.
	Pseudonym string
}

// Errors that callers tell apart with errors.Is.
var (
	ErrNoRound        = errors.New("no such round")
	ErrNotOpen        = errors.New("the survey has not been opened")
	ErrClosed         = errors.New("the survey has closed")
	ErrOpened         = errors.New("the survey has been opened, so its settings are fixed")
	ErrStillOpen      = errors.New("the survey is still open")
	ErrNotTakingPart  = errors.New("the person does not take part")
	ErrWithdrawn      = errors.New("the person has withdrawn")
	ErrNotCoordinator = errors.New("not a coordinator of this round")
	ErrChanged        = errors.New("changed by another request meanwhile")
	ErrUnavailable    = errors.New("the store cannot be reached")
	ErrNoAssessment   = errors.New("no workshop was started")
	ErrMatrixChanged  = errors.New("a matrix was changed without a new version")
)

// errUnchanged ends a change that would change nothing.
var errUnchanged = errors.New("nothing to change")

// ignoreUnchanged returns err, or nil where err is errUnchanged.
func ignoreUnchanged(err error) error {
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

func isChanged(err error) bool { return errors.Is(err, ErrChanged) }
func isNoRound(err error) bool { return errors.Is(err, ErrNoRound) }

// notOpenErr returns the error for an action that needs an open round, in a round in state s.
func notOpenErr(s State) error {
	if s == Draft {
		return ErrNotOpen
	}
	return ErrClosed
}

// InputError is a value from a user that is not allowed. Field and Reason are stable words that the
// caller turns into a sentence. Limit is the number that the reason refers to, if any.
type InputError struct {
	Field  string
	Reason string
	Limit  int
}

func (e *InputError) Error() string { return e.Field + ": " + e.Reason }

// DoubleTap is the shortest time that a person needs to read the next question. An answer to the
// next question that comes sooner is taken for an accidental second tap.
const DoubleTap = 1500 * time.Millisecond

// TooSoonError refuses an answer to an unanswered element that was given within DoubleTap of the
// answer to the element Before. Nothing was saved.
type TooSoonError struct{ Before string }

func (e *TooSoonError) Error() string { return "too soon after the answer before" }
