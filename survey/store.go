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
	"maturitybot/survey/workshop"
)

// Store keeps rounds, rosters, responses, the audit log and the message queue.
//
// Every write is idempotent: a client that loses a reply sends the write again. When the store
// cannot be reached, errors.Is(err, ErrUnavailable) holds. Each error says what was attempted and
// in which round, so Rounds returns errors of the store unchanged.
type Store interface {
	RoundStore
	AuditStore
	RosterStore
	ResponseStore
	DeliveryStore
	WorkshopStore
	LinkStore
}

// RoundStore keeps the rounds. An audit entry that is passed with a change is appended to the
// round's log in the same step as the change: never one without the other (see audit.Entry.Chain).
// An entry without an Action stands for none.
type RoundStore interface {
	// CreateRound keeps a new round and makes its secret. Creating the same round again changes
	// nothing.
	CreateRound(ctx context.Context, r Round, e audit.Entry) error
	// Round returns the round, or ErrNoRound.
	Round(ctx context.Context, id RoundID) (Round, error)
	// SaveRound replaces the round and adds one to its version, if r.Version is the version kept;
	// otherwise it returns ErrChanged. It neither closes a round nor reopens a closed one: it
	// returns ErrChanged or ErrClosed. Everything kept about the round then expires at r.ExpiresAt.
	SaveRound(ctx context.Context, r Round, e audit.Entry) error
	// CloseRound closes the round for good at the given time and destroys its secret, in one step.
	// Closing again changes nothing and keeps the first time.
	CloseRound(ctx context.Context, id RoundID, at time.Time, e audit.Entry) (Round, error)
	// CloseDue closes the round as of its closing time, if that is still the given time, to the
	// second; otherwise it changes nothing. It returns the round as it is afterwards.
	CloseDue(ctx context.Context, id RoundID, closes time.Time, e audit.Entry) (Round, error)
	// Rounds calls visit for each round, in no stated order. It holds a few hundred in memory.
	Rounds(ctx context.Context, visit func(Round) error) error
	// RoundsIn returns the rounds of a coordinators' channel, newest first.
	RoundsIn(ctx context.Context, channel string) ([]RoundID, error)
}

// AuditStore keeps the audit log of each round, as long as the round. A log holds no answers.
type AuditStore interface {
	// AuditLog returns the entries of a round, oldest first, with their numbers. An entry that
	// cannot be read has its number alone.
	AuditLog(ctx context.Context, id RoundID) ([]audit.Entry, error)
	// AppendEntry appends the entry that next returns for the current log, if it returns one. It
	// calls next again when another entry was appended in between.
	AppendEntry(
		ctx context.Context, id RoundID, next func(log []audit.Entry) (audit.Entry, bool),
	) error
}

// RosterStore keeps who takes part. It holds no answers.
type RosterStore interface {
	// Invite adds the people who are not in the roster yet and returns them. In the same step it
	// enqueues a message of the given kind for each of them, due at the given time, unless the kind
	// is empty. When record is not nil, the entry that it returns for the number of people added is
	// appended to the audit log, also in the same step. Many people are added in several steps.
	Invite(
		ctx context.Context, id RoundID, people []Member, message MessageKind, due time.Time,
		record func(added int) audit.Entry,
	) ([]Member, error)
	// Participation returns a person's place in the round. Its Status is zero when the person is
	// not in the roster. It returns ErrNoRound when there is no such round.
	Participation(ctx context.Context, id RoundID, person PersonID) (Participation, error)
	// ChangeMember applies change to the person's entry and keeps the result. It applies change
	// again to a fresh entry when the entry was changed in between. Once the entry takes part, a
	// response exists, and carries the entry's role group. It returns ErrNotOpen or ErrClosed
	// unless the round takes answers at now.
	ChangeMember(
		ctx context.Context, s Participation, now time.Time, change func(*Member) error,
	) (Participation, error)
	// UpdateContact changes how a person is contacted: whether messages reach them, and their
	// reminders. It works in any state of the round. It changes nothing for a person who is not in
	// the roster or has withdrawn. It may call change several times.
	UpdateContact(ctx context.Context, id RoundID, person PersonID, change func(*Member)) error
	// Scan is like Roster but does not de-duplicate: a member may be visited twice.
	Scan(ctx context.Context, id RoundID, visit func(Member) error) error
	// Roster calls visit for each member, in no stated order. It holds a few hundred in memory.
	Roster(ctx context.Context, id RoundID, visit func(Member) error) error
	// AnonymiseRoster removes from the roster of a closed round whatever could tell whose a response
	// is, such as role and language. Of each person it keeps the status, the notice they accepted and
	// on which day, whether messages reach them, and whether they want reminders. The round keeps the
	// turnout instead; a turnout that was kept before is not changed. It returns ErrStillOpen for an
	// open round.
	AnonymiseRoster(ctx context.Context, id RoundID, t results.Turnout) error
	// Forget erases everything kept about a person in a round, in any state of it, except that they
	// coordinate it. Their response in a closed round stays, since nothing tells which it is. They
	// can be invited again.
	Forget(ctx context.Context, id RoundID, person PersonID) (Forgotten, error)
	// RoundsOf returns the rounds that the person was invited to or coordinates, newest first.
	RoundsOf(ctx context.Context, person PersonID) ([]RoundID, error)
}

