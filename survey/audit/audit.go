// Package audit is the audit log of a round: who did what and when. The entries form a chain of
// hashes, so that a later alteration can be found. The log holds no answers and does not show who
// gave an answer. The package does not depend on rounds or stores.
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Action says what was done. Its values are kept and hashed, and never change.
type Action string

// The actions. Of those from Results on, only Forgotten may change the round: it removes a
// coordinator.
const (
	Created         Action = "created"
	Redrafted       Action = "redrafted"
	Opened          Action = "opened"
	Extended        Action = "extended" // the closing time was moved
	Invited         Action = "invited"
	SelfJoinAllowed Action = "door"     // anybody may join by a button
	Reminded        Action = "reminded" // reminders by hand were asked for
	Plan            Action = "plan"     // reminders or channel posts were changed
	Workshop        Action = "workshop"
	Team            Action = "team"       // coordinators were added
	SelfAdded       Action = "self_added" // a person who may start rounds added themselves
	Closed          Action = "closed"
	Stage           Action = "stage" // the workshop was started or finished
	Shown           Action = "shown" // the ratings of a ballot were shown
	Rated           Action = "rated" // ratings were recorded in a workshop, or changed
	// The actions on links to the survey on the web. Entries name a personal link by its number.
	LinksMade        Action = "links_made"
	LinkRevoked      Action = "link_revoked"
	LinkReissued     Action = "link_reissued"
	OpenLinkMade     Action = "open_link_made" // or its maximum was changed
	OpenLinkReplaced Action = "open_link_replaced"
	OpenLinkClosed   Action = "open_link_closed"

	Results     Action = "results"      // the results were asked for
	Exported    Action = "exported"     // the files were asked for
	LinksListed Action = "links_listed" // the links that are not finished were asked for
	PosterMade  Action = "poster_made"  // the poster of the open link was asked for
	Nudged      Action = "nudged"       // reminders that were asked for were sent
	Forgotten   Action = "forgotten"    // the operator deleted a person from the round
	Restored    Action = "restored"     // the operator restored the round from a backup
	Refused     Action = "refused"      // a person who is not a coordinator tried something
	Full        Action = "full"         // a quota is used up
)

// Operator is the value of Entry.By for what the operator of the bot did.
const Operator = "operator"

// Fields of changes that are no settings of the round.
const (
	FieldPeople  = "people"  // how many
	FieldVerb    = "verb"    // what was tried, as a verb of the bot
	FieldAct     = "act"     // the action whose quota is used up
	FieldBackup  = "backup"  // when the backup was made
	FieldStage   = "stage"   // of the workshop
	FieldBallot  = "ballot"  // the number of a ballot
	FieldLink    = "link"    // the number of a personal link
	FieldMaximum = "maximum" // how many people the open link may let in
	// RatingPrefix comes before the element whose rating was recorded.
	RatingPrefix = "rating "
	FieldShown   = "shown" // where results were shown: a place, or "alone" for the coordinator only
)

// Entry is one line of an audit log. It holds no answer, and nothing of who answered what, or
// whether they did.
//
// The log is a chain: to alter, insert or delete an entry, every later Hash has to be computed
// again. Hash is the SHA-256, in lower-case hexadecimal, of these lines as UTF-8, each ended by one
// line feed:
//
//	Hash of the entry before; of the first entry, the round's id
//	Seq
//	At, as 2006-01-02T15:04:05Z
//	By
//	Action
//	Field, Old and New of each change, a line each
//
// No text of an entry holds a control character, so no two entries have the same lines. A chain
// that is computed again from its beginning, or cut off at its end, verifies. This is why the
// Fingerprint of the last entry is shown in places that the store cannot reach.
type Entry struct {
	Seq     int       // from 1
	At      time.Time // in UTC, to the second
	By      string    // a person's id, Operator, or empty for the bot itself
	Action  Action
	Changes []Change
	Hash    string
}

// Change is one field that was changed. Times are RFC 3339 in UTC, lists are separated by commas,
// people are their ids, and an empty text is no value.
type Change struct{ Field, Old, New string }

