package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/results"
)

// maxAttempts limits how often a change is made again because another one came in between. Only the
// person and the bot change an entry, so more than a few in a row are a fault.
const maxAttempts = 10

// inviteBatch is how many people one script adds. All other clients wait for it, a millisecond or
// two.
const inviteBatch = 200

// Invite adds the people who are not in the roster yet, as Invited unless they have another status,
// and returns those it added. In the same step it enqueues a message of the given kind for each of
// them, due at the given time, unless the kind is empty. When record is not nil, the entry that it
// returns is appended to the audit log with each batch. It returns ErrClosed once the round is
// closed.
//
// Each call writes a random word into its entries. A batch that is sent again because its reply was
// lost recognises them and counts them as added; another call does not. When Invite fails, it
// returns those added until then; those of the batch that failed may be in the roster too, with
// their message queued.
func (s *Store) Invite(
	ctx context.Context, id survey.RoundID, people []survey.Member, message survey.MessageKind,
	due time.Time, record func(added int) audit.Entry,
) (added []survey.Member, err error) {
	defer attempt(&err, "invite to round %s", id)
	expires, err := s.roundExpiry(ctx, id)
	if err != nil {
		return nil, err
	}
	i := invitation{
		id: id, call: rand.Text()[:8], message: message, due: due, record: record, expires: expires,
	}
	for some := range slices.Chunk(invitees(people), inviteBatch) {
		more, err := s.inviteSome(ctx, i, some)
		if err != nil {
			return added, err
		}
		added = append(added, more...)
	}
	return added, nil
}

// invitees returns each person once, as named first, with the status Invited unless they have
// another.
func invitees(people []survey.Member) []survey.Member {
	var once []survey.Member
	seen := map[survey.PersonID]bool{}
	for _, m := range people {
		if m.Status == survey.NotInvited {
			m.Status = survey.Invited
		}
		if !seen[m.Person] {
			once = append(once, m)
		}
		seen[m.Person] = true
	}
	return once
}

// invitation is what the batches of one call of Invite have in common.
type invitation struct {
	id      survey.RoundID
	call    string // see storedMember
	message survey.MessageKind
	due     time.Time
	record  func(added int) audit.Entry
	expires time.Time // of the round
}

// inviteSome adds a batch of people to the roster and returns those who were added.
func (s *Store) inviteSome(
	ctx context.Context, i invitation, people []survey.Member,
) ([]survey.Member, error) {
	entries := make([]any, 0, 2*len(people))
	for _, m := range people {
		entry, err := encodeMember(m, i.call)
		if err != nil {
			return nil, err
		}
		entries = append(entries, string(m.Person), entry)
	}
	run := func(entry string, number, people int) ([]any, error) {
		keys := []string{roundKey(i.id), rosterKey(i.id), queueKey(i.id), auditKey(i.id)}
		args := append([]any{string(i.message), i.due.Unix(), entry, number, people}, entries...)
		return s.run(ctx, inviteScript, keys, args...)
	}
	var rest []any
	write := func() (err error) {
		rest, err = s.withEntry(ctx, i.id, i.record, len(people), run)
		return err
	}
	// Before the write, and again after it, in case a person was forgotten at the same time and removed
	// from their index in between.
	if err := s.indexPeople(ctx, i.id, people, i.expires); err != nil {
		return nil, err
	}
	var err error
	if i.message == "" {
		err = write()
	} else {
		err = s.withDueIndex(ctx, i.id, i.due, write)
	}
	if err != nil {
		return nil, err
	}
	if err := s.indexPeople(ctx, i.id, people, i.expires); err != nil {
		return nil, err
	}
	var added []survey.Member
	places, _ := rest[0].([]any)
	for _, p := range places {
		part, ok := p.(int64)
		if !ok || part < 1 || int(part) > len(people) {
			return nil, errors.New("the script returned a person it was not given")
		}
		added = append(added, people[part-1])
	}
	return added, nil
}

