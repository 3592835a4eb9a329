package terminal

import (
	"context"
	"fmt"
	"maps"
	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// talk is one conversation: what is at hand, whichever way it is shown.
type talk struct {
	t             *Terminal
	responder     chat.Responder
	me            chat.Person
	where         chat.Place
	admin         bool
	locale        string
	sink          func(chat.Reply)
	words         Words
	cards         []chat.Card // the one at hand is the last; those beneath it can be come back to
	notices       []chat.Card // what the last answer said beside the card
	form          *chat.Form  // open over the card, or nil
	refusals      map[string]string
	kept          map[string][]string // what was put into the form, in plain lines
	parts         []string            // the card at hand as plain lines last printed it
	done          bool                // the card at hand ends the conversation
	changed       bool                // the last answer brought a card
	underneath    bool                // the card at hand was come back to
	previousTitle string
}

// event returns an event of the user. The action is encoded and decoded, as on a chat platform.
func (k *talk) event(
	kind chat.EventKind, action chat.Action, values map[string][]string,
) (chat.Event, error) {
	id, err := action.Encode()
	if err != nil {
		return chat.Event{}, err
	}
	if action, err = chat.DecodeAction(id); err != nil {
		return chat.Event{}, err
	}
	e := chat.Event{
		ID:     k.t.id(),
		Kind:   kind,
		Who:    k.me,
		Where:  k.where,
		Admin:  k.admin,
		Locale: k.locale,
		Action: action,
		Values: values,
	}
	if k.t.options.Now != nil {
		e.At = k.t.options.Now()
	}
	return e, nil
}

// answer is the responder's answer to one event.
type answer struct {
	replies []chat.Reply
	words   Words
}

// ask passes an event to the responder, which can be slow. It does not change k.
func (k *talk) ask(ctx context.Context, event chat.Event) answer {
	replies := k.responder.Handle(ctx, event)
	return answer{replies, harmlessWords(k.t.options.Words(ctx))}
}

// apply puts an answer into the conversation: its cards, form, notices and words.
func (k *talk) apply(a answer) {
	k.previousTitle = ""
	if len(k.cards) > 0 {
		k.previousTitle = heading(k.card())
	}
	open := k.form
	k.words = a.words
	k.notices, k.form, k.refusals = nil, nil, nil
	k.changed, k.underneath = false, false
	for replies := a.replies; len(replies) > 0; {
		reply := replies[0]
		replies = replies[1:]
		switch r := reply.(type) {
		case chat.Update:
			k.put(r.Card, true)
		case chat.Whisper:
			k.put(r.Card, false)
			replies = r.Then.Next(chat.Delivered{}, replies)
		case chat.Post:
			k.sink(r)
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

// card is the one at hand.
func (k *talk) card() chat.Card { return k.cards[len(k.cards)-1] }

// back returns to the card below the current one.
func (k *talk) back() {
	k.cards = k.cards[:len(k.cards)-1]
	k.notices = nil
	k.underneath = true
}

// withoutItems returns the card without its buttons and menus.
func withoutItems(c chat.Card) chat.Card {
	var blocks []chat.Block
	for _, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Buttons, chat.Menu:
		case chat.Choice:
			blocks = append(blocks, chat.Text{
				Spans: []chat.Span{chat.Bold(b.Title), chat.Words(": " + b.Text)},
			})
		default:
			blocks = append(blocks, block)
		}
	}
	for len(blocks) > 0 && blocks[len(blocks)-1] == (chat.Divider{}) {
		blocks = blocks[:len(blocks)-1]
	}
	return chat.Card{Blocks: blocks}
}

func heading(c chat.Card) string {
	for _, block := range c.Blocks {
		if h, ok := block.(chat.Heading); ok {
			return h.Text
		}
	}
	return ""
}

// item is a button or a menu of a card.
type item struct {
	button *chat.Button
	menu   *chat.Menu
	title  string // of the choice that has the button
}

// items lists the buttons and menus of a card, in order.
func items(c chat.Card) []item {
	var all []item
	for _, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Choice:
			all = append(all, item{button: &b.Button, title: b.Title})
		case chat.Buttons:
			for i := range b.Buttons {
				all = append(all, item{button: &b.Buttons[i]})
			}
		case chat.Menu:
			all = append(all, item{menu: &b})
		case chat.Divider, chat.Heading, chat.Note, chat.Table, chat.Text: // nothing to do
		}
	}
	return all
}

