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

// tries bounds how often a change is made again to an entry that somebody else changed in between. Only the
// person and the bot change it, so more than a few in a row is a fault.
const tries = 10

// batch is how many people one script adds: every other client waits for it, so a millisecond or two.
const batch = 200

// Invite adds people who are not in the roster yet, as Invited unless they come with another standing, and
// returns those it added. In the same step it owes them the message of that kind, from the time given, unless the kind is empty.
// What record returns, where it is given, is kept in the round's record with each batch. It refuses with ErrClosed once the round is closed.
//
// Each call marks its entries with a word of its own: a batch that is sent again, its reply lost, finds them
// and counts them as added, while another call (somebody pressed twice) does not. When it fails it returns
// those added until then; those of the batch that failed may be in the roster too, with their message owed.
func (s *Store) Invite(ctx context.Context, id survey.RoundID, people []survey.Member, owed survey.MessageKind, due time.Time,
	record func(added int) audit.Entry,
) (added []survey.Member, err error) {
	defer attempt(&err, "invite to round %s", id)
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
	// The entry of a member does not say when the round expires, and the lists of people are written first.
	since1970, err := s.client.ExpireTime(ctx, roundKey(id)).Result()
	if err != nil {
		return nil, fault(err)
	}
	if since1970 < 0 {
		return nil, survey.ErrNoRound
	}
	expires := time.Unix(0, 0).Add(since1970)

	call := rand.Text()[:8]
	for some := range slices.Chunk(once, batch) {
		entries := make([]any, 0, 2*len(some))
		for _, m := range some {
			raw, err := encodeMember(m, call)
			if err != nil {
				return added, err
			}
			entries = append(entries, string(m.Person), raw)
		}
		if err := s.listPeople(ctx, id, some, expires); err != nil {
			return added, err
		}
		var rest []any
		write := func() (err error) {
			rest, err = s.recorded(ctx, id, record, len(some), func(entry string, number, people int) ([]any, error) {
				return s.run(ctx, inviteScript, []string{roundKey(id), rosterKey(id), owedKey(id), auditKey(id)},
					append([]any{string(owed), due.Unix(), entry, number, people}, entries...)...)
			})
			return err
		}
		if owed == "" {
			err = write()
		} else {
			err = s.indexed(ctx, id, due, write)
		}
		if err != nil {
			return added, err
		}
		// Again: whoever was being forgotten at that moment was taken out of their list in between.
		if err := s.listPeople(ctx, id, some, expires); err != nil {
			return added, err
		}
		places, _ := rest[0].([]any)
		for _, p := range places {
			place, ok := p.(int64)
			if !ok || place < 1 || int(place) > len(some) {
				return added, errors.New("the script added somebody it was not given")
			}
			added = append(added, some[place-1])
		}
	}
	return added, nil
}

// listPeople lists a round under each of these people.
func (s *Store) listPeople(ctx context.Context, id survey.RoundID, people []survey.Member, expires time.Time) error {
	pipe := s.client.Pipeline()
	for _, m := range people {
		s.list(ctx, pipe, personKey(m.Person), id, expires)
	}
	return exec(ctx, pipe)
}

// Participation returns a person's place: with a zero Standing when they are not in the roster; ErrNoRound when there
// is no round. It takes one round trip, and no transaction: when the round is closed in the middle, the seat
// has no pseudonym and whatever is tried from it is refused as closed.
func (s *Store) Participation(ctx context.Context, id survey.RoundID, person survey.PersonID) (_ survey.Participation, err error) {
	defer attempt(&err, "find the seat in round %s", id)
	return s.seat(ctx, id, person)
}

func (s *Store) seat(ctx context.Context, id survey.RoundID, person survey.PersonID) (survey.Participation, error) {
	pipe := s.client.Pipeline()
	fields := pipe.HMGet(ctx, roundKey(id), roundFields...)
	secret := pipe.Get(ctx, secretKey(id))
	entry := pipe.HGet(ctx, rosterKey(id), string(person))
	if err := exec(ctx, pipe); err != nil {
		return survey.Participation{}, err
	}
	r, err := decodeRound(id, fields.Val())
	if err != nil {
		return survey.Participation{}, err
	}
	seat := survey.Participation{Round: r, Member: survey.Member{Person: person}}
	// The bytes are those that the client read, and wiped once they have been used.
	if raw, err := secret.Bytes(); err == nil && len(raw) > 0 {
		seat.Pseudonym = survey.Pseudonym(raw, person)
		clear(raw)
	}
	if entry.Val() != "" {
		if seat.Member, err = decodeMember(person, entry.Val()); err != nil {
			return survey.Participation{}, err
		}
	}
	return seat, nil
}