// ResponseStore keeps the responses, under pseudonyms.
type ResponseStore interface {
	// Response returns the participation's response so far.
	Response(ctx context.Context, s Participation) (results.Response, error)
	// Answer keeps a rating, or removes it for NotAnswered, and returns the whole response. The
	// same operation again changes nothing, nor does one made before another that is already kept
	// for the element. It returns ErrNotOpen or ErrClosed unless the round takes answers at now,
	// and ErrNotTakingPart when there is no response. It refuses an answer to an unanswered element
	// that was made within DoubleTap of the answer to another, with a *TooSoonError beside the
	// response.
	Answer(
		ctx context.Context, s Participation, now time.Time, op Operation, element string,
		rating matrix.Rating,
	) (results.Response, error)
	// Detail replaces what was added to an element, under the same conditions as Answer.
	Detail(
		ctx context.Context, s Participation, now time.Time, op Operation, element string,
		d results.Detail,
	) (results.Response, error)
	// Current reports whether the person's roster entry and the response are unchanged since they
	// were read. For a response without answers it compares the entry alone. In a closed round it
	// returns false and does not read the response.
	Current(ctx context.Context, s Participation, r results.Response) (bool, error)
	// Withdraw erases the response and everything of the member except that they withdrew. It works
	// until the round is closed.
	Withdraw(ctx context.Context, s Participation) error
	// Responses calls visit for each response of the round, in an order that says nothing about who
	// gave it. It holds a few hundred in memory. The Answers of a response are reused after visit
	// returns.
	Responses(ctx context.Context, id RoundID, visit func(results.Response) error) error
}

// DeliveryStore is the message queue. A process that ends at any point loses no message, and no
// message is leased to two processes at once.
type DeliveryStore interface {
	// Enqueue enqueues a message of a kind for each of the people, due at the given time. A message
	// that is already queued stays as it is.
	Enqueue(ctx context.Context, id RoundID, kind MessageKind, due time.Time, people []PersonID) error
	// Plan enqueues a post of a kind to the coordinators' channel, due at the given time, and marks
	// the kind as planned, in one step. A kind is planned once only.
	Plan(ctx context.Context, id RoundID, kind MessageKind, due time.Time) error
	// MarkPlanned adds names to what was planned, as long as the round is kept.
	MarkPlanned(ctx context.Context, id RoundID, names []string) error
	// Planned returns the kinds given to Plan and the names given to MarkPlanned, and the time
	// zones of the round's people.
	Planned(
		ctx context.Context, id RoundID,
	) (names map[string]bool, zones []string, err error)
	// EachToPlan calls visit, from several goroutines, for each round that has something to plan at
	// now or has changed since it was last visited. Visit returns the next time at which there is
	// something to plan, or a zero time for never. When visit fails, the next call visits the round
	// again; EachToPlan does not return that error.
	EachToPlan(
		ctx context.Context, now time.Time, visit func(Round) (next time.Time, err error),
	) error
	// PlanAll makes the next EachToPlan visit every round.
	PlanAll(ctx context.Context) error
	// Lease leases up to limit messages that are due at now, until the given time. A message that
	// is not acknowledged by then is leased again. For each round, half of the batch is the oldest
	// due and half the newest, so that a backlog does not delay new messages.
	Lease(ctx context.Context, now, until time.Time, limit int) ([]Delivery, error)
	// Due counts the messages of all rounds that are due at now and not leased.
	Due(ctx context.Context, now time.Time) (int, error)
	// Ack removes a message that was sent or is no longer wanted.
	Ack(ctx context.Context, d Delivery) error
	// Reschedule makes a message due at another time.
	Reschedule(ctx context.Context, d Delivery, due time.Time) error
}

