package bot

import (
	"context"
	"slices"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/survey"
)

// messageCard returns the card of a message to a person.
type messageCard func(messenger, context.Context, survey.Participation) (chat.Card, error)

// channelPost returns a post to the coordinators' channel. Suffix is that of the message's kind.
type channelPost func(h messenger, ctx context.Context, r survey.Round, suffix string) (post, error)

// task does what is queued like a message, although nothing is sent.
type task func(messenger, context.Context, survey.Delivery) (Outcome, error)

// deliveries maps each kind of message to what draws its card, or does its task, by its audience in
// survey.MessageTypes.
var deliveries = map[survey.MessageKind]struct {
	card messageCard
	post channelPost
	task task
}{
	survey.Invitation:   {card: messenger.invitationMessage},
	survey.Nudge:        {card: messenger.closingReminder},
	survey.ClosesSoon:   {card: messenger.closingReminder},
	survey.WorkshopSoon: {card: messenger.workshopMessage},
	survey.Unposted:     {card: messenger.unpostedMessage},
	survey.ChannelLost:  {card: messenger.channelLostMessage},

	survey.Opened:         {post: messenger.openedPost},
	survey.Digest:         {post: messenger.digestPost},
	survey.LastDay:        {post: messenger.lastDayPost},
	survey.ResultsPost:    {post: messenger.summaryPost},
	survey.TablePost:      {post: messenger.tablePost},
	survey.WorkshopEve:    {post: messenger.workshopEvePost},
	survey.NewCoordinator: {post: messenger.newCoordinatorPost},
	survey.OpenCall:       {post: messenger.openCallPost},

	survey.Closing:    {task: messenger.closeDue},
	survey.NudgesSent: {task: messenger.auditNudges},
}

func (h messenger) invitationMessage(
	_ context.Context, part survey.Participation,
) (chat.Card, error) {
	m, err := h.matrix(part.Round)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Invitation(h.Words, part.Round, m), nil
}

// closingReminder returns the reminder that the survey closes: the invitation again, or how far the
// participant is.
func (h messenger) closingReminder(
	ctx context.Context, part survey.Participation,
) (chat.Card, error) {
	m, err := h.matrix(part.Round)
	if err != nil {
		return chat.Card{}, err
	}
	if !part.Member.TakesPart() {
		return card.InvitationReminder(h.Words, part, m), nil
	}
	part, resp, err := h.participant(part.Member.Person).Response(ctx, part.Round.ID)
	if err != nil {
		return chat.Card{}, err
	}
	return card.StartedReminder(h.Words, part, m, resp), nil
}

func (h messenger) workshopMessage(
	_ context.Context, part survey.Participation,
) (chat.Card, error) {
	return card.WorkshopReminder(h.Words, part), nil
}

func (h messenger) openedPost(ctx context.Context, r survey.Round, _ string) (post, error) {
	v := h.channelVoice(r)
	return post{card: card.OpenedPost(v, r, h.fingerprintLine(ctx, v, r))}, nil
}

// digestPost returns the digest. Once it is sent, its figures are saved for the next one.
func (h messenger) digestPost(ctx context.Context, r survey.Round, _ string) (post, error) {
	s, err := h.rounds.Progress(ctx, r.ID)
	if err != nil {
		return post{}, err
	}
	m, err := h.matrix(r)
	if err != nil {
		return post{}, err
	}
	said := survey.DigestProgress{At: h.Now(), Invited: s.Invited, Finished: s.Finished}
	return post{
		card:        card.Digest(h.channelVoice(r), m, s, h.Now()),
		then:        func(ctx context.Context) error { return h.rounds.Posted(ctx, r.ID, said) },
		unreachable: func(ctx context.Context) error { return h.rounds.TellChannelLost(ctx, r.ID) },
	}, nil
}

func (h messenger) lastDayPost(ctx context.Context, r survey.Round, _ string) (post, error) {
	s, err := h.rounds.Progress(ctx, r.ID)
	if err != nil {
		return post{}, err
	}
	return post{card: card.LastDay(h.channelVoice(r), s, h.Now())}, nil
}

// summaryPost returns the results, without the table: it comes after them, in a post of its own.
func (h messenger) summaryPost(ctx context.Context, r survey.Round, _ string) (post, error) {
	all, err := h.closedResults(ctx, r)
	if err != nil {
		return post{}, err
	}
	v, summary := h.channelVoice(r), all[0]
	var closed chat.Block = chat.Paragraph(v.Say("post.closed", "closed", card.ClosedTime(v, r)))
	summary.card.Blocks = slices.Insert(summary.card.Blocks, 1, closed)
	summary.unreachable = func(ctx context.Context) error {
		return h.rounds.TellUnposted(ctx, r.ID)
	}
	if len(all) > 1 {
		summary.then = func(ctx context.Context) error {
			return h.rounds.Plan(ctx, r.ID, survey.TablePost)
		}
		summary.thenRequired = true
	}
	return summary, nil
}

func (h messenger) tablePost(ctx context.Context, r survey.Round, _ string) (post, error) {
	all, err := h.closedResults(ctx, r)
	if err != nil {
		return post{}, err
	}
	return all[len(all)-1], nil
}

// closedResults returns the posts with the results of a round that closed automatically.
func (h messenger) closedResults(ctx context.Context, r survey.Round) ([]post, error) {
	p, err := h.rounds.Results(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return h.resultPosts(ctx, r, p, h.channelVoice(r), destination{round: r}.action)
}

func (h messenger) openCallPost(_ context.Context, r survey.Round, _ string) (post, error) {
	return post{card: card.OpenCall(h.Words, r)}, nil
}

// closeDue closes a survey whose closing time has come, and has its results posted.
func (h messenger) closeDue(ctx context.Context, d survey.Delivery) (Outcome, error) {
	r, closed, err := h.rounds.CloseDue(ctx, d.Round)
	if err != nil || !closed {
		return Dropped, err
	}
	h.Log.Info("survey closed automatically", "round", r.ID)
	if !r.Posts.Enabled(survey.ResultsPost) {
		return Closed, nil
	}
	return Closed, h.rounds.Plan(ctx, r.ID, survey.ResultsPost)
}

// auditNudges records how many reminders by hand were sent.
func (h messenger) auditNudges(ctx context.Context, d survey.Delivery) (Outcome, error) {
	_, date := d.Kind.Split()
	return Done, h.rounds.AuditNudges(ctx, d.Round, date)
}