// ChangeMember applies change to the person's entry and keeps it, applying it again to a fresh entry when
// somebody else changed it in between; change may so be called several times, and should depend on nothing
// but what it is given. Somebody who is not in the roster gets ErrNotTakingPart.
func (s *Store) ChangeMember(ctx context.Context, seat survey.Participation, now time.Time, change func(*survey.Member) error) (changed survey.Participation, err error) {
	defer attempt(&err, "change an entry in the roster of round %s", seat.Round.ID)
	if seat.Pseudonym == "" {
		return survey.Participation{}, survey.ErrClosed
	}
	id := seat.Round.ID
	before, err := encodeMember(seat.Member, "")
	if err != nil {
		return survey.Participation{}, err
	}
	m := seat.Member
	for range tries {
		if err := change(&m); err != nil {
			return survey.Participation{}, err
		}
		m.Person = seat.Member.Person
		after, err := encodeMember(m, "")
		if err != nil {
			return survey.Participation{}, err
		}
		zone := "" // listed in the same step, or nobody of it would be reminded
		if m.TimeZone != seat.Member.TimeZone {
			zone = m.TimeZone
		}
		edit := call{
			memberScript, []string{roundKey(id), rosterKey(id), zonesKey(id)},
			[]any{now.Unix(), string(m.Person), before, after, zone},
		}
		write := func() (err error) {
			if m.TakesPart() {
				_, _, err = s.runBoth(ctx, call{edit.script, edit.keys, append(edit.args, "1")}, call{
					respondScript, []string{roundKey(id), responsesKey(id), responseKey(id, seat.Pseudonym)},
					[]any{seat.Pseudonym, m.Group},
				})
			} else {
				_, err = s.run(ctx, edit.script, edit.keys, append(edit.args, "0")...)
			}
			return err
		}
		if zone == "" {
			err = write()
		} else {
			err = s.changePlan(ctx, id, write) // the people of a time zone have reminders of their own
		}
		if err == nil {
			seat.Member, err = decodeMember(m.Person, after)
			return seat, err
		}
		if before, m, err = fresh(m.Person, err); err != nil {
			return survey.Participation{}, err
		}
	}
	return survey.Participation{}, survey.ErrChanged
}

// fresh returns the entry that a script found in place of the one expected, or the error if it is another.
func fresh(person survey.PersonID, err error) (string, survey.Member, error) {
	var changed *changedError
	if !errors.As(err, &changed) || len(changed.rest) != 1 {
		return "", survey.Member{}, err
	}
	raw, _ := changed.rest[0].(string)
	m, err := decodeMember(person, raw)
	return raw, m, err
}

// UpdateContact changes how a person is written to, in any state of the round; nothing of somebody who is not in the roster, or has
// withdrawn. It makes the change again to a fresh entry when somebody else changed it in between.
func (s *Store) UpdateContact(ctx context.Context, id survey.RoundID, person survey.PersonID, change func(*survey.Member)) (err error) {
	defer attempt(&err, "mark an entry in the roster of round %s", id)
	pipe := s.client.Pipeline()
	there := pipe.Exists(ctx, roundKey(id))
	entry := pipe.HGet(ctx, rosterKey(id), string(person))
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	if there.Val() == 0 {
		return survey.ErrNoRound
	}
	before := entry.Val()
	if before == "" {
		return nil
	}
	m, err := decodeMember(person, before)
	for range tries {
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
		if _, err = s.run(ctx, swapScript, []string{rosterKey(id)}, string(person), before, after); err == nil {
			return nil
		}
		before, m, err = fresh(person, err)
	}
	return survey.ErrChanged
}

