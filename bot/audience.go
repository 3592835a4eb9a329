package bot

import (
	"context"

	"maturitybot/survey"
	"maturitybot/survey/results"
)

// Handlers are methods of a type for each audience. The type can reach rounds with the rights of
// that audience only, so that a handler for participants cannot do what only a coordinator may. Those
// of a workshop also read it through a survey.System, to draw its cards. The one handler that is a
// method of *Bot is switchLanguage, which serves a second action.

// audience is a type with handlers.
type audience[H any] interface {
	// of returns the handlers for the person of a request.
	of(*Bot, *request) H
}

// anyone answers a person about the rounds that they take part in or coordinate.
type anyone struct {
	*Tools
	own         survey.Participant
	coordinated survey.Coordinator
}

func (anyone) of(b *Bot, req *request) anyone {
	return anyone{&b.Tools, b.Rounds.For(req.person), b.Rounds.As(req.person)}
}

// participant answers those who take part, or are invited to.
type participant struct {
	*Tools
	rounds survey.Participant
}

func (participant) of(b *Bot, req *request) participant {
	return participant{&b.Tools, b.Rounds.For(req.person)}
}

// coordinator answers coordinators of a round.
type coordinator struct {
	*Tools
	rounds survey.Coordinator
	posts  publisher
}

func (coordinator) of(b *Bot, req *request) coordinator {
	return coordinator{&b.Tools, b.Rounds.As(req.person), b.publisher()}
}

// planning answers coordinators about reminders and posts to their channel.
type planning struct{ coordinator }

func (planning) of(b *Bot, req *request) planning {
	return planning{coordinator{}.of(b, req)}
}

// linking answers coordinators about links to the survey on the web, and about its progress, of which
// links are a part.
type linking struct {
	coordinator
	links survey.LinkCoordinator
}

func (linking) of(b *Bot, req *request) linking {
	return linking{coordinator{}.of(b, req), b.Rounds.LinksAs(req.person)}
}

// creator answers people who may start rounds. Such a person may also become a coordinator of the
// rounds of their workspace. Other people reach the handlers as well, so only rights gives access
// to what a creator may do.
type creator struct {
	coordinator
	granted *survey.Creator // nil for a person who may not start rounds
}

func (creator) of(b *Bot, req *request) creator {
	h := creator{coordinator: coordinator{}.of(b, req)}
	if b.mayCreate(req) {
		rights := b.Rounds.AsCreator(req.person)
		h.granted = &rights
	}
	return h
}

// rights returns what a person who may start rounds may do, or errNotAllowed for anybody else.
func (h creator) rights() (survey.Creator, error) {
	if h.granted == nil {
		return survey.Creator{}, errNotAllowed
	}
	return *h.granted, nil
}

// of returns the bot itself, for a handler that serves a second action.
func (*Bot) of(b *Bot, _ *request) *Bot { return b }

// publisher writes what is posted to the coordinators' channel.
type publisher struct {
	*Tools
	published publishedRounds
}

// publishedRounds is what a publisher reads of any round.
type publishedRounds interface {
	AuditLog(ctx context.Context, r survey.Round) (survey.AuditLog, error)
	Results(ctx context.Context, id survey.RoundID) (results.Published, error)
}

func (b *Bot) publisher() publisher { return publisher{&b.Tools, b.Rounds.System()} }

// messenger delivers queued messages and posts.
type messenger struct {
	publisher
	rounds survey.System
	// participant returns the rounds of the person that a message is for.
	participant func(survey.PersonID) survey.Participant
}

func (b *Bot) messenger() messenger {
	return messenger{b.publisher(), b.Rounds.System(), b.Rounds.For}
}