// roundExpiry returns when a round expires. Scripts give a new key the expiry of the round, but the
// indexes of people are written first.
func (s *Store) roundExpiry(ctx context.Context, id survey.RoundID) (time.Time, error) {
	since1970, err := s.client.ExpireTime(ctx, roundKey(id)).Result()
	if err != nil {
		return time.Time{}, translate(err)
	}
	if since1970 < 0 {
		return time.Time{}, survey.ErrNoRound
	}
	return time.Unix(0, 0).Add(since1970), nil
}

// indexPeople adds a round to the index of each of the people.
func (s *Store) indexPeople(
	ctx context.Context, id survey.RoundID, people []survey.Member, expires time.Time,
) error {
	pipe := s.client.Pipeline()
	for _, m := range people {
		s.addToIndex(ctx, pipe, personKey(m.Person), id, expires)
	}
	return exec(ctx, pipe)
}

// Participation returns a person's place in the round. Its status is zero when the person is not in
// the roster. It returns ErrNoRound when there is no round. It takes one round trip and no
// transaction: when the round is closed in between, the participation has no pseudonym, and
// whatever is tried with it is refused as closed.
func (s *Store) Participation(
	ctx context.Context, id survey.RoundID, person survey.PersonID,
) (_ survey.Participation, err error) {
	defer attempt(&err, "read a participation in round %s", id)
	return s.participation(ctx, id, person)
}

func (s *Store) participation(
	ctx context.Context, id survey.RoundID, person survey.PersonID,
) (survey.Participation, error) {
	pipe := s.client.Pipeline()
	fields := pipe.HMGet(ctx, roundKey(id), roundFields...)
	secret := pipe.Get(ctx, secretKey(id))
	entry := pipe.HGet(ctx, rosterKey(id), string(person))
	if err := s.batches.exec(ctx, pipe); err != nil {
		return survey.Participation{}, err
	}
	r, err := decodeRound(id, fields.Val())
	if err != nil {
		return survey.Participation{}, err
	}
	part := survey.Participation{Round: r, Member: survey.Member{Person: person}}
	// These are the bytes that the client read; they are cleared after use.
	if raw, err := secret.Bytes(); err == nil && len(raw) > 0 {
		part.Pseudonym = survey.Pseudonym(raw, person)
		clear(raw)
	}
	if entry.Val() != "" {
		if part.Member, err = decodeMember(person, entry.Val()); err != nil {
			return survey.Participation{}, err
		}
	}
	return part, nil
}

// ChangeMember applies change to the person's entry and keeps the result. It applies change again
// to a fresh entry when the entry was changed in between, so change should depend on its argument
// alone. It returns ErrNotTakingPart for a person who is not in the roster.
func (s *Store) ChangeMember(
	ctx context.Context, part survey.Participation, now time.Time,
	change func(*survey.Member) error,
) (changed survey.Participation, err error) {
	defer attempt(&err, "change an entry in the roster of round %s", part.Round.ID)
	if part.Pseudonym == "" {
		return survey.Participation{}, survey.ErrClosed
	}
	before, err := encodeMember(part.Member, "")
	if err != nil {
		return survey.Participation{}, err
	}
	m := part.Member
	for range maxAttempts {
		if err := change(&m); err != nil {
			return survey.Participation{}, err
		}
		m.Person = part.Member.Person
		after, err := encodeMember(m, "")
		if err != nil {
			return survey.Participation{}, err
		}
		err = s.replaceMember(ctx, part, now, before, m, after)
		if err == nil {
			part.Member, err = decodeMember(m.Person, after)
			return part, err
		}
		if before, m, err = currentEntry(m.Person, err); err != nil {
			return survey.Participation{}, err
		}
	}
	return survey.Participation{}, survey.ErrChanged
}

