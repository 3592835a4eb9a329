package survey

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// AuditAction is what an entry of a round's record says was done.
type AuditAction string

// The acts. Those from AuditResults on change nothing of the round.
const (
	AuditCreated         AuditAction = "created"
	AuditRedrafted       AuditAction = "redrafted"
	AuditOpened          AuditAction = "opened"
	AuditExtended        AuditAction = "extended" // the closing time was moved
	AuditInvited         AuditAction = "invited"
	AuditSelfJoinAllowed AuditAction = "door"     // a Join button lets in whoever presses it
	AuditReminded        AuditAction = "reminded" // reminders by hand were asked for
	AuditPlan            AuditAction = "plan"     // reminders or channel posts were changed
	AuditWorkshop        AuditAction = "workshop"
	AuditTeam            AuditAction = "team"       // coordinators were added
	AuditSelfAdded       AuditAction = "self_added" // a person who may start rounds became a coordinator by their own wish
	AuditClosed          AuditAction = "closed"
	AuditResults         AuditAction = "results"   // the results were asked for
	AuditExported        AuditAction = "exported"  // the files were asked for
	AuditNudged          AuditAction = "nudged"    // reminders that were asked for were sent
	AuditForgotten       AuditAction = "forgotten" // a person was taken out of the round by whoever runs the bot
	AuditRestored        AuditAction = "restored"  // the round was brought back from a backup by whoever runs the bot
	AuditRefused         AuditAction = "refused"   // somebody who is not a coordinator tried something
	AuditFull            AuditAction = "full"      // no more of an act is recorded
)

// Operator is who does what only whoever runs the bot can do.
const Operator PersonID = "operator"

// Fields of changes that are not what a round was set up with.
const (
	FieldPeople = "people" // how many
	FieldVerb   = "verb"   // what was tried
	FieldAct    = "act"    // of what no more is recorded
	FieldBackup = "backup" // when it was begun
	FieldShown  = "shown"  // where results were shown, if not in the round's channel: a place, or "alone" to the coordinator
)

// AuditEntry is one line of a round's record: who did what when. It holds no answer, and nothing of who answered what, or whether.
//
// The record is a chain: whoever alters, adds or takes out an entry would have to make each Hash after it anew. Hash is the SHA-256,
// in small hexadecimal digits, of these lines as UTF-8, each ended by one line feed:
//
//	Hash of the entry before; of the first entry, the round's id
//	Seq
//	At, as 2006-01-02T15:04:05Z
//	By
//	Act
//	Field, Old and New of each change, a line each
//
// No text of an entry holds a control character, so no two entries have the same lines. A chain that is made anew from its beginning,
// or cut off at its end, is whole: that is why its Seal is told where the store does not reach.
type AuditEntry struct {
	Seq     int       // from 1
	At      time.Time // in UTC, to the second
	By      PersonID  // empty: the bot itself
	Action  AuditAction
	Changes []Change
	Hash    string
}

// Change is what was changed: times are RFC 3339 in UTC, lists have commas between, persons are their ids, and empty is none.
type Change struct{ Field, Old, New string }

