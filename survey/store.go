package survey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"maturitybot/survey/audit"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Store keeps rounds, rosters and responses. Every write may be repeated without doing more than once:
// a lost reply makes a client send it again. A store that cannot be reached returns an error for which
// errors.Is(err, ErrUnavailable) holds. Each of its errors says what was attempted, and with which round: Rounds returns them as
// they are.
type Store interface {
	RoundStore
	AuditStore
	RosterStore
	ResponseStore
	DeliveryStore
}

// RoundStore keeps the rounds. An Entry that it is given with a change is kept in the same step as the change, as the next of the
// round's record (see Entry.Follow): never one without the other. One without an Act stands for none.
type RoundStore interface {
	// CreateRound keeps a new round and makes its secret. Creating the same round again changes nothing.
	CreateRound(ctx context.Context, r Round, e audit.Entry) error
	// Round returns the round, or ErrNoRound.
	Round(ctx context.Context, id RoundID) (Round, error)
	// SaveRound replaces a round, if r.Version is still the version kept, and adds one to it; else ErrChanged. It neither closes a
	// round nor opens a closed one again: ErrChanged, or ErrClosed. Everything kept about the round then lives until r.ExpiresAt.
	SaveRound(ctx context.Context, r Round, e audit.Entry) error
	// CloseRound closes the round for good at the time given and destroys its secret, both at once.
	// Closing again changes nothing and keeps the first time.
	CloseRound(ctx context.Context, id RoundID, at time.Time, e audit.Entry) (Round, error)
	// CloseDue closes the round as of its closing time, if that is still the time given, to the second; else nothing is changed. It
	// returns the round as it is then.
	CloseDue(ctx context.Context, id RoundID, closes time.Time, e audit.Entry) (Round, error)
	// Rounds calls visit for every round that is kept, a few hundred in memory at a time, in no stated order.
	Rounds(ctx context.Context, visit func(Round) error) error
	// RoundsIn returns the rounds whose coordinator's channel this is, newest first.
	RoundsIn(ctx context.Context, channel string) ([]RoundID, error)
}

// AuditStore keeps the record of each round, as long as the round. It holds no answers.
type AuditStore interface {
	// Record returns the entries of a round, oldest first, numbered as they stand; one that cannot be read is empty but for its number.
	AuditLog(ctx context.Context, id RoundID) ([]audit.Entry, error)
	// AppendEntry adds the entry that next returns for the record as it is, if it returns one; next is called again when somebody
	// else has added an entry in between.
	AppendEntry(ctx context.Context, id RoundID, next func(record []audit.Entry) (audit.Entry, bool)) error
}

// RosterStore keeps who takes part. It holds no answers.
type RosterStore interface {
	// Invite adds people who are not in the roster yet and returns those it added. In the same step it owes each of them
	// the message of that kind from the time given, unless the kind is empty. Where record is given, what it returns for the number
	// added is kept in the round's record, also in the same step; many people are added in several steps.
	Invite(ctx context.Context, id RoundID, people []Member, owed MessageKind, due time.Time, record func(added int) audit.Entry) ([]Member, error)
	// Seat returns a person's place: with a zero Standing when they are not in the roster; ErrNoRound when there is no round.
	Participation(ctx context.Context, id RoundID, person PersonID) (Participation, error)
	// ChangeMember applies change to the person's entry and keeps it, applying it again to a fresh entry when somebody
	// else changed it in between. When the entry takes part, a response exists from then on, and carries its role group.
	// It refuses with ErrNotOpen or ErrClosed unless the round takes answers at now.
	ChangeMember(ctx context.Context, s Participation, now time.Time, change func(*Member) error) (Participation, error)
	// Mark changes how a person is written to (whether they can be reached, and what is kept about reminders), in any state of
	// the round; nothing of somebody who is not in the roster, or has withdrawn. Change may be called several times.
	UpdateContact(ctx context.Context, id RoundID, person PersonID, change func(*Member)) error
	// Scan is Roster, but may visit somebody twice: it keeps nothing of whom it has visited.
	Scan(ctx context.Context, id RoundID, visit func(Member) error) error
	// Roster calls visit for each member, a few hundred in memory at a time, in no stated order.
	Roster(ctx context.Context, id RoundID, visit func(Member) error) error
	// Seal makes the roster of a closed round forget everything of each person but their standing, the notice they accepted and
	// on which day, and whether they can be reached and want reminders, and keeps the turnout with the round in its place: what a role or a language
	// would tell of whose a response is, is gone. The first turnout stands. It refuses with ErrStillOpen.
	AnonymiseRoster(ctx context.Context, id RoundID, t results.Turnout) error
	// Forget erases everything that is kept about a person in a round, in any state of it, but that they coordinate it. What they
	// said in a round that has closed stays, since nobody can tell which it is. They can be invited anew.
	Forget(ctx context.Context, id RoundID, person PersonID) (Forgotten, error)
	// RoundsOf returns the rounds that the person was invited to or coordinates and that are still kept, newest first.
	RoundsOf(ctx context.Context, person PersonID) ([]RoundID, error)
}

