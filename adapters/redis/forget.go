package redis

import (
	"context"
	"errors"
	"strings"

	"maturitybot/survey"
)

// Forget erases everything that is kept about a person in a round, in any state of it, but that they coordinate it; and notes it in
// the ledger and the journal. What they said in a round that has closed stays: nobody can tell which it is. Again, it erases
// what has come since. They can be invited anew.
func (s *Store) Forget(ctx context.Context, id survey.RoundID, person survey.PersonID) (f survey.Forgotten, err error) {
	defer attempt(&err, "forget a person in round %s", id)
	seat, err := s.seat(ctx, id, person)
	if err != nil {
		return f, err
	}
	rest, erased, err := s.forgetIn(ctx, seat)
	if errors.Is(err, survey.ErrClosed) { // since the seat was read
		seat.Pseudonym = ""
		rest, erased, err = s.forgetIn(ctx, seat)
	}
	f.Answers = erased
	if err != nil {
		return f, err
	}
	s.rewriteFile(id)
	f.Invited = rest[2] == int64(1)
	if f.Messages, err = s.unowe(ctx, id, person); err != nil {
		return f, err
	}
	r, err := s.round(ctx, id)
	if err != nil {
		return f, err
	}
	if !coordinates(r, person) {
		if err := s.client.ZRem(ctx, personKey(person), string(id)).Err(); err != nil {
			return f, fault(err)
		}
	}
	return f, s.journalNote(id, rest)
}

// forgetIn runs the script, and the one that erases a response where there may be one; it says whether it did.
func (s *Store) forgetIn(ctx context.Context, seat survey.Participation) (rest []any, erased bool, err error) {
	id := seat.Round.ID
	forget := call{
		forgetScript, []string{roundKey(id), erasedKey(id), rosterKey(id)},
		[]any{string(seat.Member.Person), s.now().UnixMicro(), int64(outlives.Seconds())},
	}
	if seat.Pseudonym == "" {
		rest, err = s.run(ctx, forget.script, forget.keys, append(forget.args, "0")...)
	} else {
		var ofResponse []any
		forget.args = append(forget.args, "1")
		rest, ofResponse, err = s.runBoth(ctx, forget, eraseCall(seat))
		erased = len(ofResponse) == 1 && ofResponse[0] == int64(1)
	}
	if err == nil && len(rest) != 3 {
		err = errors.New("the script did not say what it erased")
	}
	return rest, erased, err
}

// literal writes a text so that a pattern of Redis matches it and nothing else.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// unowe forgets the messages that are owed to a person, and returns how many they were. One that is owed from then on is dropped
// when it is due, since the person is not in the roster.
func (s *Store) unowe(ctx context.Context, id survey.RoundID, person survey.PersonID) (int, error) {
	removed := 0
	for cursor := uint64(0); ; {
		some, next, err := s.client.ZScan(ctx, owedKey(id), cursor, "* "+literal.Replace(string(person)), page).Result()
		if err != nil {
			return removed, fault(err)
		}
		for i := 0; i+1 < len(some); i += 2 { // message, due
			n, err := s.client.ZRem(ctx, owedKey(id), some[i]).Result()
			if err != nil {
				return removed, fault(err)
			}
			removed += int(n)
		}
		if cursor = next; cursor == 0 {
			return removed, nil
		}
	}
}
