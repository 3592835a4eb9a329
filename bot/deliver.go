package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// Deliver sends one queued message, unless it is no longer wanted. It returns nil when nothing is
// left to do: the message was sent, may have been sent, is not wanted, or cannot be delivered,
// which is noted. It returns a *survey.NotYetError for a message that is to be sent later. After
// any other error the message was not sent and can be tried again.
func (b *Bot) Deliver(ctx context.Context, d survey.Delivery) error {
	delivered := Delivered{Kind: d.Kind.Base(), Late: -1}
	outcome, err := b.messenger().deliver(ctx, d, &delivered)
	var later *survey.NotYetError
	switch {
	case errors.As(err, &later):
		outcome = Later
	case err != nil:
		outcome = Failed
	}
	if b.Delivered != nil {
		delivered.Outcome = outcome
		b.Delivered(delivered)
	}
	return err
}

// Delivered is the outcome of a queued message.
type Delivered struct {
	Kind    survey.MessageKind // without its date
	Outcome Outcome
	// Late is the time since the message was first due. It is negative where that is not known, as
	// for messages that are due as soon as a user asks for them.
	Late time.Duration
}

// setLateness records how late the message is.
func (h messenger) setLateness(
	result *Delivered, d survey.Delivery, part survey.Participation,
) {
	if h.Delivered == nil {
		return // computing it takes some work
	}
	now := h.Now()
	if due, known := h.Schedule.FirstDue(part.Round, part.Member, d.Kind, now); known {
		result.Late = max(0, now.Sub(due))
	}
}

// Outcome is the result of an event or of a queued message.
type Outcome string

// EventOutcomes and MessageOutcomes are all outcomes of an event, and of a message.
var (
	EventOutcomes   = []Outcome{OK, Refused, Unavailable, Failed}
	MessageOutcomes = []Outcome{
		Sent,
		Unsure,
		Unreachable,
		NoConsent,
		Dropped,
		Closed,
		Done,
		Later,
		Failed,
	}
)

// The outcomes of an event; it may also be Failed.
const (
	OK          Outcome = "ok"
	Refused     Outcome = "refused"     // the user was told why not
	Unavailable Outcome = "unavailable" // the store was away
)

// The outcomes of a message. After Later and Failed the message is still queued.
const (
	Sent        Outcome = "sent"
	Unsure      Outcome = "unsure"      // the platform's answer was lost
	Unreachable Outcome = "unreachable" // the platform does not deliver
	NoConsent   Outcome = "not_agreed"  // the person takes no direct messages
	Dropped     Outcome = "dropped"     // too late, or not wanted any more
	Closed      Outcome = "closed"      // it was no message, but closed a survey
	Done        Outcome = "done"        // it was no message, but another task
	Later       Outcome = "later"       // not at this hour
	Failed      Outcome = "failed"
)

// deliver sends a message or a post, or does a task.
func (h messenger) deliver(
	ctx context.Context, d survey.Delivery, result *Delivered,
) (Outcome, error) {
	if d.Person != "" {
		return h.deliverMessage(ctx, d, result)
	}
	if task := deliveries[d.Kind.Base()].task; task != nil {
		h.setLateness(result, d, survey.Participation{})
		return task(h, ctx, d)
	}
	return h.deliverPost(ctx, d, result)
}

// deliverMessage sends a message to a person.
func (h messenger) deliverMessage(
	ctx context.Context, d survey.Delivery, result *Delivered,
) (Outcome, error) {
	part, wanted, err := h.rounds.StillWanted(ctx, d)
	if err != nil || !wanted {
		return Dropped, err
	}
	h.setLateness(result, d, part)
	to, err := chat.ParsePerson(string(d.Person))
	if err != nil {
		return "", fmt.Errorf("deliver a message: %w", err)
	}
	log := h.Log.With("message", d.Kind, "round", d.Round, "person", h.personHash(to))
	if outcome, err := h.checkWindow(part, d, h.Now()); outcome != "" {
		if outcome == Dropped {
			log.Info("message dropped: too late or no longer planned")
		}
		return outcome, err
	}
	draw := deliveries[d.Kind.Base()].card
	if draw == nil {
		log.Error("message dropped: unknown kind")
		return Dropped, nil
	}
	card, err := draw(h, ctx, part)
	if err != nil {
		return "", err
	}
	if err := card.Check(); err != nil {
		return "", fmt.Errorf("deliver a message: %w", err)
	}
	return h.saveSent(ctx, log, d, part, h.Sender.Send(ctx, messageID(d), to, card))
}