// Chain returns the entry as the next after last (the zero Entry before the first), with its number and hash, and without
// control characters.
func (e AuditEntry) Chain(id RoundID, last AuditEntry) AuditEntry {
	e.Seq, e.At, e.By, e.Action = last.Seq+1, e.At.UTC().Truncate(time.Second), PersonID(plain(string(e.By))), AuditAction(plain(string(e.Action)))
	before := last.Hash
	if last.Seq == 0 {
		before = string(id)
	}
	lines := []string{before, strconv.Itoa(e.Seq), e.At.Format(time.RFC3339), string(e.By), string(e.Action)}
	e.Changes = slices.Clone(e.Changes)
	for i, c := range e.Changes {
		e.Changes[i] = Change{plain(c.Field), plain(c.Old), plain(c.New)}
		lines = append(lines, e.Changes[i].Field, e.Changes[i].Old, e.Changes[i].New)
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n") + "\n"))
	e.Hash = hex.EncodeToString(sum[:])
	return e
}

// plain puts spaces for control characters, line feeds among them.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// Fingerprint is the beginning of the hash in groups of four, short enough to be compared by eye. Its 64 bits are more than can be met
// by trying other entries.
func (e AuditEntry) Fingerprint() string {
	var groups []string
	for group := range slices.Chunk([]byte(e.Hash[:min(16, len(e.Hash))]), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, " ")
}

// Verify returns the number of the first entry that does not follow on those before it, or 0 when the whole record does. A record
// begins with the creation of its round.
func Verify(id RoundID, entries []AuditEntry) (broken int) {
	if len(entries) == 0 || entries[0].Action != AuditCreated {
		return 1
	}
	last := AuditEntry{}
	for i, e := range entries {
		// What is hashed is made plain first: what is not plain as it stands was put there by somebody else.
		next := e.Chain(id, last)
		if next.Hash != e.Hash || next.Seq != e.Seq || !next.At.Equal(e.At) || next.By != e.By || next.Action != e.Action || !slices.Equal(next.Changes, e.Changes) {
			return i + 1
		}
		last = e
	}
	return 0
}

// Changes are the differences of what two states of a round were set up with, the most telling first.
func Changes(before, after Round) []Change {
	var all []Change
	add := func(field, was, is string) {
		if was != is {
			all = append(all, Change{field, was, is})
		}
	}
	for _, f := range []struct {
		name string
		of   func(Round) string
	}{
		{"area", func(r Round) string { return r.Area }},
		{"closed", func(r Round) string { return moment(r.ClosedAt) }},
		{"closes", func(r Round) string { return moment(r.ClosesAt) }},
		{"workshop", func(r Round) string { return moment(r.Workshop.At) }},
		{"place", func(r Round) string { return r.Workshop.Place }},
		{"matrix", func(r Round) string { return r.Matrix }},
		{"languages", func(r Round) string { return list(r.Languages) }},
		{"min_group", func(r Round) string { return number(r.MinGroup) }},
		{"agreed", func(r Round) string { return number(r.Consensus.Percent) }},
		{"far", func(r Round) string { return yes(r.Consensus.AllowFarMinority) }},
		{"time_zone", func(r Round) string { return r.TimeZone }},
		{"paused", func(r Round) string { return yes(r.Reminders.Paused) }},
		{"before_close", func(r Round) string { return numbers(r.Reminders.BeforeClose) }},
		{"before_workshop", func(r Round) string { return numbers(r.Reminders.BeforeWorkshop) }},
		{"hour", func(r Round) string {
			if r.Reminders.Hour == 0 { // nobody is reminded at night: there is no plan yet
				return ""
			}
			return fmt.Sprintf("%02d:%02d", r.Reminders.Hour, r.Reminders.Minute)
		}},
		{"spec", func(r Round) string { return r.Reminders.Cron }},
		{"digest", func(r Round) string { return r.Posts.Digest }},
		{"posts_off", func(r Round) string { return list(r.Posts.Disabled) }},
		{"join", func(r Round) string { return yes(r.SelfJoin) }},
		{"channel", func(r Round) string { return r.Channel }},
	} {
		add(f.name, f.of(before), f.of(after))
	}
	add("coordinators", list(without(before.Coordinators, after.Coordinators)), list(without(after.Coordinators, before.Coordinators)))
	return all
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func numbers(all []int) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = strconv.Itoa(n)
	}
	return list(words)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func list[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// without is what of all is not among others.
func without(all, others []PersonID) []PersonID {
	return slices.DeleteFunc(slices.Clone(all), func(p PersonID) bool { return slices.Contains(others, p) })
}

// AuditLog is the record of a round, oldest entry first.
type AuditLog struct {
	Round   Round
	Entries []AuditEntry
	Broken  int // the first entry that does not follow on those before it; 0 when all do
}

// Head is the last entry.
func (r AuditLog) Head() AuditEntry {
	if len(r.Entries) == 0 {
		return AuditEntry{}
	}
	return r.Entries[len(r.Entries)-1]
}

// AuditLog returns a round's record to one of its coordinators.
func (r *Rounds) AuditLog(ctx context.Context, id RoundID, by PersonID) (AuditLog, error) {
	round, err := r.Round(ctx, id, by)
	if err != nil {
		return AuditLog{}, err
	}
	return r.SystemAuditLog(ctx, round)
}

// SystemAuditLog returns a round's record, for its own channel, which is told the head of it.
func (r *Rounds) SystemAuditLog(ctx context.Context, round Round) (AuditLog, error) {
	entries, err := r.store.AuditLog(ctx, round.ID)
	if err != nil {
		return AuditLog{}, err
	}
	return AuditLog{Round: round, Entries: entries, Broken: Verify(round.ID, entries)}, nil
}

// What is recorded of acts that change nothing, so that nobody can make a record grow without end.
const (
	AuditDedupWindow = time.Hour // the same act of the same person
	AuditQuota       = 200       // entries of each such act; the one after them says that it is full
	// AuditRefusedQuota bounds the refusals of one person in a round's record, so that a few people cannot use up the room for those
	// of others; the entry after them says that it is full.
	AuditRefusedQuota = 5
)

// Audit records an act that changes nothing of the round's set-up. It asks for no coordinator: whoever does it for the Operator, or
// refuses somebody, records it by this. The same act of the same person within AuditDedupWindow is recorded once, and at most AuditQuota
// of each act are, and AuditRefusedQuota refusals of one person; of the Operator's, all.
func (r *Rounds) Audit(ctx context.Context, id RoundID, by PersonID, act AuditAction, changes ...Change) error {
	e := AuditEntry{At: r.now(), By: by, Action: act, Changes: changes}
	err := r.store.AppendEntry(ctx, id, func(record []AuditEntry) (AuditEntry, bool) { return e.withinQuota(record) })
	if err != nil {
		return err
	}
	return nil
}

// room returns what of the entry is still to be recorded, if anything.
func (e AuditEntry) withinQuota(record []AuditEntry) (AuditEntry, bool) {
	if e.By == Operator {
		return e, true
	}
	n, each := 0, 0
	for _, old := range record {
		switch {
		case old.Action == AuditFull && (old.By == "" || old.By == e.By) && slices.Contains(old.Changes, Change{Field: FieldAct, New: string(e.Action)}):
			return AuditEntry{}, false
		case old.Action != e.Action || old.By == Operator:
			continue
		case old.By == e.By && slices.Equal(old.Changes, e.Changes) && e.At.Before(old.At.Add(AuditDedupWindow)):
			return AuditEntry{}, false
		}
		n++
		if old.By == e.By {
			each++
		}
	}
	full := AuditEntry{At: e.At, Action: AuditFull, Changes: []Change{{Field: FieldAct, New: string(e.Action)}}}
	switch {
	case n == AuditQuota:
		return full, true
	case e.Action == AuditRefused && each == AuditRefusedQuota:
		full.By = e.By
		return full, true
	}
	return e, true
}

// AuditRefused records that somebody who is no coordinator of the round tried something, by the name given.
func (r *Rounds) AuditRefused(ctx context.Context, id RoundID, by PersonID, verb string) error {
	return r.Audit(ctx, id, by, AuditRefused, Change{Field: FieldVerb, New: verb})
}
