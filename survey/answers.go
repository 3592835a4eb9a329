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

// Response returns a person's place and what they said so far. Once the round is closed there is no telling what they said.
func (p Participant) Response(ctx context.Context, id RoundID) (Participation, results.Response, error) {
	seat, err := p.taking(ctx, id)
	if err != nil {
		return seat, results.Response{}, err
	}
	resp, err := p.store.Response(ctx, seat)
	if err != nil {
		return seat, results.Response{}, err
	}
	return seat, resp, nil
}

// Answer keeps a rating of an element, given by one gesture. It returns the response as it stands
// after it. An answer that is refused with a *TooSoonError comes with the response as well.
func (p Participant) Answer(ctx context.Context, id RoundID, g Operation, element string, rating matrix.Rating) (Participation, results.Response, error) {
	seat, m, err := p.about(ctx, id, element)
	if err != nil {
		return seat, results.Response{}, err
	}
	if rating < matrix.NotApplicable || int(rating) > len(m.Levels) {
		return seat, results.Response{}, fmt.Errorf("answer %s: %w", element, matrix.ErrNoRating)
	}
	resp, err := p.store.Answer(ctx, seat, p.now(), g, element, rating)
	return seat, resp, err
}

// Current says whether a person's entry, and their response, are still as they were read. Of a
// response that was not read, which has no answers, only the entry is compared. Nothing is current
// in a round that has closed.
func (p Participant) Current(ctx context.Context, seat Participation, resp results.Response) (bool, error) {
	return p.store.Current(ctx, seat, resp)
}

// about returns the seat of somebody who may answer the element, and the matrix that has it.
func (p Participant) about(ctx context.Context, id RoundID, element string) (Participation, *matrix.Matrix, error) {
	seat, err := p.taking(ctx, id)
	if err != nil {
		return seat, nil, err
	}
	m, err := p.matrix(seat.Round)
	if err != nil {
		return seat, nil, err
	}
	if _, _, ok := m.Element(element); !ok {
		return seat, nil, fmt.Errorf("find element: %w", matrix.ErrNoElement)
	}
	return seat, m, nil
}

// Detail keeps what a person adds to an element, in place of what they added before.
func (p Participant) Detail(ctx context.Context, id RoundID, g Operation, element string, d results.Detail) (Participation, results.Response, error) {
	seat, m, err := p.about(ctx, id, element)
	if err != nil {
		return seat, results.Response{}, err
	}
	for _, k := range d.Information {
		if _, ok := m.InformationType(k); !ok {
			return seat, results.Response{}, &InputError{Field: "information", Reason: "unknown"}
		}
	}
	d.Information = slices.Compact(slices.Sorted(slices.Values(d.Information)))
	d.Note, d.Barrier = strings.TrimSpace(plaintext.Clean(d.Note)), strings.TrimSpace(plaintext.Clean(d.Barrier))
	switch {
	case utf8.RuneCountInString(d.Note) > matrix.MaxNoteRunes:
		return seat, results.Response{}, &InputError{Field: "note", Reason: "long", Limit: matrix.MaxNoteRunes}
	case utf8.RuneCountInString(d.Barrier) > matrix.MaxBarrierRunes:
		return seat, results.Response{}, &InputError{Field: "barrier", Reason: "long", Limit: matrix.MaxBarrierRunes}
	}
	resp, err := p.store.Detail(ctx, seat, p.now(), g, element, d)
	if err != nil {
		return seat, results.Response{}, err
	}
	return seat, resp, nil
}

// Submit records that a person has finished. They may still change their answers until the survey closes.
func (p Participant) Submit(ctx context.Context, id RoundID) (Participation, results.Response, error) {
	seat, resp, err := p.Response(ctx, id)
	switch {
	case err != nil:
		return seat, resp, err
	case resp.Rated() == 0:
		return seat, resp, &InputError{Field: "answers", Reason: "empty"}
	}
	seat, err = p.member(ctx, seat, func(m *Member) error {
		if !m.TakesPart() {
			return ErrNotTakingPart
		}
		m.Status = Finished
		return nil
	})
	return seat, resp, err
}
