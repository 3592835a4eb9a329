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

// event is a gesture of the person. The action goes through its text form, as it would on a platform.
func (k *talk) event(kind chat.EventKind, action chat.Action, values map[string][]string) (chat.Event, error) {
	id, err := action.Encode()
	if err != nil {
		return chat.Event{}, err
	}
	if action, err = chat.DecodeAction(id); err != nil {
		return chat.Event{}, err
	}
	e := chat.Event{ID: k.t.id(), Kind: kind, Who: k.me, Where: k.where, Admin: k.admin, Locale: k.locale,
		Action: action, Values: values}
	if k.t.options.Now != nil {
		e.At = k.t.options.Now()
	}
	return e, nil
}

// answer is what the responder made of one event.
type answer struct {
	replies []chat.Reply
	words   Words
}

// ask is the slow part, and changes nothing.
func (k *talk) ask(ctx context.Context, event chat.Event) answer {
	replies := k.responder.Handle(ctx, event)
	return answer{replies, harmlessWords(k.t.options.Words(ctx))}
}

// take makes the answer what is at hand.
func (k *talk) take(a answer) {
	k.previousTitle = ""
	if len(k.cards) > 0 {
		k.previousTitle = heading(k.card())
	}
	open := k.form
	k.words, k.notices, k.form, k.refusals, k.changed, k.underneath = a.words, nil, nil, nil, false, false
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
		k.cards, k.done, k.changed = []chat.Card{without(card)}, true, true
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

// back goes to the card beneath.
func (k *talk) back() {
	k.cards, k.notices, k.underneath = k.cards[:len(k.cards)-1], nil, true
}

// without is the card less what can be pressed.
func without(c chat.Card) chat.Card {
	var blocks []chat.Block
	for _, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Buttons, chat.Menu:
		case chat.Choice:
			blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(b.Title), chat.Words(": " + b.Text)}})
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

// item is one thing of a card that can be pressed.
type item struct {
	button *chat.Button
	menu   *chat.Menu
	title  string // of the choice it stands in
}

// items lists what can be pressed, in the order of the card.
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

// names are what a person may call an item.
func (i item) names() []string {
	if i.menu != nil {
		return []string{i.menu.Placeholder}
	}
	return []string{i.button.Label, i.title, i.button.Spoken}
}

// begin is the item to start on: the way on when something is chosen, else the first choice, else the way on,
// else the first that can be undone. It also returns the chosen one, or -1.
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

// check reads what was put into a field: the values to send, and what is wrong with them or "".
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
			place = chat.Place{Platform: k.me.Platform, Workspace: k.me.Workspace, Channel: strings.TrimSpace(values[0])}
		}
		values = []string{place.String()}
	case chat.Select: // nothing to do
	}
	return values, complaint
}

// people reads ids, with commas or white space between and an @ before them or not. A bare id is one of the
// person's own workspace.
func (k *talk) people(s string) []string {
	var all []string
	for _, id := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' }) {
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

// hint is the help line of a field: its own, and what the terminal must add.
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