// AnonymiseRoster makes the roster of a closed round forget everything of each person but their standing, the notice they
// accepted and on which day, and whether they can be reached and want reminders, and keeps the turnout in its place. The turnout is kept
// first: whatever stops the rest, it is not counted again from entries that have forgotten. A roster that an earlier version sealed, which
// kept the second of acceptance, is sealed again.
func (s *Store) AnonymiseRoster(ctx context.Context, id survey.RoundID, t results.Turnout) (err error) {
	defer attempt(&err, "seal the roster of round %s", id)
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
	if _, err := s.run(ctx, setFieldScript, round, "turnout", turnout, "0"); err != nil {
		return err
	}
	err = s.entries(ctx, id, func(some []string) error {
		var entries []any
		for i := 0; i+1 < len(some); i += 2 {
			person := survey.PersonID(some[i])
			m, err := decodeMember(person, some[i+1])
			if err != nil {
				return err
			}
			entry, err := encodeMember(survey.Member{
				Person: person, Status: m.Status, Notice: m.Notice, NoticeAt: m.NoticeDay(), Unreachable: m.Unreachable, RemindersOff: m.RemindersOff,
			}, "")
			if err != nil {
				return err
			}
			entries = append(entries, some[i], entry)
		}
		_, err := s.run(ctx, sealScript, []string{rosterKey(id)}, entries...)
		return err
	})
	if err != nil {
		return err
	}
	// Whoever closed the round may have failed to. When it is sealed, nobody looks at that again.
	if err := s.journal(erasure{At: r.ClosedAt, What: closed, Round: id}); err != nil {
		return err
	}
	// Closing does this as well, but may have been stopped on its way. Until then Redis tells of each response how long ago it was
	// last written to.
	if err := s.moveExpiry(ctx, r); err != nil {
		return err
	}
	s.rewriteFile(id)
	_, err = s.run(ctx, setFieldScript, round, "sealed", sealedByDay, "1")
	return err
}

// sealedByDay marks a round whose roster has forgotten everything, the time of acceptance but for its day included. Earlier versions
// wrote 1, and kept the second.
const sealedByDay = "2"

// Roster calls visit for each member, a few hundred in memory at a time, in no stated order.
func (s *Store) Roster(ctx context.Context, id survey.RoundID, visit func(survey.Member) error) error {
	if err := s.exists(ctx, id); err != nil {
		return fmt.Errorf("read the roster of round %s: %w", id, err)
	}
	// A scan may meet an entry twice; eight bytes a person tell.
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

// Scan is Roster, but may visit somebody twice: it keeps nothing of whom it has visited. Nor does it look whether there is a round.
func (s *Store) Scan(ctx context.Context, id survey.RoundID, visit func(survey.Member) error) error {
	var visited error
	err := s.entries(ctx, id, func(some []string) error {
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

// entries calls visit with pages of the roster: person, entry, person, entry.
func (s *Store) entries(ctx context.Context, id survey.RoundID, visit func([]string) error) error {
	for cursor := uint64(0); ; {
		some, next, err := s.client.HScan(ctx, rosterKey(id), cursor, "", page).Result()
		if err != nil {
			return fault(err)
		}
		if err := visit(some); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// exists returns ErrNoRound unless the round is there.
func (s *Store) exists(ctx context.Context, id survey.RoundID) error {
	n, err := s.client.Exists(ctx, roundKey(id)).Result()
	if err == nil && n == 0 {
		return survey.ErrNoRound
	}
	return fault(err)
}

// RoundsOf returns the rounds that the person was invited to or coordinates and that are still kept, newest
// first: by when the person first had to do with them.
func (s *Store) RoundsOf(ctx context.Context, person survey.PersonID) ([]survey.RoundID, error) {
	found, err := s.listed(ctx, personKey(person), func(pipe goredis.Pipeliner, id survey.RoundID) func() (there, belongs bool) {
		fields := pipe.HMGet(ctx, roundKey(id), roundFields...)
		invited := pipe.HExists(ctx, rosterKey(id), string(person))
		return func() (bool, bool) {
			r, err := decodeRound(id, fields.Val())
			return !errors.Is(err, survey.ErrNoRound), invited.Val() || coordinates(r, person)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the rounds of a person: %w", err)
	}
	return found, nil
}

func coordinates(r survey.Round, person survey.PersonID) bool {
	return slices.Contains(r.Coordinators, person)
}