// replaceMember replaces the entry of a person, before, by that of m, after, and sets the role
// group of their response when m takes part.
func (s *Store) replaceMember(
	ctx context.Context, part survey.Participation, now time.Time, before string, m survey.Member,
	after string,
) error {
	id := part.Round.ID
	zone := "" // a new time zone is added in the same step, so that its people are reminded
	if m.TimeZone != part.Member.TimeZone {
		zone = m.TimeZone
	}
	keys := []string{roundKey(id), rosterKey(id), zonesKey(id)}
	args := []any{now.Unix(), string(m.Person), before, after, zone}
	write := func() error {
		if !m.TakesPart() {
			_, err := s.runBatched(ctx, changeMemberScript, keys, append(args, "0")...)
			return err
		}
		edit := call{changeMemberScript, keys, append(args, "1")}
		_, _, err := s.runBoth(ctx, edit, call{
			setRoleGroupScript,
			[]string{roundKey(id), responsesKey(id), responseKey(id, part.Pseudonym)},
			[]any{part.Pseudonym, m.Group},
		})
		return err
	}
	if zone == "" {
		return write()
	}
	return s.changePlan(ctx, id, write) // the people of a time zone have reminders of their own
}

// currentEntry returns the entry that a script found instead of the expected one. It returns the
// error when that is of another kind.
func currentEntry(person survey.PersonID, err error) (string, survey.Member, error) {
	var changed *changedError
	if !errors.As(err, &changed) || len(changed.rest) != 1 {
		return "", survey.Member{}, err
	}
	raw, _ := changed.rest[0].(string)
	m, err := decodeMember(person, raw)
	return raw, m, err
}

// UpdateContact changes how a person is contacted, in any state of the round. It changes nothing
// for a person who is not in the roster or has withdrawn. It applies change again to a fresh entry
// when the entry was changed in between.
func (s *Store) UpdateContact(
	ctx context.Context, id survey.RoundID, person survey.PersonID, change func(*survey.Member),
) (err error) {
	defer attempt(&err, "change how a person of round %s is contacted", id)
	pipe := s.client.Pipeline()
	exists := pipe.Exists(ctx, roundKey(id))
	entry := pipe.HGet(ctx, rosterKey(id), string(person))
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	if exists.Val() == 0 {
		return survey.ErrNoRound
	}
	before := entry.Val()
	if before == "" {
		return nil
	}
	m, err := decodeMember(person, before)
	for range maxAttempts {
		if err != nil {
			return err
		}
		was := m
		change(&m)
		if m == was || was.Status == survey.Withdrawn {
			return nil
		}
		after, err2 := encodeMember(m, "")
		if err2 != nil {
			return err2
		}
		keys := []string{rosterKey(id)}
		_, err = s.run(ctx, updateContactScript, keys, string(person), before, after)
		if err == nil {
			return nil
		}
		before, m, err = currentEntry(person, err)
	}
	return survey.ErrChanged
}

// AnonymiseRoster reduces the roster of a closed round to each person's status, the notice they
// accepted and on which day, whether messages reach them and whether they want reminders. The round
// keeps the turnout instead. It is kept first, so that it is never counted from entries that are
// already reduced. Earlier versions kept the second of acceptance; such a roster is anonymised
// again.
func (s *Store) AnonymiseRoster(
	ctx context.Context, id survey.RoundID, t results.Turnout,
) (err error) {
	defer attempt(&err, "make the roster of round %s anonymous", id)
	r, err := s.round(ctx, id)
	switch {
	case err != nil:
		return err
	case r.State != survey.Closed:
		return survey.ErrStillOpen
	case r.Anonymised:
		return nil
	}
	turnout, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode turnout: %w", err)
	}
	round := []string{roundKey(id)}
	if _, err := s.run(ctx, setRoundFieldScript, round, "turnout", turnout, "0"); err != nil {
		return err
	}
	err = s.eachRosterPage(ctx, id, func(some []string) error {
		var entries []any
		for i := 0; i+1 < len(some); i += 2 {
			person := survey.PersonID(some[i])
			m, err := decodeMember(person, some[i+1])
			if err != nil {
				return err
			}
			entry, err := encodeMember(survey.Member{
				Person: person, Status: m.Status, Notice: m.Notice, NoticeAt: m.NoticeDay(),
				Unreachable: m.Unreachable, RemindersOff: m.RemindersOff,
			}, "")
			if err != nil {
				return err
			}
			entries = append(entries, some[i], entry)
		}
		_, err := s.run(ctx, replaceEntriesScript, []string{rosterKey(id)}, entries...)
		return err
	})
	if err != nil {
		return err
	}
	// Closing may have failed to write the journal, and nothing does so once the roster is
	// anonymous.
	if err := s.writeJournal(erasure{At: r.ClosedAt, What: closed, Round: id}); err != nil {
		return err
	}
	// Closing does this too, but may have been stopped. Until it is done, the expiry of a response
	// says when it was last written.
	if err := s.moveExpiry(ctx, r); err != nil {
		return err
	}
	s.requestRewrite(id)
	_, err = s.run(ctx, setRoundFieldScript, round, "sealed", anonymisedByDay, "1")
	return err
}

