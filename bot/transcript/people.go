package transcript

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"maturitybot/bot/chat"
)

// Clock is the time in a transcript. Only stage directions move it.
type Clock struct{ at time.Time }

// NewClock returns a clock that shows the given time.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now returns the time on stage.
func (c *Clock) Now() time.Time { return c.at }

// platform and workspace of everybody on stage.
const platform, workspace = "play", "w"

// People are the people on stage. It is the directory of the platform that a transcript plays on,
// and receives its messages.
type People struct {
	channels    map[string][]string
	unreachable map[string]bool
	unasked     map[string]bool // has not agreed to direct messages
	without     map[string]bool // channels that the bot is not in
	fileless    map[string]bool // channels where no file arrives

	mu   sync.Mutex
	post []sent
}

// sent is a message that was delivered, or was not.
type sent struct {
	to      string // a person, or a channel with its #
	card    chat.Card
	files   []chat.File
	refused bool
}

var (
	_ chat.Directory = (*People)(nil)
	_ chat.Sender    = (*People)(nil)
)

// NewPeople returns an empty stage.
func NewPeople() *People {
	return &People{
		channels:    map[string][]string{},
		unreachable: map[string]bool{},
		unasked:     map[string]bool{},
		without:     map[string]bool{},
		fileless:    map[string]bool{},
	}
}

// Send delivers a message to a person.
func (p *People) Send(_ context.Context, _ string, to chat.Person, card chat.Card) error {
	if p.unasked[to.ID] {
		return chat.ErrNoConsent
	}
	refused := p.unreachable[to.ID]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.post = append(p.post, sent{to: to.ID, card: card, refused: refused})
	if refused {
		return chat.ErrUnreachable
	}
	return nil
}

// Post delivers a message to a channel.
func (p *People) Post(
	ctx context.Context, _ string, to chat.Place, card chat.Card, files []chat.File,
) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.CanPost(ctx, to); err != nil {
		p.post = append(p.post, sent{to: to.Channel, refused: true})
		return err
	}
	if len(files) > 0 && p.fileless[to.Channel] {
		p.post = append(p.post, sent{to: to.Channel, card: card})
		missing := &chat.MissingFilesError{Err: errors.New("no file arrives here")}
		for _, f := range files {
			missing.Names = append(missing.Names, f.Name)
		}
		return missing
	}
	p.post = append(p.post, sent{to: to.Channel, card: card, files: files})
	return nil
}

// arrived is what was sent since it was last asked for, by person, since several messages are on
// their way at once.
func (p *People) arrived() []sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	post := p.post
	p.post = nil
	slices.SortStableFunc(post, func(a, b sent) int { return strings.Compare(a.to, b.to) })
	return post
}

// Channels is who is in which channel.
func (p *People) Channels() map[string][]string { return p.channels }

// Agreed reports whether a person has agreed to direct messages.
func (p *People) Agreed(name string) bool { return !p.unasked[name] }

// Reachable reports whether messages to a person arrive.
func (p *People) Reachable(name string) bool { return !p.unreachable[name] }

// Person returns the person on stage with the name.
func Person(name string) chat.Person {
	return chat.Person{Platform: platform, Workspace: workspace, ID: name}
}

func place(channel string) chat.Place {
	return chat.Place{Platform: platform, Workspace: workspace, Channel: channel}
}

// HasBot reports whether the bot is in a channel.
func (p *People) HasBot(channel string) bool { return !p.without[channel] }

// TakesFiles reports whether files arrive in a channel.
func (p *People) TakesFiles(channel string) bool { return !p.fileless[channel] }

// CanPost reports whether the bot can post in a channel.
func (p *People) CanPost(_ context.Context, in chat.Place) error {
	if p.without[in.Channel] {
		return &chat.CannotPostError{Reason: chat.NotMember}
	}
	return nil
}

// Find returns the person in any channel with that name, or that name@example.org.
func (p *People) Find(_ context.Context, _ chat.Place, word string) (chat.Person, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(word, "@"), "@example.org")
	for _, members := range p.channels {
		if slices.Contains(members, name) {
			return Person(name), nil
		}
	}
	return chat.Person{}, chat.ErrNobody
}

// Members returns who is in the channel.
func (p *People) Members(_ context.Context, in chat.Place) ([]chat.Person, error) {
	var all []chat.Person
	for _, name := range p.channels[in.Channel] {
		all = append(all, Person(name))
	}
	if all == nil {
		return nil, chat.ErrNobody
	}
	return all, nil
}
