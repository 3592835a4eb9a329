package redis

import (
	"context"
	"crypto/sha1" // the hash that Redis scripts have; see keys.go
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// A person and their vote or objection are never arguments of the same command: Redis keeps the
// arguments of slow commands in a log. The store therefore reads the secret, computes the pseudonym,
// and runs a script with the pseudonym alone. The script checks that the secret is still that one.

// maxLevel is the highest level that a vote may be for. No matrix has as many.
const maxLevel = 100

// ballot is the part of the key of the same name that votes and objections need.
type ballot struct {
	number     string
	secret     []byte
	objections []byte // the secret of objections; empty when no workshop goes on
	counted    string // see vote.lua
}

// readBallot returns the ballot of a round. The caller clears it.
func (s *Store) readBallot(ctx context.Context, id survey.RoundID) (*ballot, error) {
	pipe := s.client.Pipeline()
	var fields []*goredis.StringCmd
	for _, f := range []string{"number", "secret", "objections", "counted"} {
		fields = append(fields, pipe.HGet(ctx, ballotKey(id), f))
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	b := &ballot{number: fields[0].Val(), counted: fields[3].Val()}
	// These are the bytes that the client read; they are cleared after use.
	b.secret, _ = fields[1].Bytes()
	b.objections, _ = fields[2].Bytes()
	return b, nil
}

// clear removes the secrets from memory.
func (b *ballot) clear() {
	clear(b.secret)
	clear(b.objections)
}

// hashOf returns the hash by which scripts compare a secret with the one that they read.
func hashOf(secret []byte) string {
	sum := sha1.Sum(secret)
	return hex.EncodeToString(sum[:])
}

// Attend keeps the person's role and language for as long as the workshop goes on. It returns
// workshop.ErrStage when the workshop has ended, and ErrNoAssessment when none was started.
func (s *Store) Attend(
	ctx context.Context, id survey.RoundID, person survey.PersonID, as workshop.Attendee,
) (err error) {
	defer attempt(&err, "keep who is in the workshop of round %s", id)
	keys := []string{roundKey(id), assessmentKey(id), attendanceKey(id)}
	_, err = s.run(ctx, attendScript, keys, string(person), as.Role+" "+string(as.Language))
	return err
}

// Attendee returns what a person gave to Attend, or the zero value.
func (s *Store) Attendee(
	ctx context.Context, id survey.RoundID, person survey.PersonID,
) (_ workshop.Attendee, err error) {
	defer attempt(&err, "read who is in the workshop of round %s", id)
	text, err := s.client.HGet(ctx, attendanceKey(id), string(person)).Result()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return workshop.Attendee{}, translate(err)
	}
	role, language := cutLast(text)
	return workshop.Attendee{Role: role, Language: matrix.Lang(language)}, nil
}

// Vote keeps the person's rating in a ballot, in place of an earlier one. A vote that was made
// before the one that is kept, by the platform's clock, changes nothing. Vote returns
// workshop.ErrNoBallot unless that ballot is open, and matrix.ErrNoRating for a rating that is
// neither a level nor matrix.DontKnow. The same operation again changes nothing, and returns no
// error when the ballot was shown with this vote meanwhile.
func (s *Store) Vote(
	ctx context.Context, id survey.RoundID, number int, person survey.PersonID,
	op survey.Operation, rating matrix.Rating,
) (err error) {
	defer attempt(&err, "keep a vote in ballot %d of round %s", number, id)
	if rating != matrix.DontKnow && (rating < 1 || rating > maxLevel) {
		return matrix.ErrNoRating
	}
	b, err := s.readBallot(ctx, id)
	if err != nil {
		return err
	}
	defer b.clear()
	// The token shows of an operation only that its vote was counted.
	token := survey.Pseudonym(b.objections, survey.PersonID(op.ID))
	if b.number != strconv.Itoa(number) {
		if strings.Contains(b.counted, token) {
			return nil
		}
		return workshop.ErrNoBallot
	}
	made := int64(0)
	if !op.At.IsZero() {
		made = op.At.UnixMicro()
	}
	keys := []string{roundKey(id), ballotKey(id), votesKey(id)}
	_, err = s.runBatched(ctx, voteScript, keys, number, hashOf(b.secret),
		survey.Pseudonym(b.secret, person), int(rating), made, token)
	return err
}

// WorkshopProgress returns how many people rate in the workshop, and how many have voted in its open
// ballot.
func (s *Store) WorkshopProgress(
	ctx context.Context, id survey.RoundID,
) (_ survey.WorkshopProgress, err error) {
	defer attempt(&err, "count who is in the workshop of round %s", id)
	pipe := s.client.Pipeline()
	present := pipe.HLen(ctx, attendanceKey(id))
	voted := pipe.HLen(ctx, votesKey(id))
	if err := exec(ctx, pipe); err != nil {
		return survey.WorkshopProgress{}, err
	}
	return survey.WorkshopProgress{Present: int(present.Val()), Voted: int(voted.Val())}, nil
}

// Object keeps, or takes back, that the person objects to the rating of an element. It returns
// workshop.ErrStage when the workshop has ended, and ErrNoAssessment when none was started.
func (s *Store) Object(
	ctx context.Context, id survey.RoundID, element string, person survey.PersonID, objects bool,
) (err error) {
	defer attempt(&err, "keep an objection in round %s", id)
	b, err := s.readBallot(ctx, id)
	if err != nil {
		return err
	}
	defer b.clear()
	keep := "0"
	if objects {
		keep = "1"
	}
	keys := []string{roundKey(id), assessmentKey(id), ballotKey(id), objectionsKey(id)}
	field := element + " " + survey.Pseudonym(b.objections, person)
	_, err = s.run(ctx, objectScript, keys, hashOf(b.objections), field, keep)
	return err
}

// Objections returns how many people object, by element.
func (s *Store) Objections(
	ctx context.Context, id survey.RoundID,
) (_ map[string]int, err error) {
	defer attempt(&err, "count the objections in round %s", id)
	fields, err := s.client.HGetAll(ctx, objectionsKey(id)).Result()
	if err != nil {
		return nil, translate(err)
	}
	count := map[string]int{}
	for field := range fields {
		element, _ := cutLast(field)
		count[element]++
	}
	return count, nil
}

// cutLast cuts a text at its last space.
func cutLast(text string) (before, after string) {
	i := strings.LastIndexByte(text, ' ')
	if i < 0 {
		return text, ""
	}
	return text[:i], text[i+1:]
}

// forgetInWorkshop erases the role of a person in the workshop that goes on, their vote in the open
// ballot and their objections. It reports whether there was anything to erase.
func (s *Store) forgetInWorkshop(
	ctx context.Context, id survey.RoundID, person survey.PersonID,
) (found bool, err error) {
	b, err := s.readBallot(ctx, id)
	if err != nil {
		return false, err
	}
	defer b.clear()
	objections, err := s.client.HGetAll(ctx, objectionsKey(id)).Result()
	if err != nil {
		return false, translate(err)
	}
	pipe := s.client.Pipeline()
	erased := []*goredis.IntCmd{pipe.HDel(ctx, attendanceKey(id), string(person))}
	if len(b.secret) > 0 {
		vote := survey.Pseudonym(b.secret, person)
		erased = append(erased, pipe.HDel(ctx, votesKey(id), vote))
	}
	own := survey.Pseudonym(b.objections, person)
	for field := range objections {
		if _, pseudonym := cutLast(field); pseudonym == own {
			erased = append(erased, pipe.HDel(ctx, objectionsKey(id), field))
		}
	}
	if err := exec(ctx, pipe); err != nil {
		return false, err
	}
	for _, n := range erased {
		found = found || n.Val() > 0
	}
	return found, nil
}
