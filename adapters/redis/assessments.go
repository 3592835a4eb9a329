package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"maturitybot/survey"
	"maturitybot/survey/audit"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
	"maturitybot/survey/workshop"
)

// errNoExpiry refuses an assessment that Redis would delete at once.
var errNoExpiry = errors.New("the assessment has no time of expiry")

// Assessment returns the assessment of a round, or ErrNoAssessment. The round may have expired.
func (s *Store) Assessment(
	ctx context.Context, id survey.RoundID,
) (_ workshop.Assessment, err error) {
	defer attempt(&err, "read the assessment of round %s", id)
	return s.assessment(ctx, id)
}

func (s *Store) assessment(ctx context.Context, id survey.RoundID) (workshop.Assessment, error) {
	fields, err := s.client.HMGet(ctx, assessmentKey(id), assessmentFields...).Result()
	if err != nil {
		return workshop.Assessment{}, translate(err)
	}
	return decodeAssessment(id, fields)
}

// SaveAssessment replaces the assessment and adds one to its version, if a.Version is the version
// kept, which is 0 before there is one; otherwise it returns ErrChanged. In the same step it deletes
// the votes and the secret of a ballot that is not open any more, and makes a secret for one that is
// new. It neither finishes a workshop nor reopens a finished one: it returns workshop.ErrStage. It
// returns ErrNoRound when the round is gone.
func (s *Store) SaveAssessment(
	ctx context.Context, a workshop.Assessment, e audit.Entry,
) (err error) {
	id := survey.RoundID(a.Round)
	defer attempt(&err, "save the assessment of round %s", id)
	if a.ExpiresAt.IsZero() {
		return errNoExpiry
	}
	body, err := encodeAssessment(a)
	if err != nil {
		return err
	}
	if err := s.indexAssessment(ctx, a); err != nil {
		return err
	}
	open := ""
	if a.Open != nil {
		open = strconv.Itoa(a.Open.Number)
	}
	secrets := make([]byte, 2*survey.SecretBytes)
	rand.Read(secrets) // never returns an error
	defer clear(secrets)
	save := func(entry string, number, _ int) ([]any, error) {
		keys := []string{roundKey(id), assessmentKey(id), ballotKey(id), votesKey(id), auditKey(id)}
		return s.run(ctx, saveAssessmentScript, keys, a.Version, a.Version+1, string(a.Stage), body,
			a.ExpiresAt.Unix(), open, secrets[:survey.SecretBytes], secrets[survey.SecretBytes:],
			entry, number)
	}
	rest, err := s.withEntry(ctx, id, fixedEntry(e), 0, save)
	if err != nil {
		return err
	}
	if len(rest) == 1 && rest[0] == int64(1) {
		s.requestRewrite(id)
	}
	return nil
}

// Assessments returns the rounds with an assessment of the area, latest first by when the workshop
// was started.
func (s *Store) Assessments(ctx context.Context, area string) ([]survey.RoundID, error) {
	ask := func(pipe goredis.Pipeliner, id survey.RoundID) func() (exists, belongs bool) {
		fields := pipe.HMGet(ctx, assessmentKey(id), assessmentFields...)
		return func() (bool, bool) {
			a, err := decodeAssessment(id, fields.Val())
			exists := !errors.Is(err, survey.ErrNoAssessment)
			return exists, err == nil && plaintext.Same(a.Area, area)
		}
	}
	found, err := s.readIndex(ctx, areaKey(area), ask)
	if err != nil {
		return nil, fmt.Errorf("read the assessments of an area: %w", err)
	}
	return found, nil
}

// indexAssessment adds an assessment to the indexes of its area and of all assessments.
func (s *Store) indexAssessment(ctx context.Context, a workshop.Assessment) error {
	pipe := s.client.Pipeline()
	started := float64(a.StartedAt.UnixMicro())
	for _, key := range []string{assessmentsKey, areaKey(a.Area)} {
		pipe.ZAddNX(ctx, key, goredis.Z{Score: started, Member: a.Round})
		extendTTL(ctx, pipe, key, a.ExpiresAt)
	}
	return exec(ctx, pipe)
}

