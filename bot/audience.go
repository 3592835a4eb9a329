package bot

import (
	"maturitybot/survey"
)

// Handlers are methods of a type for each audience. It has the rounds on the authority of that
// audience only, so that a handler for coordinators cannot do what only a participant may.

// audience is a type with handlers.
type audience[H any] interface {
	// of returns the handlers for the person of a request.
	of(*Bot, *request) H
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

// creator answers people who may start rounds, and take on those of others in their workspace.
type creator struct {
	coordinator
	all survey.System
}

func (creator) of(b *Bot, req *request) creator {
	return creator{coordinator{}.of(b, req), b.Rounds.System()}
}

// of returns the bot itself, for what has no audience of its own.
func (*Bot) of(b *Bot, _ *request) *Bot { return b }

// publisher writes what a channel is to get.
type publisher struct {
	*Tools
	rounds survey.System
}

func (b *Bot) publisher() publisher { return publisher{&b.Tools, b.Rounds.System()} }

// messenger delivers queued messages and posts.
type messenger struct {
	publisher
	// participant returns the rounds of the person that a message is for.
	participant func(survey.PersonID) survey.Participant
}

func (b *Bot) messenger() messenger { return messenger{b.publisher(), b.Rounds.For} }
