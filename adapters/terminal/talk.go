package terminal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
)

// errLeft is returned when the user leaves.
var errLeft = errors.New("the person left")

// talk is one conversation.
type talk struct {
	t         *Terminal
	responder chat.Responder
	start     chat.Event // later events have its Who, Where, Admin and Locale
	words     Words
	cards     []chat.Card         // the last is the current one; the user can go back to the others
	notices   []chat.Card         // whispers without buttons that are not printed yet
	form      *chat.Form          // open, or nil
	refusals  map[string]string   // what the responder says is wrong with the form, by field
	input     map[string][]string // of the form, by field
	changed   bool                // the current card is not printed yet
	title     string              // of the card that was printed last
	parts     []string            // of that card
	done      bool                // the current card ends the conversation
}

// run holds the conversation. It returns io.EOF when the input ends, and errLeft when the user
// leaves.
func (k *talk) run(ctx context.Context) error {
	k.pass(ctx, k.start)
	for {
		event, err := k.step(ctx)
		if err != nil || k.done {
			return err
		}
		if event != nil {
			k.pass(ctx, *event)
		}
	}
}

// step prints what is new and reads one input. It returns nil if the input makes no event for the
// responder.
func (k *talk) step(ctx context.Context) (*chat.Event, error) {
	for _, notice := range k.notices {
		if err := k.say(cardParts(notice, k.t.width(), k.words, false)...); err != nil {
			return nil, err
		}
	}
	k.notices = nil
	if k.form != nil {
		return k.fillIn(ctx)
	}
	if len(k.cards) == 0 {
		return nil, errLeft
	}
	card := k.card()
	all := items(card)
	names := itemNames(all)
	back := len(all) // the index of the item to go back
	if len(k.cards) > 1 {
		names = append(names, []string{k.words.Earlier})
	}
	if k.changed {
		parts := cardParts(card, k.t.width(), k.words, true)
		if len(names) > back {
			parts = append(parts, k.wrap(fmt.Sprintf("%d) ", back+1), k.words.Earlier))
		}
		news := k.changedParts(heading(card), parts)
		k.changed, k.title, k.parts = false, heading(card), parts
		if err := k.say(news...); err != nil || k.done {
			return nil, err
		}
	}
	if len(names) == 0 {
		return nil, errLeft
	}
	n, err := k.choose(ctx, names)
	switch {
	case err != nil:
		return nil, err
	case n < 0:
		k.reprint()
		return nil, nil
	case n == back:
		k.cards = k.cards[:len(k.cards)-1]
		k.reprint()
		return nil, nil
	}
	return k.press(ctx, all[n])
}

// reprint makes the next step print the whole card.
func (k *talk) reprint() { k.changed, k.parts = true, nil }

// changedParts returns the parts of a card that have changed since it was last printed, so that a
// screen reader need not read all of it after each answer. If the last card was another one, it
// returns all parts.
func (k *talk) changedParts(title string, parts []string) []string {
	if title == "" || title != k.title || len(parts) != len(k.parts) {
		return parts
	}
	var changed []string
	for i := range parts {
		if parts[i] != k.parts[i] {
			changed = append(changed, parts[i])
		}
	}
	if changed == nil {
		return parts
	}
	return changed
}

// press returns the event of an item. If the item is a menu or asks for confirmation, press asks
// the user first, and returns nil if they choose nothing.
func (k *talk) press(ctx context.Context, it item) (*chat.Event, error) {
	if it.menu != nil {
		n, err := k.ask(ctx, listCard(*it.menu))
		if n < 0 || err != nil {
			k.reprint()
			return nil, err
		}
		picked := map[string][]string{chat.Picked: {it.menu.Options[n].Value}}
		return k.event(chat.Press, it.menu.Action, picked)
	}
	if it.button.Confirm != nil {
		n, err := k.ask(ctx, confirmCard(*it.button))
		if n != 0 || err != nil {
			k.reprint()
			return nil, err
		}
	}
	return k.event(chat.Press, it.button.Action, nil)
}

// ask prints a card of the terminal's own, and returns the index of the chosen item, or -1.
func (k *talk) ask(ctx context.Context, card chat.Card) (int, error) {
	if err := k.say(cardParts(card, k.t.width(), k.words, true)...); err != nil {
		return 0, err
	}
	return k.choose(ctx, itemNames(items(card)))
}

// event returns an event of the user. The action is encoded and decoded, as on a chat platform.
func (k *talk) event(
	kind chat.EventKind, action chat.Action, values map[string][]string,
) (*chat.Event, error) {
	id, err := action.Encode()
	if err != nil {
		return nil, err
	}
	if action, err = chat.DecodeAction(id); err != nil {
		return nil, err
	}
	e := &chat.Event{
		ID:     k.t.eventID(),
		Kind:   kind,
		Who:    k.start.Who,
		Where:  k.start.Where,
		Admin:  k.start.Admin,
		Locale: k.start.Locale,
		Action: action,
		Values: values,
	}
	if k.t.options.Now != nil {
		e.At = k.t.options.Now()
	}
	return e, nil
}