// saveSent saves the outcome of a message to a person. sent is the error of the chat.Sender, or
// nil.
func (h messenger) saveSent(
	ctx context.Context, log *slog.Logger, d survey.Delivery, part survey.Participation, sent error,
) (Outcome, error) {
	save, cancel := saveContext(ctx)
	defer cancel()
	if errors.Is(sent, chat.ErrNoConsent) {
		log.Info("person does not accept direct messages")
		if !d.Kind.Type().CallInChannel {
			return NoConsent, nil
		}
		call := survey.OpenCall.On(date(h.Now().In(part.Round.Location())))
		return NoConsent, h.rounds.Plan(save, d.Round, call)
	}
	outcome, err := sendOutcome(sent)
	switch outcome {
	case Sent:
		log.Info("message sent")
	case Unreachable:
		log.Warn("person cannot be reached", "error", sent)
		return Unreachable, h.rounds.SetUnreachable(save, d.Round, d.Person, true)
	case Unsure:
		// The coordinator sees who has not started and can remind them.
		log.Error("message may not have been sent", "error", sent)
	default:
		return "", fmt.Errorf("deliver a message: %w", err)
	}
	if !d.Kind.Type().Reminder {
		return outcome, nil
	}
	today := date(h.Now().In(part.Round.ZoneOf(part.Member)))
	if err := h.rounds.Reminded(save, d, today); err != nil {
		// It was sent, so it must not be tried again.
		log.Error("reminder sent, but not recorded", "error", err)
	}
	return outcome, nil
}

// checkWindow returns an empty outcome for a message or post that is to be sent now, Dropped for
// one that is no longer to be sent, and Later with a *survey.NotYetError for one that must wait.
func (h messenger) checkWindow(
	part survey.Participation, d survey.Delivery, now time.Time,
) (Outcome, error) {
	switch at, wanted := h.Schedule.SendWindow(part.Round, part.Member, d.Kind, now); {
	case !wanted:
		return Dropped, nil
	case at.After(now):
		return Later, &survey.NotYetError{Wait: at.Sub(now)}
	}
	return "", nil
}

// sendOutcome returns the outcome of sending a message or a post, given the error of the
// chat.Sender. It returns that error if nothing was sent and it can be tried again. A card without
// some of its files was sent.
func sendOutcome(err error) (Outcome, error) {
	_, incomplete := errors.AsType[*chat.MissingFilesError](err)
	switch {
	case err == nil, incomplete:
		return Sent, nil
	case errors.Is(err, chat.ErrUnreachable):
		return Unreachable, nil
	case errors.Is(err, chat.ErrUnsure): // not sending is better than sending twice
		return Unsure, nil
	}
	return "", err
}

// saveTimeout bounds the saving of the result of a message.
const saveTimeout = 5 * time.Second

// saveContext returns a context to save the result of a message, even if ctx ends.
func saveContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
}

func date(t time.Time) string { return t.Format(time.DateOnly) }

// messageID returns the id of one message to one person or place: at most 25 characters, as in
// Discord's nonce.
func messageID(d survey.Delivery) string {
	sum := sha256.Sum256([]byte(string(d.Round) + " " + string(d.Kind) + " " + string(d.Person)))
	return hex.EncodeToString(sum[:12])
}