// names returns the names that the user can type for an item.
func (i item) names() []string {
	if i.menu != nil {
		return []string{i.menu.Placeholder}
	}
	return []string{i.button.Label, i.title, i.button.Spoken}
}

// begin returns the item to start on. If an item is chosen, that is the primary button, or else the
// chosen item. Otherwise it is the first choice, the primary button, or the first item that is not
// dangerous, whichever there is. It also returns the chosen item, or -1.
func begin(all []item) (start, chosen int) {
	chosen, choice, primary, mild := -1, -1, -1, -1
	for i, it := range all {
		first := func(n *int) {
			if *n < 0 {
				*n = i
			}
		}
		switch {
		case it.button != nil && it.button.Chosen:
			first(&chosen)
		case it.title != "":
			first(&choice)
		case it.button != nil && it.button.Style == chat.Primary:
			first(&primary)
		}
		if it.menu != nil || it.button.Style != chat.Danger {
			first(&mild)
		}
	}
	order := []int{choice, primary, mild}
	if chosen >= 0 {
		order = []int{primary, chosen}
	}
	for _, n := range order {
		if n >= 0 {
			return n, chosen
		}
	}
	return 0, chosen
}

// Layouts of days and times of day in forms, as chat says.
const (
	dateLayout = "2006-01-02"
	timeLayout = "15:04"
)

// check reads the input of a field. It returns the values to send, and what is wrong with them or
// "".
func (k *talk) check(field chat.Field, raw []string) (values []string, complaint string) {
	for _, s := range raw {
		if strings.TrimSpace(s) != "" {
			values = append(values, s)
		}
	}
	if len(values) == 0 {
		if !chat.About(field).Optional {
			complaint = k.words.Missing
		}
		return nil, complaint
	}
	switch f := field.(type) {
	case chat.Input:
		if n := utf8.RuneCountInString(values[0]); n > f.Max {
			complaint = fill(k.words.TooLong, "used", fmt.Sprint(n), "limit", fmt.Sprint(f.Max))
		}
	case chat.Date:
		values[0] = strings.TrimSpace(values[0])
		if _, err := time.Parse(dateLayout, values[0]); err != nil {
			complaint = fill(k.words.BadDate, "form", k.words.DateForm)
		}
	case chat.TimeOfDay:
		at, err := time.Parse(timeLayout, strings.TrimSpace(values[0]))
		if err != nil {
			complaint = fill(k.words.BadTime, "form", k.words.TimeForm)
		} else {
			values[0] = at.Format(timeLayout)
		}
	case chat.People:
		values = k.people(values[0])
		if len(values) == 0 {
			complaint = k.words.Missing
		}
	case chat.Channel:
		place, err := chat.ParsePlace(strings.TrimSpace(values[0]))
		if err != nil {
			place = chat.Place{
				Platform:  k.me.Platform,
				Workspace: k.me.Workspace,
				Channel:   strings.TrimSpace(values[0]),
			}
		}
		values = []string{place.String()}
	case chat.Select: // nothing to do
	}
	return values, complaint
}

// people reads ids separated by commas, semicolons or white space, with or without an @. An id
// without a workspace is in the user's own.
func (k *talk) people(s string) []string {
	var all []string
	separator := func(r rune) bool { return strings.ContainsRune(",; \n", r) }
	for _, id := range strings.FieldsFunc(s, separator) {
		id = strings.TrimPrefix(id, "@")
		if id == "" {
			continue
		}
		p, err := chat.ParsePerson(id)
		if err != nil {
			p = chat.Person{Platform: k.me.Platform, Workspace: k.me.Workspace, ID: id}
		}
		if !slices.Contains(all, p.String()) {
			all = append(all, p.String())
		}
	}
	return all
}

// hint returns the help line of a field: its own hint, and the terminal's format for the field.
func (k *talk) hint(field chat.Field) string {
	own := ""
	switch field.(type) {
	case chat.Date:
		own = k.words.DateForm
	case chat.TimeOfDay:
		own = k.words.TimeForm
	case chat.People:
		own = k.words.IDs
	case chat.Channel, chat.Input, chat.Select: // nothing to do
	}
	parts := []string{chat.About(field).Hint, own}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}