// ShowBallot counts the votes of the open ballot, and deletes them and the ballot's secret, in one
// step. Then it requests a rewrite of the append-only file, which still holds both. It returns the
// assessment with the ballot shown. It returns workshop.ErrTooFew, and changes nothing, if fewer
// than a.MinGroup people chose a level, and workshop.ErrNoBallot unless the ballot is open. The same
// operation again returns the same, until another ballot is shown.
func (s *Store) ShowBallot(
	ctx context.Context, a workshop.Assessment, ballot int, op survey.Operation, e audit.Entry,
) (_ workshop.Assessment, err error) {
	id := survey.RoundID(a.Round)
	defer attempt(&err, "show ballot %d of round %s", ballot, id)
	show := func(entry string, number, _ int) ([]any, error) {
		keys := []string{roundKey(id), assessmentKey(id), ballotKey(id), votesKey(id), auditKey(id)}
		return s.run(ctx, showBallotScript, keys, ballot, op.ID, a.MinGroup, entry, number)
	}
	fields, err := s.withEntry(ctx, id, fixedEntry(e), 0, show)
	if err != nil {
		return workshop.Assessment{}, err
	}
	s.requestRewrite(id)
	return decodeAssessment(id, fields)
}

// EndWorkshop finishes the assessment with the attendance and the objections as counts, and deletes
// who was there, who objected and a ballot that is open, in one step. Then it requests a rewrite of
// the append-only file. It returns the finished assessment, which expires at a.ExpiresAt, ErrChanged
// unless a.Version is the version kept, and workshop.ErrStage unless the workshop goes on. Ending it
// again as of the same second returns the same.
func (s *Store) EndWorkshop(
	ctx context.Context, a workshop.Assessment, now time.Time, e audit.Entry,
) (_ workshop.Assessment, err error) {
	id := survey.RoundID(a.Round)
	defer attempt(&err, "end the workshop of round %s", id)
	if a.ExpiresAt.IsZero() {
		return workshop.Assessment{}, errNoExpiry
	}
	if err := s.indexAssessment(ctx, a); err != nil { // it may expire later than before
		return workshop.Assessment{}, err
	}
	at := now.UTC().Truncate(time.Second).Format(time.RFC3339)
	end := func(entry string, number, _ int) ([]any, error) {
		keys := append([]string{roundKey(id), assessmentKey(id)}, workshopKeys(id)...)
		keys = append(keys, auditKey(id))
		return s.run(ctx, endWorkshopScript, keys, a.Version, a.Version+1, at,
			a.ExpiresAt.Unix(), a.MinGroup, entry, number)
	}
	fields, err := s.withEntry(ctx, id, fixedEntry(e), 0, end)
	if err != nil {
		return workshop.Assessment{}, err
	}
	s.requestRewrite(id)
	return decodeAssessment(id, fields)
}

// assessmentBody is an assessment as it is stored in the field "body". It has the fields of
// workshop.Assessment, so that a conversion does not compile when one is missing here.
type assessmentBody struct {
	Round         string                       `json:"-"`
	Version       int                          `json:"-"`
	Stage         workshop.Stage               `json:"-"`
	Area          string                       `json:"area"`
	Matrix        string                       `json:"matrix"`
	MatrixVersion int                          `json:"matrixVersion"`
	Levels        int                          `json:"levels"`
	MinGroup      int                          `json:"minGroup"`
	Consensus     results.Consensus            `json:"consensus"`
	Surveyed      int                          `json:"surveyed,omitzero"`
	Survey        map[string][]int             `json:"survey,omitzero"`
	Agenda        []string                     `json:"agenda,omitzero"`
	Postponed     []string                     `json:"postponed,omitzero"`
	Discuss       []string                     `json:"discuss,omitzero"`
	Open          *workshop.OpenBallot         `json:"open,omitzero"`
	Ballots       []workshop.Ballot            `json:"ballots,omitzero"`
	Confirmed     int                          `json:"confirmed,omitzero"`
	LastBallot    int                          `json:"lastBallot,omitzero"`
	Ratings       map[string]workshop.Rating   `json:"ratings,omitzero"`
	Replaced      map[string][]workshop.Rating `json:"replaced,omitzero"`
	Previous      map[string]workshop.Rating   `json:"previous,omitzero"`
	PreviousAt    time.Time                    `json:"previousAt,omitzero"`
	ExpiresAt     time.Time                    `json:"expiresAt"`
	StartedAt     time.Time                    `json:"startedAt,omitzero"`
	PausedAt      time.Time                    `json:"pausedAt,omitzero"`
	FinishedAt    time.Time                    `json:"finishedAt,omitzero"`
	Attendance    map[string]int               `json:"attendance,omitzero"`
	Objections    map[string]int               `json:"objections,omitzero"`
}

