package survey

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
)

// Response returns the person's participation and response so far. It returns ErrClosed once the
// round is closed, because a response can no longer be linked to a person.
func (p Participant) Response(
	ctx context.Context, id RoundID,
) (Participation, results.Response, error) {
	part, err := p.takingPart(ctx, id)
	if err != nil {
		return part, results.Response{}, err
	}
	resp, err := p.store.Response(ctx, part)
	if err != nil {
		return part, results.Response{}, err
	}
	return part, resp, nil
}

// Answer saves a rating of an element, given by one operation, and returns the response with it. It
// also returns the response with a *TooSoonError.
func (p Participant) Answer(
	ctx context.Context, id RoundID, op Operation, element string, rating matrix.Rating,
) (Participation, results.Response, error) {
	part, m, err := p.about(ctx, id, element)
	if err != nil {
		return part, results.Response{}, err
	}
	if rating < matrix.NotApplicable || int(rating) > len(m.Levels) {
		return part, results.Response{}, fmt.Errorf("answer %s: %w", element, matrix.ErrNoRating)
	}
	resp, err := p.store.Answer(ctx, part, p.now(), op, element, rating)
	return part, resp, err
}

// Current reports whether the person's entry in the roster and their response are unchanged since
// they were read. For a response without answers it compares the entry alone. In a closed round it
// returns false. part is the person's own participation.
func (p Participant) Current(
	ctx context.Context, part Participation, resp results.Response,
) (bool, error) {
	if err := p.checkOwn(part); err != nil {
		return false, err
	}
	return p.store.Current(ctx, part, resp)
}

// about returns the participation of a person who may answer the element, and the round's matrix.
func (p Participant) about(
	ctx context.Context, id RoundID, element string,
) (Participation, *matrix.Matrix, error) {
	part, err := p.takingPart(ctx, id)
	if err != nil {
		return part, nil, err
	}
	m, err := p.matrix(part.Round)
	if err != nil {
		return part, nil, err
	}
	if _, _, ok := m.Element(element); !ok {
		return part, nil, fmt.Errorf("find element: %w", matrix.ErrNoElement)
	}
	return part, m, nil
}

// Detail saves what the person adds to an element, in place of what they added before.
func (p Participant) Detail(
	ctx context.Context, id RoundID, op Operation, element string, d results.Detail,
) (Participation, results.Response, error) {
	part, m, err := p.about(ctx, id, element)
	if err != nil {
		return part, results.Response{}, err
	}
	for _, k := range d.Information {
		if _, ok := m.InformationType(k); !ok {
			return part, results.Response{}, &InputError{Field: "information", Reason: "unknown"}
		}
	}
	d.Information = slices.Compact(slices.Sorted(slices.Values(d.Information)))
	d.Note = strings.TrimSpace(plaintext.Clean(d.Note))
	d.Barrier = strings.TrimSpace(plaintext.Clean(d.Barrier))
	switch {
	case utf8.RuneCountInString(d.Note) > matrix.MaxNoteRunes:
		err := &InputError{Field: "note", Reason: "long", Limit: matrix.MaxNoteRunes}
		return part, results.Response{}, err
	case utf8.RuneCountInString(d.Barrier) > matrix.MaxBarrierRunes:
		err := &InputError{Field: "barrier", Reason: "long", Limit: matrix.MaxBarrierRunes}
		return part, results.Response{}, err
	}
	resp, err := p.store.Detail(ctx, part, p.now(), op, element, d)
	if err != nil {
		return part, results.Response{}, err
	}
	return part, resp, nil
}

// Submit records that the person has finished. They may still change their answers until the survey
// closes.
func (p Participant) Submit(
	ctx context.Context, id RoundID,
) (Participation, results.Response, error) {
	part, resp, err := p.Response(ctx, id)
	switch {
	case err != nil:
		return part, resp, err
	case resp.Rated() == 0:
		return part, resp, &InputError{Field: "answers", Reason: "empty"}
	}
	part, err = p.member(ctx, part, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.Status = Finished
		return nil
	})
	return part, resp, err
}
