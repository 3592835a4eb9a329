package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Response returns what was said from this seat so far: nothing, when there is no response. Once the round
// is closed it returns ErrClosed, since nobody can tell any more which response it is.
func (s *Store) Response(ctx context.Context, seat survey.Participation) (results.Response, error) {
	if seat.Pseudonym == "" {
		return results.Response{}, fmt.Errorf("read a response of round %s: %w", seat.Round.ID, survey.ErrClosed)
	}
	fields, err := s.client.HGetAll(ctx, responseKey(seat.Round.ID, seat.Pseudonym)).Result()
	if err != nil {
		return results.Response{}, fmt.Errorf("read a response of round %s: %w", seat.Round.ID, fault(err))
	}
	r, err := decodeResponse(fields, map[string]results.Answer{})
	attempt(&err, "read a response of round %s", seat.Round.ID)
	return r, err
}

// Answer keeps a rating (NotAnswered takes it back), and returns the whole response after it, in one round
// trip. The same gesture on the same element again changes nothing; the last four of a person are remembered, and for
// at least ten minutes when the last one on each element was made, so that one that comes late does
// not undo it. An answer to an open element that was made within survey.DoubleTap of the answer to
// another is not kept: the error is a *survey.TooSoonError then, and the response is returned
// beside it.
func (s *Store) Answer(ctx context.Context, seat survey.Participation, now time.Time, g survey.Operation, element string, rating matrix.Rating) (results.Response, error) {
	value := ""
	if rating != matrix.NotAnswered {
		value = strconv.Itoa(int(rating))
	}
	r, err := s.say(ctx, seat, now, answerVerb, g, element, element, value)
	if err != nil {
		return r, fmt.Errorf("keep an answer in round %s: %w", seat.Round.ID, err)
	}
	return r, nil
}

// Detail keeps what was added to an element, replacing what was there, on the same terms as Answer.
func (s *Store) Detail(ctx context.Context, seat survey.Participation, now time.Time, g survey.Operation, element string, d results.Detail) (results.Response, error) {
	information := ""
	if len(d.Information) > 0 {
		raw, err := json.Marshal(d.Information)
		if err != nil {
			return results.Response{}, fmt.Errorf("keep a detail in round %s: %w", seat.Round.ID, errResponse)
		}
		information = string(raw)
	}
	r, err := s.say(ctx, seat, now, detailVerb, g, element,
		informationPrefix+element, information, notePrefix+element, d.Note, barrierPrefix+element, d.Barrier)
	if err != nil {
		return results.Response{}, fmt.Errorf("keep a detail in round %s: %w", seat.Round.ID, err)
	}
	return r, nil
}

// say sets fields of a response. The verb and the element are part of the operation, so that one gesture may set several
// things, each once.
func (s *Store) say(
	ctx context.Context, seat survey.Participation, now time.Time, verb string, g survey.Operation,
	element string, fieldsAndValues ...string,
) (results.Response, error) {
	switch {
	case element == "" || strings.HasPrefix(element, "."): // would be another field of the response
		return results.Response{}, matrix.ErrNoElement
	case seat.Pseudonym == "":
		return results.Response{}, survey.ErrClosed
	}
	keys, args := sayArguments(seat, now, verb, g, element, fieldsAndValues...)
	rest, err := s.run(ctx, sayScript, keys, args...)
	soon := errors.Is(err, errTooSoon)
	if err != nil && !soon {
		return results.Response{}, err
	}
	flat, _ := rest[0].([]any)
	fields := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		field, _ := flat[i].(string)
		fields[field], _ = flat[i+1].(string)
	}
	r, err := decodeResponse(fields, map[string]results.Answer{})
	if err == nil && soon {
		before, _ := rest[1].(string)
		err = &survey.TooSoonError{Before: strings.TrimPrefix(before, verb)}
	}
	return r, err
}

// Verbs of operations on a response, each before the id of an element.
const (
	answerVerb = "answer "
	detailVerb = "detail "
)

// Current says whether a person's entry and their response are still as they were read. Of a
// response without answers only the entry is compared. In a round that has closed since, nothing is
// current, and the response is not asked for: a command that names it, beside one that names the
// person, would lead from one to the other in the log of slow commands.
func (s *Store) Current(
	ctx context.Context, seat survey.Participation, r results.Response,
) (same bool, err error) {
	defer attempt(&err, "compare a response of round %s", seat.Round.ID)
	id := seat.Round.ID
	pipe := s.client.Pipeline()
	open := pipe.Exists(ctx, secretKey(id))
	entry := pipe.HGet(ctx, rosterKey(id), string(seat.Member.Person))
	if err := exec(ctx, pipe); err != nil {
		return false, err
	}
	if open.Val() == 0 || entry.Val() == "" { // closed, or forgotten
		return false, nil
	}
	m, err := decodeMember(seat.Member.Person, entry.Val())
	if err != nil || m != seat.Member || r.Answers == nil {
		return err == nil && m == seat.Member, err
	}
	version, err := s.client.HGet(ctx, responseKey(id, seat.Pseudonym), operationsField).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return false, fault(err)
	}
	return version == r.Version, nil
}