// anonymisedByDay marks a round whose roster is anonymous and keeps of the acceptance only the day.
// Earlier versions wrote 1 and kept the second.
const anonymisedByDay = "2"

// Roster calls visit for each member, a few hundred in memory at a time, in no stated order.
func (s *Store) Roster(
	ctx context.Context, id survey.RoundID, visit func(survey.Member) error,
) error {
	if err := s.requireRound(ctx, id); err != nil {
		return fmt.Errorf("read the roster of round %s: %w", id, err)
	}
	// A scan may return an entry twice. Eight bytes a person are enough to notice.
	seed, seen := maphash.MakeSeed(), map[uint64]struct{}{}
	return s.Scan(ctx, id, func(m survey.Member) error {
		hash := maphash.String(seed, string(m.Person))
		if _, again := seen[hash]; again {
			return nil
		}
		seen[hash] = struct{}{}
		return visit(m)
	})
}

// Scan is like Roster but does not de-duplicate: a member may be visited twice. Nor does it return
// ErrNoRound.
func (s *Store) Scan(
	ctx context.Context, id survey.RoundID, visit func(survey.Member) error,
) error {
	var visited error
	err := s.eachRosterPage(ctx, id, func(some []string) error {
		for i := 0; i+1 < len(some); i += 2 {
			m, err := decodeMember(survey.PersonID(some[i]), some[i+1])
			if err != nil {
				return err
			}
			if visited = visit(m); visited != nil {
				return visited
			}
		}
		return nil
	})
	if visited != nil {
		return visited
	}
	attempt(&err, "read the roster of round %s", id)
	return err
}

// eachRosterPage calls visit with pages of the roster: person, entry, person, entry.
func (s *Store) eachRosterPage(
	ctx context.Context, id survey.RoundID, visit func([]string) error,
) error {
	pace, size := s.newPacer(), int64(pageSize)
	for cursor := uint64(0); ; {
		some, next, err := s.client.HScan(ctx, rosterKey(id), cursor, "", size).Result()
		if err != nil {
			return translate(err)
		}
		if err := visit(some); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		if size, err = pace.next(ctx); err != nil {
			return err
		}
	}
}

// requireRound returns ErrNoRound when the round does not exist.
func (s *Store) requireRound(ctx context.Context, id survey.RoundID) error {
	n, err := s.client.Exists(ctx, roundKey(id)).Result()
	if err == nil && n == 0 {
		return survey.ErrNoRound
	}
	return translate(err)
}

// RoundsOf returns the rounds that the person was invited to or coordinates, newest first: by when
// the person was first invited or became a coordinator.
func (s *Store) RoundsOf(ctx context.Context, person survey.PersonID) ([]survey.RoundID, error) {
	ask := func(pipe goredis.Pipeliner, id survey.RoundID) func() (exists, belongs bool) {
		fields := pipe.HMGet(ctx, roundKey(id), roundFields...)
		invited := pipe.HExists(ctx, rosterKey(id), string(person))
		return func() (bool, bool) {
			r, err := decodeRound(id, fields.Val())
			return !errors.Is(err, survey.ErrNoRound), invited.Val() || isCoordinator(r, person)
		}
	}
	found, err := s.readIndex(ctx, personKey(person), ask)
	if err != nil {
		return nil, fmt.Errorf("read the rounds of a person: %w", err)
	}
	return found, nil
}

// isCoordinator reports whether a person coordinates the round.
func isCoordinator(r survey.Round, person survey.PersonID) bool {
	return slices.Contains(r.Coordinators, person)
}