// Chain returns the entry as the next one after last, with its number and its hash, and without
// control characters. The first entry of a round follows the zero Entry.
func (e Entry) Chain(round string, last Entry) Entry {
	e.Seq = last.Seq + 1
	e.At = e.At.UTC().Truncate(time.Second)
	e.By = plain(e.By)
	e.Action = Action(plain(string(e.Action)))
	before := last.Hash
	if last.Seq == 0 {
		before = round
	}
	lines := []string{
		before, strconv.Itoa(e.Seq), e.At.Format(time.RFC3339), e.By, string(e.Action),
	}
	e.Changes = slices.Clone(e.Changes)
	for i, c := range e.Changes {
		c = Change{plain(c.Field), plain(c.Old), plain(c.New)}
		e.Changes[i] = c
		lines = append(lines, c.Field, c.Old, c.New)
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n") + "\n"))
	e.Hash = hex.EncodeToString(sum[:])
	return e
}

// plain replaces control characters, such as line feeds, with spaces.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// Fingerprint returns the first 64 bits of the hash as groups of four digits, to be compared by
// eye. Nobody can find another entry with the same 64 bits by trying.
func (e Entry) Fingerprint() string {
	var groups []string
	for group := range slices.Chunk([]byte(e.Hash[:min(16, len(e.Hash))]), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, " ")
}

// Verify returns the number of the first entry that does not follow from the entries before it, or
// 0 when the whole log is intact. A log begins with the creation of its round.
func Verify(round string, entries []Entry) (broken int) {
	if len(entries) == 0 || entries[0].Action != Created {
		return 1
	}
	var last Entry
	for i, e := range entries {
		// Chain removes control characters before it hashes. An entry that holds some was altered.
		if !e.equal(e.Chain(round, last)) {
			return i + 1
		}
		last = e
	}
	return 0
}

func (e Entry) equal(other Entry) bool {
	return e.Seq == other.Seq && e.At.Equal(other.At) && e.By == other.By &&
		e.Action == other.Action && slices.Equal(e.Changes, other.Changes) && e.Hash == other.Hash
}

// Log is the audit log of a round, oldest entry first.
type Log struct {
	Entries []Entry
	Broken  int // what Verify says: the first entry that was altered, or 0
}

// Head returns the last entry, or the zero Entry of an empty log.
func (l Log) Head() Entry {
	if len(l.Entries) == 0 {
		return Entry{}
	}
	return l.Entries[len(l.Entries)-1]
}

// Limits of entries that change nothing, so that nobody can make a log grow without end.
const (
	// DedupWindow is how long the same action of the same person is recorded only once.
	DedupWindow = time.Hour
	// Quota is the number of entries of each action. The next one is an entry of Full.
	Quota = 200
	// RefusedQuota is the number of refusals of one person. The next one is an entry of Full. It
	// keeps a few people from using up the quota for everybody.
	RefusedQuota = 5
)

// WithinQuota returns the entry that is to be recorded in a log for an action that changes nothing:
// the entry itself, or an entry of Full. It returns false when nothing is to be recorded. There is
// no limit for the Operator.
func (e Entry) WithinQuota(log []Entry) (Entry, bool) {
	if e.By == Operator {
		return e, true
	}
	action := Change{Field: FieldAct, New: string(e.Action)}
	all, own := 0, 0
	for _, old := range log {
		sameBy := old.By == e.By
		switch {
		case old.Action == Full && (old.By == "" || sameBy) && slices.Contains(old.Changes, action):
			return Entry{}, false
		case old.Action != e.Action || old.By == Operator:
			continue
		case sameBy && slices.Equal(old.Changes, e.Changes) && e.At.Before(old.At.Add(DedupWindow)):
			return Entry{}, false
		}
		all++
		if sameBy {
			own++
		}
	}
	full := Entry{At: e.At, Action: Full, Changes: []Change{action}}
	switch {
	case all == Quota:
		return full, true
	case e.Action == Refused && own == RefusedQuota:
		full.By = e.By
		return full, true
	}
	return e, true
}