// encodeAssessment returns the body of an assessment.
func encodeAssessment(a workshop.Assessment) (string, error) {
	body := assessmentBody(a)
	body.PreviousAt = body.PreviousAt.UTC()
	body.ExpiresAt = body.ExpiresAt.UTC()
	body.StartedAt = body.StartedAt.UTC()
	body.PausedAt = body.PausedAt.UTC()
	body.FinishedAt = body.FinishedAt.UTC()
	raw, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode its body: %w", err)
	}
	return string(raw), nil
}

// assessmentFields are the fields that decodeAssessment takes, in its order.
var assessmentFields = []string{"version", "stage", "body", "shown", "ended"}

// shownBallot is the field "shown", which show_ballot.lua writes: a ballot that is still open in the
// body.
type shownBallot struct {
	Ballot   int   `json:"ballot"`
	Counts   []int `json:"counts"`
	DontKnow int   `json:"dontKnow"`
}

// endedWorkshop is the field "ended", which end_workshop.lua writes: the body is still that of a
// workshop that goes on.
type endedWorkshop struct {
	At         time.Time      `json:"at"`
	ExpiresAt  int64          `json:"expiresAt"` // unix seconds
	Attendance map[string]int `json:"attendance"`
	Objections map[string]int `json:"objections"`
}

// decodeAssessment decodes an assessment from its assessmentFields, and applies to the body what was
// done since it was written. It returns ErrNoAssessment when the fields are missing.
func decodeAssessment(id survey.RoundID, fields []any) (workshop.Assessment, error) {
	if len(fields) != len(assessmentFields) {
		return workshop.Assessment{}, fmt.Errorf("decode %d fields", len(fields))
	}
	text := make([]string, len(fields))
	for i, f := range fields {
		text[i], _ = f.(string)
	}
	if text[0] == "" {
		return workshop.Assessment{}, survey.ErrNoAssessment
	}
	var body assessmentBody
	if err := json.Unmarshal([]byte(text[2]), &body); err != nil {
		return workshop.Assessment{}, fmt.Errorf("decode its body: %w", err)
	}
	a := workshop.Assessment(body)
	a.Round, a.Stage = string(id), workshop.Stage(text[1])
	var err error
	if a.Version, err = strconv.Atoi(text[0]); err != nil {
		return workshop.Assessment{}, fmt.Errorf("decode its version: %w", err)
	}
	if text[3] != "" {
		var shown shownBallot
		if err := json.Unmarshal([]byte(text[3]), &shown); err != nil {
			return workshop.Assessment{}, fmt.Errorf("decode the ballot that was shown: %w", err)
		}
		if err := a.Shown(shown.Ballot, shown.Counts, shown.DontKnow); err != nil {
			return workshop.Assessment{}, fmt.Errorf("apply the ballot that was shown: %w", err)
		}
	}
	if text[4] != "" {
		var ended endedWorkshop
		if err := json.Unmarshal([]byte(text[4]), &ended); err != nil {
			return workshop.Assessment{}, fmt.Errorf("decode the end of the workshop: %w", err)
		}
		a.ExpiresAt = time.Unix(ended.ExpiresAt, 0).UTC()
		a.Stage = workshop.Meeting // as in the body: Finish moves it on
		if err := a.Finish(ended.Attendance, ended.Objections, ended.At); err != nil {
			return workshop.Assessment{}, fmt.Errorf("apply the end of the workshop: %w", err)
		}
	}
	return a, nil
}
