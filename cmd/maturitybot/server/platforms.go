package server

import (
	"context"
	"fmt"
	"sync"

	"maturitybot/bot/chat"
)

// directory finds people on a chat platform and sends to them.
type directory interface {
	chat.Directory
	chat.Sender
}

// platforms is the directory of all connected chat platforms. It passes each call to the platform
// that the person or the place belongs to.
type platforms struct {
	mu sync.RWMutex
	on map[string]directory
}

// add adds a platform that is connected.
func (p *platforms) add(name string, on directory) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on == nil {
		p.on = map[string]directory{}
	}
	p.on[name] = on
}

func (p *platforms) lookup(name string) (directory, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	on, ok := p.on[name]
	return on, ok
}

// Find returns chat.ErrNobody for a platform that is not connected.
func (p *platforms) Find(ctx context.Context, from chat.Place, word string) (chat.Person, error) {
	if on, ok := p.lookup(from.Platform); ok {
		return on.Find(ctx, from, word)
	}
	return chat.Person{}, chat.ErrNobody
}

// Members returns chat.ErrNobody for a platform that is not connected.
func (p *platforms) Members(ctx context.Context, in chat.Place) ([]chat.Person, error) {
	if on, ok := p.lookup(in.Platform); ok {
		return on.Members(ctx, in)
	}
	return nil, chat.ErrNobody
}

// CanPost fails for a platform that is not connected.
func (p *platforms) CanPost(ctx context.Context, in chat.Place) error {
	if on, ok := p.lookup(in.Platform); ok {
		return on.CanPost(ctx, in)
	}
	return fmt.Errorf("ask whether the bot can post: %s is not connected", in.Platform)
}

// Send fails for a platform that is not connected, so that the message is sent later.
func (p *platforms) Send(ctx context.Context, id string, to chat.Person, card chat.Card) error {
	if on, ok := p.lookup(to.Platform); ok {
		return on.Send(ctx, id, to, card)
	}
	return fmt.Errorf("send a message: %s is not connected", to.Platform)
}

// Post fails for a platform that is not connected, so that the message is posted later.
func (p *platforms) Post(
	ctx context.Context, id string, to chat.Place, card chat.Card, files []chat.File,
) error {
	if on, ok := p.lookup(to.Platform); ok {
		return on.Post(ctx, id, to, card, files)
	}
	return fmt.Errorf("post a message: %s is not connected", to.Platform)
}
