package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/chat/dispatch"
)

// Replier shows on one platform what the bot replies to one event.
type Replier interface {
	// Update changes the card that was pressed, or shows another card instead.
	Update(ctx context.Context, card chat.Card) error
	// CanUpdate returns true if Update changes the card that was pressed.
	CanUpdate() bool
	// Redraw plans the change of a card that everybody in a place sees, and does not wait for it.
	Redraw(r chat.Redraw) error
	// Whisper shows a card, with files, to the person of the event alone.
	Whisper(ctx context.Context, w chat.Whisper) error
	// Direct shows a card in the person's own conversation with the bot.
	Direct(ctx context.Context, card chat.Card) chat.Delivered
	// Post shows a card, with files, to everybody in a place. The number n tells the posts that
	// answer one event from each other.
	Post(ctx context.Context, n int, p chat.Post) error
	// OpenForm does what is left to do about a form, once it has opened or can no longer open.
	OpenForm(ctx context.Context, o chat.OpenForm) error
	// FieldErrors explains what is wrong with a form that was sent, unless that was done before.
	FieldErrors(ctx context.Context, f chat.FieldErrors) error
}

// CarryOut carries out replies one after another. A reply that fails is logged. What follows a
// Whisper, Direct or Post is decided by its chat.Then: without one, nothing follows a card that
// failed. After any other reply that fails the others follow.
func CarryOut(ctx context.Context, log *slog.Logger, replies []chat.Reply, to Replier) {
	for n := 1; len(replies) > 0; n++ {
		reply, rest := replies[0], replies[1:]
		var err error
		switch r := reply.(type) {
		case chat.Update:
			err = errors.Join(to.Update(ctx, r.Card), Refresh(ctx, to, r))
		case chat.Redraw:
			err = to.Redraw(r)
		case chat.Whisper:
			err = to.Whisper(ctx, r)
			rest = r.Then.Next(chat.DeliveredAfter(err), rest)
		case chat.Direct: // its Then explains a failure
			rest = r.Then.Next(to.Direct(ctx, r.Card), rest)
		case chat.Post:
			err = to.Post(ctx, n, r)
			rest = r.Then.Next(chat.DeliveredAfter(err), rest)
		case chat.OpenForm:
			err = to.OpenForm(ctx, r)
		case chat.FieldErrors:
			err = to.FieldErrors(ctx, r)
		default:
			err = fmt.Errorf("unknown reply %T", r)
		}
		if err != nil {
			log.Error("reply not delivered", "reply", fmt.Sprintf("%T", reply), "error", err)
		}
		replies = rest
	}
}

// Refresh makes an update again for as long as what the card shows has changed since it was drawn.
func Refresh(ctx context.Context, to Replier, made chat.Update) error {
	if !to.CanUpdate() {
		return nil
	}
	return dispatch.Refresh(ctx, made, to.Update)
}

// GiveBack returns a refusal as cards, for a form that is closed: first what is wrong, then the
// texts that were typed into the form, so that nothing is lost. A text that is longer than a
// paragraph is split. A card gets paragraphs as long as fits returns true for it.
func GiveBack(f chat.FieldErrors, typed []string, fits func(chat.Card) bool) []chat.Card {
	var texts []string
	for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
		if text := f.Fields[field]; text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	for _, text := range typed {
		if strings.TrimSpace(text) == "" {
			continue
		}
		for part := range slices.Chunk([]rune(text), chat.MaxText) {
			texts = append(texts, string(part))
		}
	}
	var cards []chat.Card
	var card chat.Card
	for _, text := range texts {
		paragraph := chat.Paragraph(text)
		longer := chat.Card{Blocks: append(slices.Clone(card.Blocks), paragraph)}
		if len(card.Blocks) > 0 && !fits(longer) {
			cards = append(cards, card)
			longer = chat.Card{Blocks: []chat.Block{paragraph}}
		}
		card = longer
	}
	if len(card.Blocks) > 0 {
		cards = append(cards, card)
	}
	return cards
}

// WithoutFiles returns what became of a card that stands without some files: nil if names is empty,
// else a *chat.MissingFilesError with the cause.
func WithoutFiles(names []string, cause error) error {
	if len(names) == 0 {
		return nil
	}
	return &chat.MissingFilesError{Names: names, Err: cause}
}