// pass passes an event to the responder, and takes up its replies.
func (k *talk) pass(ctx context.Context, event chat.Event) {
	replies := k.responder.Handle(ctx, event)
	k.words = harmlessWords(k.t.options.Words(ctx))
	open := k.form
	k.form, k.refusals = nil, nil
	for len(replies) > 0 {
		reply := replies[0]
		replies = replies[1:]
		switch r := reply.(type) {
		case chat.Update:
			k.put(r.Card, true)
		case chat.Whisper:
			k.put(r.Card, false)
			replies = r.Then.Next(chat.Delivered{}, replies)
		case chat.Post: // is for other people
			replies = r.Then.Next(chat.Delivered{}, replies)
		case chat.OpenForm:
			form := harmlessForm(r.Form)
			k.form = &form
		case chat.FieldErrors:
			k.refuse(r, open)
		case chat.Direct, chat.Redraw: // no event here has Direct or SharedCard
		}
	}
}

// put takes up a card, in the place of the current one if replace is set.
func (k *talk) put(card chat.Card, replace bool) {
	if k.done {
		return
	}
	ends := k.t.options.Done != nil && k.t.options.Done(card)
	card = harmlessCard(card)
	if ends {
		k.cards, k.done, k.changed = []chat.Card{withoutItems(card)}, true, true
		return
	}
	if !replace && len(items(card)) == 0 && len(k.cards) > 0 {
		k.notices = append(k.notices, card)
		return
	}
	if replace && len(k.cards) > 0 {
		k.cards = k.cards[:len(k.cards)-1]
	}
	k.cards, k.changed = append(k.cards, card), true
}

// refuse opens the form again with what is wrong with it. If none was open, it prints that instead.
func (k *talk) refuse(r chat.FieldErrors, open *chat.Form) {
	sentences := map[string]string{}
	for id, s := range r.Fields {
		sentences[id] = plaintext.Clean(s)
	}
	if open != nil {
		k.form, k.refusals = open, sentences
		return
	}
	var card chat.Card
	for _, id := range slices.Sorted(maps.Keys(sentences)) {
		card.Blocks = append(card.Blocks, chat.Paragraph(sentences[id]))
	}
	k.notices = append(k.notices, card)
}

// card returns the current card.
func (k *talk) card() chat.Card { return k.cards[len(k.cards)-1] }

// say prints parts of whole lines, with an empty line before them.
func (k *talk) say(parts ...string) error { return k.t.print("\n" + strings.Join(parts, "")) }

// wrap breaks a text as the function wrap does, at the width of the terminal.
func (k *talk) wrap(lead, s string) string { return wrap(lead, s, k.t.width()) }

// read prints a prompt and returns the line that the user writes.
func (k *talk) read(ctx context.Context, prompt string) (string, error) {
	if err := k.t.print(strings.TrimLeft(prompt+" > ", " ")); err != nil {
		return "", err
	}
	s, err := k.t.readLine(ctx)
	if err != nil {
		_ = k.t.print("\n") // ends the line of the prompt; the first error matters
		return "", err
	}
	s = typed(s)
	if k.t.echo {
		err = k.t.print(s + "\n")
	}
	return s, err
}

// choose asks until the user chooses one of the names, and returns its index. It returns -1 for an
// empty line, and errLeft for q.
func (k *talk) choose(ctx context.Context, names [][]string) (int, error) {
	for {
		s, err := k.read(ctx, k.words.Prompt)
		if err != nil {
			return 0, err
		}
		if strings.TrimSpace(s) == "" {
			return -1, nil
		}
		n, complaint := k.match(s, names)
		if complaint == "" {
			return n, nil
		}
		if word := simplified(s); word == "q" || word == simplified(k.words.Leave) {
			return 0, errLeft
		}
		if err := k.t.print(k.wrap("", complaint)); err != nil {
			return 0, err
		}
	}
}

// match finds the name that the user typed: a number from 1, a whole name, or a prefix of exactly
// one name.
func (k *talk) match(s string, names [][]string) (n int, complaint string) {
	number := fill(k.words.Number, "to", strconv.Itoa(len(names)))
	if n, err := strconv.Atoi(strings.TrimRight(strings.TrimSpace(s), ".)")); err == nil {
		if n < 1 || n > len(names) {
			return 0, number
		}
		return n - 1, ""
	}
	word := simplified(s)
	if word == "" {
		return 0, number
	}
	var begun []int
	for i, all := range names {
		for _, name := range all {
			switch name := simplified(name); {
			case name == word:
				return i, ""
			case strings.HasPrefix(name, word) && !slices.Contains(begun, i):
				begun = append(begun, i)
			}
		}
	}
	switch len(begun) {
	case 0:
		return 0, number
	case 1:
		return begun[0], ""
	}
	list := make([]string, len(begun))
	for i, n := range begun {
		list[i] = fmt.Sprintf("%d) %s", n+1, names[n][0])
	}
	return 0, fill(k.words.Several, "names", strings.Join(list, ", "))
}

// simplified returns a name as a user would type it: in lower case, without arrows and signs
// around it.
func simplified(s string) string {
	sign := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	return strings.ToLower(strings.TrimFunc(s, sign))
}
