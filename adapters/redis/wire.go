package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// roundBody is a round as it is stored in the field "body". What scripts read is in fields of its
// own. It has the fields of survey.Round, so that a conversion does not compile when one is missing
// here.
type roundBody struct {
	ID                survey.RoundID         `json:"-"`
	Version           int                    `json:"-"`
	State             survey.State           `json:"-"`
	Area              string                 `json:"area"`
	Matrix            string                 `json:"matrix"`
	MatrixVersion     int                    `json:"matrixVersion,omitempty"`
	MatrixFingerprint string                 `json:"matrixFingerprint,omitempty"`
	Languages         []matrix.Lang          `json:"languages"`
	TimeZone          string                 `json:"timeZone"`
	ClosesAt          time.Time              `json:"closesAt"`
	Workshop          survey.Workshop        `json:"workshop"`
	Channel           string                 `json:"channel"`
	Coordinators      []survey.PersonID      `json:"coordinators"`
	MinGroup          int                    `json:"minGroup"`
	Consensus         results.Consensus      `json:"consensus"`
	OpenedAt          time.Time              `json:"openedAt,omitzero"`
	ClosedAt          time.Time              `json:"-"`
	RemindedAt        time.Time              `json:"remindedAt,omitzero"`
	Nudged            int                    `json:"nudged,omitempty"`
	Reminders         survey.ReminderPlan    `json:"reminders,omitzero"`
	Posts             survey.ChannelPlan     `json:"posts,omitzero"`
	PlannedAt         time.Time              `json:"plannedAt,omitzero"`
	LastDigest        *survey.DigestProgress `json:"lastDigest,omitempty"`
	SelfJoin          bool                   `json:"joinOpen,omitempty"`
	Notice            string                 `json:"notice,omitempty"`
	Turnout           *results.Turnout       `json:"-"`
	Anonymised        bool                   `json:"-"`
}

// encodeRound returns the body of a round.
func encodeRound(r survey.Round) (string, error) {
	body := roundBody(r)
	body.ClosesAt = body.ClosesAt.UTC()
	body.Workshop.At = body.Workshop.At.UTC()
	body.OpenedAt = body.OpenedAt.UTC()
	body.RemindedAt = body.RemindedAt.UTC()
	body.PlannedAt = body.PlannedAt.UTC()
	if body.LastDigest != nil {
		last := *body.LastDigest
		last.At = last.At.UTC()
		body.LastDigest = &last
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode its body: %w", err)
	}
	return string(raw), nil
}

// roundFields are the fields that decodeRound takes, in its order.
var roundFields = []string{"version", "state", "closed", "body", "turnout", "sealed"}

// decodeRound decodes a round from its roundFields. It returns ErrNoRound when they are missing.
func decodeRound(id survey.RoundID, fields []any) (survey.Round, error) {
	if len(fields) != len(roundFields) {
		return survey.Round{}, fmt.Errorf("decode %d fields", len(fields))
	}
	text := make([]string, len(fields))
	for i, f := range fields {
		text[i], _ = f.(string)
	}
	if text[0] == "" {
		return survey.Round{}, survey.ErrNoRound
	}
	var r survey.Round
	if err := json.Unmarshal([]byte(text[3]), (*roundBody)(&r)); err != nil {
		return survey.Round{}, fmt.Errorf("decode its body: %w", err)
	}
	r.ID, r.State = id, survey.State(text[1])
	var err error
	if r.Version, err = strconv.Atoi(text[0]); err != nil {
		return survey.Round{}, fmt.Errorf("decode its version: %w", err)
	}
	if text[2] != "" {
		if r.ClosedAt, err = time.Parse(time.RFC3339Nano, text[2]); err != nil {
			return survey.Round{}, fmt.Errorf("decode when it was closed: %w", err)
		}
	}
	if text[4] != "" {
		if err := json.Unmarshal([]byte(text[4]), &r.Turnout); err != nil {
			return survey.Round{}, fmt.Errorf("decode its turnout: %w", err)
		}
	}
	r.Anonymised = text[5] == anonymisedByDay
	return r, nil
}

