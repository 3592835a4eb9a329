package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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
	came := Delivered{Kind: d.Kind.Base(), Late: -1}
	outcome, err := b.messenger().deliver(ctx, d, &came)
	var later *survey.NotYetError
	switch {
	case errors.As(err, &later):
		outcome = Later
	case err != nil:
		outcome = Failed
	}
	if b.Delivered != nil {
		came.Outcome = outcome
		b.Delivered(came)
	}
	return err
}

// Delivered tells what came of a queued message.
type Delivered struct {
	Kind    survey.MessageKind // without its date
	Outcome Outcome
	// Late is the time since the message was first due. It is negative where that is not known, as
	// for messages that are due as soon as somebody asks for them.
	Late time.Duration
}

// setLateness records how late the message is.
func (h messenger) setLateness(came *Delivered, d survey.Delivery, part survey.Participation) {
	if h.Delivered == nil {
		return // nobody asks, and a plan is some work to read
	}
	now := h.Now()
	if due, known := h.Schedule.FirstDue(part.Round, part.Member, d.Kind, now); known {
		came.Late = max(0, now.Sub(due))
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
		Later,
		Failed,
	}
)

// The outcomes of an event; it may also be Failed.
const (
	OK          Outcome = "ok"
	Refused     Outcome = "refused"     // somebody was told why not
	Unavailable Outcome = "unavailable" // the store was away
)

// The outcomes of a message. After Later and Failed the message is still owed.
const (
	Sent        Outcome = "sent"
	Unsure      Outcome = "unsure"      // the platform's answer was lost
	Unreachable Outcome = "unreachable" // the platform does not deliver
	NoConsent   Outcome = "not_agreed"  // the person takes no direct messages
	Dropped     Outcome = "dropped"     // too late, or not awaited any more
	Closed      Outcome = "closed"      // it was no message, but the closing of a survey
	Later       Outcome = "later"       // not at this hour
	Failed      Outcome = "failed"
)

func (h messenger) deliver(
	ctx context.Context, d survey.Delivery, came *Delivered,
) (Outcome, error) {
	if d.Person == "" {
		return h.deliverPost(ctx, d, came)
	}
	part, awaited, err := h.rounds.StillWanted(ctx, d)
	if err != nil || !awaited {
		return Dropped, err
	}
	h.setLateness(came, d, part)
	to, err := chat.ParsePerson(string(d.Person))
	if err != nil {
		return "", fmt.Errorf("deliver a message: %w", err)
	}
	log := h.Log.With("message", d.Kind, "round", d.Round, "person", h.personHash(to))
	now := h.Now()
	switch at, wanted := h.Schedule.SendWindow(part.Round, part.Member, d.Kind, now); {
	case !wanted:
		log.Info("message dropped: too late, or not in the plan any more")
		return Dropped, nil
	case at.After(now):
		return Later, &survey.NotYetError{Wait: at.Sub(now)}
	}
	draw := deliveries[d.Kind.Base()].card
	if draw == nil {
		log.Error("message dropped: its kind is not known")
		return Dropped, nil
	}
	card, err := draw(h, ctx, part)
	if err != nil {
		return "", err
	}
	if err := card.Check(); err != nil {
		return "", fmt.Errorf("deliver a message: %w", err)
	}
	err = h.Sender.Send(ctx, messageID(d), to, card)
	// The outcome must be noted even if the context ends.
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	outcome := Sent
	switch {
	case err == nil:
		log.Info("message sent")
	case errors.Is(err, chat.ErrNoConsent):
		log.Info("person takes no direct messages")
		if !d.Kind.Type().CallInChannel {
			return NoConsent, nil
		}
		return NoConsent, h.rounds.Plan(
			note,
			d.Round,
			survey.OpenCall.On(date(now.In(part.Round.Location()))),
		)
	case errors.Is(err, chat.ErrUnreachable):
		log.Warn("person cannot be reached", "error", err)
		return Unreachable, h.rounds.SetUnreachable(note, d.Round, d.Person, true)
	case errors.Is(err, chat.ErrUnsure):
		// Once too few is better than twice: the coordinator sees who has not started and can
		// remind them.
		log.Error("message may not have been sent", "error", err)
		outcome = Unsure
	default:
		return "", fmt.Errorf("deliver a message: %w", err)
	}
	if !d.Kind.Type().Reminder {
		return outcome, nil
	}
	today := date(now.In(part.Round.ZoneOf(part.Member)))
	if err := h.rounds.Reminded(note, d, today); err != nil {
		// It was sent, so it must not be tried again.
		log.Error("reminder was sent, but that is not noted", "error", err)
	}
	return outcome, nil
}

