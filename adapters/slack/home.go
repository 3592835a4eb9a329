package slack

import (
	"context"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"maturitybot/bot/chat"
)

const (
	// homeRedrawInterval is the shortest time between two drawings of a person's App Home after
	// what they do elsewhere.
	homeRedrawInterval = 2 * time.Second
	// maxHomes bounds how many people are remembered to have opened App Home.
	maxHomes = 10_000
)

// publish fills a user's App Home.
func (s *Slack) publish(ctx context.Context, user string, card chat.Card) error {
	view, err := homeView(card)
	if err != nil {
		return err
	}
	return s.client.call(ctx, "views.publish", true, func(ctx context.Context) error {
		_, err := s.client.api.PublishViewContext(
			ctx, slackgo.PublishViewContextRequest{UserID: user, View: view},
		)
		return err
	})
}

// drawHome opens App Home again on behalf of a person whose page may have changed.
func (s *Slack) drawHome(e chat.Event) error {
	e.ID = ""
	e.At = time.Time{}
	d := &delivery{inbound: inbound{event: e, home: true}, ack: make(chan struct{})}
	close(d.ack) // there is nothing to acknowledge
	_, err := s.dispatch.Submit(e, "home", func(ctx context.Context, replies []chat.Reply) {
		s.carryOut(ctx, d, replies)
	})
	return err
}

// homes remembers who has opened App Home, and draws it again after what they do.
type homes struct {
	draw func(chat.Event) error

	mu    sync.Mutex
	pages map[chat.Person]*home
}

// home is one person's page.
type home struct {
	event chat.Event
	drawn time.Time
	timer *time.Timer // of the next drawing, or nil
}

func newHomes(draw func(chat.Event) error) *homes {
	return &homes{draw: draw, pages: map[chat.Person]*home{}}
}

// markSeen remembers that a person opens App Home.
func (h *homes) markSeen(e chat.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known := h.pages[e.Who]; known != nil {
		known.event = e
		known.drawn = time.Now()
		return
	}
	if len(h.pages) >= maxHomes {
		for other, page := range h.pages {
			if page.timer == nil {
				delete(h.pages, other)
				break
			}
		}
	}
	h.pages[e.Who] = &home{event: e, drawn: time.Now()}
}

// markStale plans to draw a person's App Home again, if they have opened it.
func (h *homes) markStale(who chat.Person) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if page := h.pages[who]; page != nil && page.timer == nil {
		wait := time.Until(page.drawn.Add(homeRedrawInterval))
		page.timer = time.AfterFunc(wait, func() { h.redraw(page) })
	}
}

func (h *homes) redraw(page *home) {
	h.mu.Lock()
	page.timer = nil
	page.drawn = time.Now()
	event := page.event
	h.mu.Unlock()
	if h.draw(event) != nil {
		h.markStale(event.Who) // too much is waiting: once more, later
	}
}

// flush draws at once every page that waits to be drawn, and forgets all of them.
func (h *homes) flush() {
	h.mu.Lock()
	pages := h.pages
	h.pages = map[chat.Person]*home{}
	var waiting []*home
	for _, page := range pages {
		if page.timer != nil && page.timer.Stop() {
			waiting = append(waiting, page)
		}
	}
	h.mu.Unlock()
	for _, page := range waiting {
		h.redraw(page)
	}
}