// memberFields is a person's entry in the roster. Its names are short because there may be 100,000.
// It has the fields of survey.Member, as roundBody has those of a round.
type memberFields struct {
	Person           survey.PersonID `json:"-"`
	Status           survey.Status   `json:"s"`
	Language         matrix.Lang     `json:"l,omitempty"`
	Role             string          `json:"r,omitempty"`
	Group            string          `json:"g,omitempty"`
	Notice           string          `json:"n,omitempty"`
	NoticeAt         time.Time       `json:"-"`
	Unreachable      bool            `json:"u,omitempty"`
	TimeZone         string          `json:"z,omitempty"`
	RemindersOff     bool            `json:"q,omitempty"`
	RemindOnDate     string          `json:"a,omitempty"`
	LastRemindedDate string          `json:"d,omitempty"`
	LastNudgedDate   string          `json:"h,omitempty"`
}

// storedMember is an entry as it is stored, with the first letter of the status. Earlier versions
// also stored an organisation, as "o", and a scope, as "c". They are not read, and the next change of
// the entry deletes them.
type storedMember struct {
	memberFields
	NoticeUnix int64 `json:"t,omitempty"` // NoticeAt, in seconds
	// Call is a random word for the call of Invite that added the entry, until the entry is
	// changed.
	Call string `json:"i,omitempty"`
}

// encodeMember returns the entry of a member. Only Invite passes a call; see storedMember.
func encodeMember(m survey.Member, call string) (string, error) {
	e := storedMember{memberFields: memberFields(m), Call: call}
	e.Status = firstLetter(m.Status)
	if !m.NoticeAt.IsZero() {
		e.NoticeUnix = m.NoticeAt.Unix()
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encode entry: %w", err)
	}
	return string(raw), nil
}

// decodeMember decodes a person's entry.
func decodeMember(person survey.PersonID, raw string) (survey.Member, error) {
	var e storedMember
	if err := json.Unmarshal([]byte(raw), &e); err != nil {
		return survey.Member{}, fmt.Errorf("decode entry: %w", err)
	}
	m := survey.Member(e.memberFields)
	m.Person = person
	m.Status = fromLetter(e.Status)
	if e.NoticeUnix != 0 {
		m.NoticeAt = time.Unix(e.NoticeUnix, 0).UTC()
	}
	return m, nil
}

// statuses are the values of a status. Their first letters differ.
var statuses = []survey.Status{
	survey.Invited, survey.Started, survey.Finished, survey.Declined, survey.Withdrawn,
}

// firstLetter returns the first letter of a status, or an empty text.
func firstLetter(s survey.Status) survey.Status { return s[:min(1, len(s))] }

// fromLetter returns the status that begins with a letter.
func fromLetter(letter survey.Status) survey.Status {
	for _, s := range statuses {
		if s[:1] == letter {
			return s
		}
	}
	return ""
}

// The fields of a response, and the prefixes of those that are not ratings.
const (
	groupField        = ".g"
	operationsField   = ".o"
	informationPrefix = ".i:"
	notePrefix        = ".n:"
	barrierPrefix     = ".b:"
)

// errResponse does not name the field, because an error must not hold what a person answered.
var errResponse = errors.New("a response has a field that cannot be read")

// decodeResponse decodes a response into the map, which it clears first.
func decodeResponse(
	fields map[string]string, answers map[string]results.Answer,
) (results.Response, error) {
	clear(answers)
	detailed := false
	for field, value := range fields {
		if strings.HasPrefix(field, ".") {
			detailed = detailed || len(field) > len(notePrefix)
			continue
		}
		rating, err := strconv.Atoi(value)
		if err != nil {
			return results.Response{}, errResponse
		}
		answers[field] = results.Answer{Rating: matrix.Rating(rating)}
	}
	if detailed { // few people add details, so the others' fields are read once only
		if err := decodeDetails(fields, answers); err != nil {
			return results.Response{}, err
		}
	}
	return results.Response{
		Group: fields[groupField], Answers: answers, Version: fields[operationsField],
	}, nil
}

// decodeDetails adds what the fields say beside the ratings.
func decodeDetails(fields map[string]string, answers map[string]results.Answer) error {
	for field, value := range fields {
		if !strings.HasPrefix(field, ".") || len(field) <= len(notePrefix) {
			continue
		}
		element := field[len(notePrefix):]
		a := answers[element]
		switch field[:len(notePrefix)] {
		case informationPrefix:
			if json.Unmarshal([]byte(value), &a.Detail.Information) != nil {
				return errResponse
			}
		case notePrefix:
			a.Detail.Note = value
		case barrierPrefix:
			a.Detail.Barrier = value
		default:
			return errResponse
		}
		answers[element] = a
	}
	return nil
}
