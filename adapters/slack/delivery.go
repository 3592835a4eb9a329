package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// maxSubmitted is how many submissions are remembered.
const maxSubmitted = 64

// delivery is one event under way.
type delivery struct {
	inbound
	raw         []byte        // of a submission, to give back what was typed
	open        sync.Once     // the form: a trigger opens one
	openFailed  bool          // Slack did not open the form
	refusalSent bool          // the acknowledgement carried the field errors
	ack         chan struct{} // closed once the acknowledgement is out
	ticket      *dispatch.Ticket
	// original is the earlier delivery of the same submission, if there was one.
	original *delivery
}

// enqueue queues an event to be handled. Its replies wait until acknowledged is called.
func (s *Slack) enqueue(in inbound, raw []byte) (*delivery, error) {
	d := &delivery{inbound: in, ack: make(chan struct{})}
	if in.event.Kind == chat.Submit {
		d.raw = raw
	}
	card := ""
	switch {
	case in.event.Kind == chat.Home:
		card = "home"
		s.homes.markSeen(in.event)
	case in.origin.Card != "" && !in.shared():
		card = in.origin.Channel + "/" + in.origin.Card
	}
	s.mu.Lock() // so that a submission that comes twice finds the first
	defer s.mu.Unlock()
	if original := s.findResubmission(d); original != nil {
		d.event.ID = original.event.ID
	}
	ticket, err := s.dispatch.Submit(d.event, card, func(ctx context.Context, replies []chat.Reply) {
		s.carryOut(ctx, d, replies)
	})
	if err != nil {
		return nil, fmt.Errorf("take an event: %w", err)
	}
	d.ticket = ticket
	switch {
	case in.event.Kind != chat.Submit:
	case !ticket.Duplicate:
		s.submitted = append(s.submitted[max(0, len(s.submitted)-maxSubmitted+1):], d)
	default:
		for _, earlier := range s.submitted {
			if earlier.event.ID == d.event.ID {
				d.original = earlier
			}
		}
	}
	return d, nil
}

// findResubmission returns the earlier submission of the same form with the same values, or nil.
// Slack gives a new trigger to a form that a user sends again because the first acknowledgement
// came too late. A form that was refused may be sent again. The caller holds s.mu.
func (s *Slack) findResubmission(d *delivery) *delivery {
	if d.event.Kind != chat.Submit {
		return nil
	}
	for _, earlier := range slices.Backward(s.submitted) {
		same := earlier.view == d.view && earlier.event.Who == d.event.Who
		if same && !earlier.refused() &&
			maps.EqualFunc(earlier.event.Values, d.event.Values, slices.Equal) {
			return earlier
		}
	}
	return nil
}

// refused returns true if the bot has refused the submission.
func (d *delivery) refused() bool {
	select {
	case <-d.ticket.Handled:
	default:
		return false
	}
	return slices.ContainsFunc(d.ticket.Replies, func(r chat.Reply) bool {
		_, refuses := r.(chat.FieldErrors)
		return refuses
	})
}

// awaitHandled waits until an event has been handled, but no longer than its acknowledgement may
// wait. It returns the errors of a form that the acknowledgement carries, by field.
func (s *Slack) awaitHandled(ctx context.Context, d *delivery) map[string]string {
	timer := time.NewTimer(dispatch.AckTimeout)
	defer timer.Stop()
	select {
	case <-d.ticket.Handled:
	case <-timer.C:
		s.log.Warn("acknowledged before it was handled")
		return nil
	case <-ctx.Done(): // nobody receives the acknowledgement
		return nil
	}
	ticket := d.ticket
	if ticket.Duplicate {
		if d.original == nil {
			return nil
		}
		ticket = d.original.ticket
	}
	for _, r := range ticket.Replies {
		switch r := r.(type) {
		case chat.OpenForm:
			if !d.ticket.Duplicate {
				// The trigger is good for three seconds, so that the form waits neither for the
				// acknowledgement nor for earlier replies. carryOut waits for it.
				go s.open(context.WithoutCancel(ctx), d, r.Form)
			}
		case chat.FieldErrors:
			if faults := d.faults(r); len(faults) > 0 {
				d.refusalSent = true
				return faults
			}
		case chat.Direct, chat.Post, chat.Redraw, chat.Update, chat.Whisper: // nothing to do
		}
	}
	return nil
}

// acknowledged notes that the acknowledgement of a delivery is out, or has failed, and lets the
// replies go out.
func (s *Slack) acknowledged(d *delivery, arrived time.Time) {
	s.options.Observer.Acknowledged(time.Since(arrived))
	close(d.ack)
}

// submission is the part of a view_submission that a refusal needs.
type submission struct {
	View struct {
		Blocks []struct {
			Type    string `json:"type"`
			BlockID string `json:"block_id"`
		} `json:"blocks"`
		State struct {
			Values map[string]map[string]struct {
				Value string `json:"value"` // of text inputs alone
			} `json:"values"`
		} `json:"state"`
	} `json:"view"`
}

// submission reads the payload, which was decoded before. What is missing stays empty.
func (d *delivery) submission() submission {
	var s submission
	_ = json.Unmarshal(d.raw, &s)
	return s
}

// faults returns field errors as Slack takes them: for inputs only, else Slack shows an error of
// its own. An error of anything else is shown at the first input.
func (d *delivery) faults(r chat.FieldErrors) map[string]string {
	var inputs []string
	for _, b := range d.submission().View.Blocks {
		if b.Type == "input" {
			inputs = append(inputs, b.BlockID)
		}
	}
	if len(inputs) == 0 {
		return nil
	}
	faults := map[string]string{}
	for _, field := range slices.Sorted(maps.Keys(r.Fields)) {
		input := field
		if !slices.Contains(inputs, field) {
			input = inputs[0]
		}
		faults[input] = strings.TrimSpace(faults[input] + " " + r.Fields[field])
	}
	return faults
}

// typed returns the texts that were typed into the form, in its order.
func (d *delivery) typed() []string {
	var texts []string
	s := d.submission()
	for _, b := range s.View.Blocks {
		for _, v := range s.View.State.Values[b.BlockID] {
			texts = append(texts, v.Value)
		}
	}
	return texts
}