// deliverPost posts to the coordinators' channel.
func (h messenger) deliverPost(
	ctx context.Context, d survey.Delivery, result *Delivered,
) (Outcome, error) {
	log := h.Log.With("message", d.Kind, "round", d.Round)
	r, err := h.rounds.Round(ctx, d.Round)
	if errors.Is(err, survey.ErrNoRound) {
		return Dropped, nil
	} else if err != nil {
		return "", err
	}
	part := survey.Participation{Round: r}
	h.setLateness(result, d, part)
	if outcome, err := h.checkWindow(part, d, h.Now()); outcome != "" {
		if outcome == Dropped {
			log.Info("post dropped: too late or no longer planned")
		}
		return outcome, err
	}
	to, err := chat.ParsePlace(r.Channel)
	if err != nil {
		return "", fmt.Errorf("deliver a post: %w", err)
	}
	base, suffix := d.Kind.Split()
	draw := deliveries[base].post
	if draw == nil {
		log.Error("post dropped: unknown kind")
		return Dropped, nil
	}
	queued, err := draw(h, ctx, r, suffix)
	if err != nil {
		return "", err
	}
	if len(queued.card.Blocks) == 0 {
		log.Info("post dropped: nothing to report")
		return Dropped, nil
	}
	if err := queued.card.Check(); err != nil {
		return "", fmt.Errorf("deliver a post: %w", err)
	}
	sent := h.Sender.Post(ctx, messageID(d), to, queued.card, queued.files)
	outcome, err := sendOutcome(sent)
	switch outcome {
	case Sent:
		if missing, ok := errors.AsType[*chat.MissingFilesError](sent); ok {
			log.Error("posted without files", "files", len(missing.Names), "error", sent)
			h.postMissing(ctx, d, r, to, missing.Names)
		} else {
			log.Info("posted")
		}
	case Unreachable:
		log.Error("the coordinator's channel cannot be reached", "error", sent)
		if queued.unreachable != nil {
			save, cancel := saveContext(ctx)
			defer cancel()
			return Unreachable, queued.unreachable(save)
		}
	case Unsure:
		log.Error("post may not have been sent", "error", sent)
	default:
		return "", fmt.Errorf("deliver a post: %w", err)
	}
	return h.followUp(ctx, log, queued, outcome)
}

// followUp saves what a sent post leads to, and returns the outcome of the post.
func (h messenger) followUp(
	ctx context.Context, log *slog.Logger, queued post, outcome Outcome,
) (Outcome, error) {
	if queued.then == nil {
		return outcome, nil
	}
	save, cancel := saveContext(ctx)
	defer cancel()
	if err := queued.then(save); err != nil {
		if queued.thenRequired {
			// Posting twice is better than never posting the table.
			return "", fmt.Errorf("save the follow-up of a post: %w", err)
		}
		log.Error("posted, but the follow-up was not saved", "error", err)
	}
	return outcome, nil
}

// postMissing tells the channel which files of a post are missing. A failure is logged only.
func (h messenger) postMissing(
	ctx context.Context, d survey.Delivery, r survey.Round, to chat.Place, names []string,
) {
	d.Kind += "+files"
	v := h.channelVoice(r)
	card := chat.Card{Blocks: missingFiles(v, destination{round: r}, names)}
	if err := h.Sender.Post(ctx, messageID(d), to, card, nil); err != nil {
		h.Log.Error("channel not informed of missing files", "round", r.ID, "error", err)
	}
}

// channelLostMessage tells a coordinator that the progress updates cannot be posted, and why.
func (h messenger) channelLostMessage(
	ctx context.Context, part survey.Participation,
) (chat.Card, error) {
	r := part.Round
	v := h.channelVoice(r)
	blocks := []chat.Block{chat.Heading{Text: v.Say("post.channel_lost", "area", r.Area)}}
	if to, why := h.canPostFor(ctx, r); why != nil {
		reason := chat.Words(": " + card.CannotPostReason(v, why))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Link{Place: to}, reason}})
	}
	return card.Of(append(blocks, chat.Paragraph(v.Say("post.channel_lost_body")))...), nil
}

// unpostedMessage tells a coordinator that the results could not be posted, why if that is known,
// and how to get them.
func (h messenger) unpostedMessage(
	ctx context.Context, part survey.Participation,
) (chat.Card, error) {
	r := part.Round
	v := h.channelVoice(r)
	to, why := h.canPostFor(ctx, r)
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("post.unposted", "area", r.Area)},
		chat.Paragraph(v.Say("post.closed", "closed", card.ClosedTime(v, r))),
	}
	if why != nil {
		reason := chat.Words(": " + card.CannotPostReason(v, why))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Link{Place: to}, reason}})
	}
	blocks = append(blocks, otherDestinations(chat.Event{Private: true}, v, r, "results")...)
	return card.Of(blocks...), nil
}