// noteTimeout bounds the noting of what came of a message.
const noteTimeout = 5 * time.Second

func date(t time.Time) string { return t.Format(time.DateOnly) }

// messageID returns the id of one message to one person or place: at most 25 characters, as in
// Discord's nonce.
func messageID(d survey.Delivery) string {
	sum := sha256.Sum256([]byte(string(d.Round) + " " + string(d.Kind) + " " + string(d.Person)))
	return hex.EncodeToString(sum[:12])
}

// deliverPost posts to the coordinator's channel, on the same terms as deliver.
func (h messenger) deliverPost(
	ctx context.Context, d survey.Delivery, came *Delivered,
) (Outcome, error) {
	log := h.Log.With("message", d.Kind, "round", d.Round)
	base, suffix := d.Kind.Split()
	if task := deliveries[base].task; task != nil {
		h.setLateness(came, d, survey.Participation{})
		return task(h, ctx, d)
	}
	r, err := h.rounds.Round(ctx, d.Round)
	if errors.Is(err, survey.ErrNoRound) {
		return Dropped, nil
	} else if err != nil {
		return "", err
	}
	h.setLateness(came, d, survey.Participation{Round: r})
	now := h.Now()
	switch at, wanted := h.Schedule.SendWindow(r, survey.Member{}, d.Kind, now); {
	case !wanted:
		log.Info("post dropped: too late, or not in the plan any more")
		return Dropped, nil
	case at.After(now):
		return Later, &survey.NotYetError{Wait: at.Sub(now)}
	}
	to, err := chat.ParsePlace(r.Channel)
	if err != nil {
		return "", fmt.Errorf("deliver a post: %w", err)
	}
	draw := deliveries[base].post
	if draw == nil {
		log.Error("post dropped: its kind is not known")
		return Dropped, nil
	}
	x, err := draw(h, ctx, r, suffix)
	if err != nil {
		return "", err
	}
	if len(x.card.Blocks) == 0 {
		log.Info("post dropped: it has nothing to tell")
		return Dropped, nil
	}
	if err := x.card.Check(); err != nil {
		return "", fmt.Errorf("deliver a post: %w", err)
	}
	outcome := Sent
	err = h.Sender.Post(ctx, messageID(d), to, x.card, x.files)
	missing, incomplete := errors.AsType[*chat.MissingFilesError](err)
	switch {
	case err == nil:
		log.Info("posted")
	case incomplete:
		log.Error("posted without files", "files", len(missing.Names), "error", err)
		h.postMissing(ctx, d, r, to, missing.Names)
	case errors.Is(err, chat.ErrUnreachable):
		log.Error("the coordinator's channel cannot be reached", "error", err)
		outcome = Unreachable
		if x.unreachable != nil {
			note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
			defer cancel()
			return outcome, x.unreachable(note)
		}
	case errors.Is(err, chat.ErrUnsure):
		log.Error("post may not have been sent", "error", err)
		outcome = Unsure
	default:
		return "", fmt.Errorf("deliver a post: %w", err)
	}
	if x.then == nil {
		return outcome, nil
	}
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	if err := x.then(note); err != nil {
		if x.thenRequired {
			// Rather the results twice than no table.
			return "", fmt.Errorf("note what follows a post: %w", err)
		}
		log.Error("posted, but what follows is not noted", "error", err)
	}
	return outcome, nil
}

// postMissing tells the channel which files of a post are missing. A failure is logged only.
func (h messenger) postMissing(
	ctx context.Context, d survey.Delivery, r survey.Round, to chat.Place, names []string,
) {
	d.Kind += "+files"
	v := h.Words.In(string(r.Languages[0]))
	card := chat.Card{Blocks: missingFiles(v, destination{round: r}, names)}
	if err := h.Sender.Post(ctx, messageID(d), to, card, nil); err != nil {
		h.Log.Error("the channel was not told of missing files", "round", r.ID, "error", err)
	}
}

// unpostedCard tells a coordinator that the results could not be posted, why if that is known, and
// how to get them.
func (h messenger) unpostedCard(ctx context.Context, r survey.Round) chat.Card {
	v := h.Words.In(string(r.Languages[0]))
	to, why := h.canPostFor(ctx, r)
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("post.unposted", "area", r.Area)},
		chat.Paragraph(v.Say("post.closed", "closed", card.ClosedTime(v, r))),
	}
	if why != nil {
		reason := chat.Words(": " + card.CannotPostReason(v, why))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Link{Place: to}, reason}})
	}
	return chat.Card{
		Blocks: append(blocks, otherDestinations(chat.Event{Private: true}, v, r, "results")...),
	}
}