// sayArguments returns what lua/say.lua is called with to set fields of a response.
func sayArguments(seat survey.Participation, now time.Time, verb string, g survey.Operation, element string, fieldsAndValues ...string) (keys []string, args []any) {
	id := seat.Round.ID
	made := int64(0)
	if !g.At.IsZero() {
		made = g.At.UnixMicro()
	}
	tooSoon := time.Duration(0)
	if verb == answerVerb {
		tooSoon = survey.DoubleTap
	}
	args = []any{now.Unix(), verb + element + " " + g.ID, verb + element, made, tooSoon.Microseconds()}
	for _, a := range fieldsAndValues {
		args = append(args, a)
	}
	keys = append([]string{roundKey(id), secretKey(id), responseKey(id, seat.Pseudonym)}, operationTimesKeys(id)...)
	return keys, args
}

// Withdraw erases the response and everything of the member but the fact that they withdrew, and notes it in the ledger and
// the journal. Until the round is closed only; somebody who is not in the roster gets ErrNotTakingPart.
func (s *Store) Withdraw(ctx context.Context, seat survey.Participation) (err error) {
	defer attempt(&err, "withdraw from round %s", seat.Round.ID)
	if seat.Pseudonym == "" {
		return survey.ErrClosed
	}
	id, person := seat.Round.ID, seat.Member.Person
	entry, err := encodeMember(survey.Member{Person: person, Status: survey.Withdrawn}, "")
	if err != nil {
		return err
	}
	noted, _, err := s.runBoth(ctx, call{
		withdrawScript, []string{roundKey(id), rosterKey(id), erasedKey(id)},
		[]any{string(person), entry, s.now().UnixMicro(), int64(outlives.Seconds())},
	}, eraseCall(seat))
	if err != nil {
		return err
	}
	s.rewriteFile(id)
	return s.journalNote(id, noted)
}

// eraseCall erases the response of a seat, when the script before it has said so.
func eraseCall(seat survey.Participation) call {
	id := seat.Round.ID
	keys := []string{roundKey(id), responsesKey(id), responseKey(id, seat.Pseudonym), secretKey(id)}
	return call{eraseScript, append(keys, operationTimesKeys(id)...), []any{seat.Pseudonym}}
}

// Responses calls visit for each response of the round, a few hundred in memory at a time, in the order of
// their pseudonyms, which says nothing about who gave it or when.
func (s *Store) Responses(ctx context.Context, id survey.RoundID, visit func(results.Response) error) error {
	if err := s.exists(ctx, id); err != nil {
		return fmt.Errorf("read the responses of round %s: %w", id, err)
	}
	// The next page is on its way while one is visited: reading and counting take about as long.
	ctx, cancel := context.WithCancel(ctx)
	pages, failed := make(chan []*goredis.MapStringStringCmd), make(chan error, 1)
	go func() {
		defer close(pages)
		failed <- s.pseudonyms(ctx, id, func(some []string) error {
			pipe := s.client.Pipeline()
			all := make([]*goredis.MapStringStringCmd, len(some))
			for i, pseudonym := range some {
				all[i] = pipe.HGetAll(ctx, responseKey(id, pseudonym))
			}
			if err := exec(ctx, pipe); err != nil {
				return err
			}
			select {
			case pages <- all:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer func() { // whatever ends the visits ends the reading, before this returns
		cancel()
		for range pages {
		}
	}()
	answers := map[string]results.Answer{} // one for all: making them anew would take longer than reading them
	for all := range pages {
		for _, fields := range all {
			if len(fields.Val()) == 0 { // withdrawn since the page was read
				continue
			}
			r, err := decodeResponse(fields.Val(), answers)
			if err != nil {
				return fmt.Errorf("read the responses of round %s: %w", id, err)
			}
			if err := visit(r); err != nil {
				return err
			}
		}
	}
	err := <-failed
	attempt(&err, "read the responses of round %s", id)
	return err
}

// pseudonyms calls visit with pages of the pseudonyms of a round, in their order.
func (s *Store) pseudonyms(ctx context.Context, id survey.RoundID, visit func([]string) error) error {
	for after := "-"; ; {
		some, err := s.client.ZRangeByLex(ctx, responsesKey(id), &goredis.ZRangeBy{Min: after, Max: "+", Count: page}).Result()
		if err != nil {
			return fault(err)
		}
		if len(some) == 0 {
			return nil
		}
		if err := visit(some); err != nil {
			return err
		}
		after = "(" + some[len(some)-1]
	}
}