// ResponseStore keeps what people said, under pseudonyms.
type ResponseStore interface {
	// Response returns what was said from this seat so far.
	Response(ctx context.Context, s Participation) (results.Response, error)
	// Answer keeps a rating (NotAnswered takes it back), and returns the whole response after it. The same gesture
	// again changes nothing, nor does one that was made before another on the same element that is kept already. It refuses with ErrNotOpen or ErrClosed unless the round takes answers at now,
	// and with ErrNotTakingPart when there is no response. An answer to an open element that was
	// made within DoubleTap of the answer to another it refuses with a *TooSoonError, and returns
	// the response beside it.
	Answer(ctx context.Context, s Participation, now time.Time, g Operation, element string, rating matrix.Rating) (results.Response, error)
	// Detail keeps what was added to an element, replacing what was there, on the same terms as Answer.
	Detail(ctx context.Context, s Participation, now time.Time, g Operation, element string, d results.Detail) (results.Response, error)
	// Current says whether the person's entry in the roster and the response are still as they were
	// read. Of a response without answers only the entry is compared. In a round that has closed
	// nothing is, and the response is not read.
	Current(ctx context.Context, s Participation, r results.Response) (bool, error)
	// Withdraw erases the response and everything of the member but the fact that they withdrew. Until the round is closed only.
	Withdraw(ctx context.Context, s Participation) error
	// Responses calls visit for each response of the round, a few hundred in memory at a time, in no order that says
	// anything about who gave it. A response is visit's for that call only: its Answers are used again for the next.
	Responses(ctx context.Context, id RoundID, visit func(results.Response) error) error
}

// DeliveryStore keeps which messages are owed to whom, so that none is lost and none is sent by two, whatever ends a process.
type DeliveryStore interface {
	// Owe notes that a message of a kind is owed to people from a time on. What is owed already stays as it is.
	Enqueue(ctx context.Context, id RoundID, kind MessageKind, due time.Time, people []PersonID) error
	// Plan owes the coordinator's channel a post of that kind from a time on, and notes that it was planned; in one step, and
	// once for ever.
	Plan(ctx context.Context, id RoundID, kind MessageKind, due time.Time) error
	// Note keeps these names among what was planned, as long as the round is kept.
	MarkPlanned(ctx context.Context, id RoundID, names []string) error
	// Planned returns what was planned: the kinds that Plan was given, and the names of Note; and the time zones of the round's people.
	Planned(ctx context.Context, id RoundID) (names map[string]bool, zones []string, err error)
	// EachToPlan calls visit, from several goroutines at once, for each round that has something to plan at now, or that has changed
	// since it was last visited. Visit returns when there is next something to plan, or a zero time for never. When visit fails, the
	// round is visited again by the next call; that error is not returned.
	EachToPlan(ctx context.Context, now time.Time, visit func(Round) (next time.Time, err error)) error
	// PlanAll makes EachToPlan visit every round the next time.
	PlanAll(ctx context.Context) error
	// Take hands out at most limit messages, of any rounds, that are due at now: of those of one round half that have been due
	// longest, and half the latest, so that what comes last need not wait for a long row. Whoever takes them has until the time given to
	// settle them; after it they are handed out again.
	Lease(ctx context.Context, now, until time.Time, limit int) ([]Delivery, error)
	// Due counts the messages that are due at now, of all rounds, without those that somebody has taken.
	Due(ctx context.Context, now time.Time) (int, error)
	// Settle forgets a message: it was sent, or is not wanted any more.
	Ack(ctx context.Context, d Delivery) error
	// Postpone makes a message due at another time.
	Reschedule(ctx context.Context, d Delivery, due time.Time) error
}

// SecretBytes is the length of a round's secret.
const SecretBytes = 32

// Pseudonym is the name a person's response lies under while the round is open: the first 16 characters
// of the base64url form of HMAC-SHA256(secret, person). Without the secret nobody can tell whose it is.
func Pseudonym(secret []byte, person PersonID) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(person))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))[:16]
}