// WorkshopStore keeps what a workshop leaves behind, and while the workshop goes on, who is there
// and how they rate. The assessment holds no person. It outlives the round. Everything else ends
// with the workshop or the round.
type WorkshopStore interface {
	// Assessment returns the assessment of a round, or ErrNoAssessment.
	Assessment(ctx context.Context, id RoundID) (workshop.Assessment, error)
	// SaveAssessment replaces the assessment and adds one to its version, if a.Version is the
	// version kept, which is 0 before there is one; otherwise it returns ErrChanged. In the same
	// step it appends the audit entry, deletes the votes of a ballot that is not open any more, and
	// gets ready for the votes of one that is new. It neither finishes a workshop nor reopens a
	// finished one: it returns workshop.ErrStage. It returns ErrNoRound when the round is gone. The
	// assessment then expires at a.ExpiresAt.
	SaveAssessment(ctx context.Context, a workshop.Assessment, e audit.Entry) error
	// Assessments returns the rounds with an assessment of the area, latest first. Area names are
	// compared as plaintext.Same does.
	Assessments(ctx context.Context, area string) ([]RoundID, error)

	// Attend keeps the person's role and language for as long as the workshop goes on.
	Attend(ctx context.Context, id RoundID, person PersonID, as workshop.Attendee) error
	// Attendee returns what a person gave to Attend, or the zero value.
	Attendee(ctx context.Context, id RoundID, person PersonID) (workshop.Attendee, error)
	// Vote keeps the person's rating in a ballot, in place of an earlier one. A vote that was made
	// before the one that is kept changes nothing. Vote returns workshop.ErrNoBallot unless that
	// ballot is open, but no error for an operation whose vote was counted when the ballot was shown.
	Vote(
		ctx context.Context, id RoundID, ballot int, person PersonID, op Operation,
		rating matrix.Rating,
	) error
	// WorkshopProgress returns how many people rate in the workshop, and how many have voted in its open
	// ballot.
	WorkshopProgress(ctx context.Context, id RoundID) (WorkshopProgress, error)
	// ShowBallot counts the votes of the open ballot, and deletes them and what leads from a person
	// to a vote, in one step. It returns the assessment with the ballot shown. It returns
	// workshop.ErrTooFew, and changes nothing, if fewer than a.MinGroup people chose a level, and
	// workshop.ErrNoBallot unless the ballot is open. The same operation again returns the same,
	// until another ballot is shown.
	ShowBallot(
		ctx context.Context, a workshop.Assessment, ballot int, op Operation, e audit.Entry,
	) (workshop.Assessment, error)
	// Object keeps, or takes back, that the person objects to the rating of an element.
	Object(ctx context.Context, id RoundID, element string, person PersonID, objects bool) error
	// Objections returns how many people object, by element.
	Objections(ctx context.Context, id RoundID) (map[string]int, error)
	// EndWorkshop finishes the assessment with the attendance and the objections as counts, and
	// deletes who was there and who objected, in one step. It returns the finished assessment, which
	// expires at a.ExpiresAt. It returns ErrChanged unless a.Version is the version kept, and
	// workshop.ErrStage unless the workshop goes on.
	EndWorkshop(
		ctx context.Context, a workshop.Assessment, now time.Time, e audit.Entry,
	) (workshop.Assessment, error)
}

// LinkStore keeps the links to the survey on the web. It sees neither a token nor a key.
type LinkStore interface {
	// AddLinks keeps new personal links and puts their people on the roster, as Invited with the
	// role of their link and its role group, in one step with the audit entry. It returns the links
	// with their numbers. The same links again change nothing. It returns ErrNotOpen or ErrClosed
	// unless the round takes answers at now, and an *InputError if the round would have more than
	// MaxLinks.
	AddLinks(
		ctx context.Context, id RoundID, now time.Time, links []Link, group string, e audit.Entry,
	) ([]Link, error)
	// Links returns the links of a round. A closed round has none.
	Links(ctx context.Context, id RoundID) (Links, error)
	// ChangeLink replaces a personal link, or the open link, and what it is found by, in one step
	// with the audit entry. An open link without a hash is removed. The same change again changes
	// nothing. It returns ErrChanged unless before is what is kept, and ErrClosed in a closed round.
	ChangeLink(ctx context.Context, id RoundID, before, after Link, e audit.Entry) error
	// FindLink returns what the first of the hashes that the round has leads to. It returns
	// ErrNoLink for hashes that the round does not have, and for a person who is not on the roster.
	FindLink(ctx context.Context, id RoundID, hashes []string) (LinkTarget, error)
	// EnterByLink puts a person who comes by the open link with a hash on the roster and keeps what
	// their return code is found by, in one step. The same person again changes nothing. It returns
	// ErrNoLink when the open link is another one or closed, ErrLinkFull when it lets in no more
	// people, and ErrNotOpen or ErrClosed unless the round takes answers at now.
	EnterByLink(ctx context.Context, id RoundID, now time.Time, open string, person Link) error
}

// WorkshopProgress is how far the open ballot of a workshop has come.
type WorkshopProgress struct {
	Present int // people who have rated something in this workshop
	Voted   int // people who have voted in the open ballot, in any way
}

// SecretBytes is the length of a round's secret.
const SecretBytes = 32

// Pseudonym is the name a person's response lies under while the round is open: the first 16
// characters of the base64url form of HMAC-SHA256(secret, person). Without the secret nobody can
// tell whose it is.
func Pseudonym(secret []byte, person PersonID) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(person))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))[:16]
}
