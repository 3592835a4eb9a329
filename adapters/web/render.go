package web

import (
	"net/url"
	"strconv"
	"strings"

	"maturitybot/bot/chat"
)

// block is a part of a page, as the template draws it.
type block struct {
	Kind    string // heading, text, note, choice, buttons, menu, options, table or divider
	Level   int    // of a heading
	Text    string
	Lang    string // of the text, where it is not that of the page
	Lines   [][]span
	Buttons []button
	ID      string // of the text that describes a choice
	Menu    menu
}

// span is a piece of a line.
type span struct {
	Text, URL string
	Bold      bool
	Hidden    bool // from screen readers: the words beside it say the same
}

// button is a link to a page where URL is set, and otherwise sends the form with Value.
type button struct {
	Label, Spoken, Value, URL string
	Lang, Style               string // Lang is that of the label, where it is not that of the page
	Chosen                    bool
	Described                 string // the id of the text that describes it
	Page                      bool   // it shows a page and changes nothing
}

// menu is a list to choose from, with its own button.
type menu struct {
	Name, Label, Value, Error string
	Options                   []chat.Option
}

// renderer draws the cards of one page.
type renderer struct {
	say   func(key string, facts ...any) string
	pages []string
	path  string // of the page itself
	// still leaves out everything that can be pressed.
	still bool
}

// card returns the parts of a card, and its title. The first heading is the title of the page.
func (d renderer) card(c chat.Card) (title string, blocks []block) {
	for i, b := range c.Blocks {
		switch b := b.(type) {
		case chat.Heading:
			level := 2
			if title == "" {
				title, level = b.Text, 1
			}
			blocks = append(blocks, block{Kind: "heading", Level: level, Text: b.Text})
		case chat.Text:
			blocks = append(blocks, block{Kind: "text", Lang: b.Lang, Lines: d.lines(b.Spans)})
		case chat.Note:
			blocks = append(blocks, block{Kind: "note", Lines: d.lines(b.Spans)})
		case chat.Choice:
			choice := d.choice(b)
			choice.ID = "choice-" + strconv.Itoa(i)
			choice.Buttons[0].Described = choice.ID
			blocks = append(blocks, choice)
		case chat.Buttons:
			row := block{Kind: "buttons"}
			for _, button := range b.Buttons {
				row.Buttons = append(row.Buttons, d.button(button))
			}
			blocks = append(blocks, row)
		case chat.Menu:
			blocks = append(blocks, d.menu(b))
		case chat.Table:
			blocks = append(blocks, block{Kind: "table", Text: strings.TrimRight(b.Text, "\n")})
		case chat.Divider:
			blocks = append(blocks, block{Kind: "divider"})
		}
	}
	if !d.still {
		leadOn(blocks)
		return title, blocks
	}
	kept := blocks[:0]
	for _, b := range blocks {
		if b.Kind == "buttons" || b.Kind == "menu" || b.Kind == "options" {
			continue
		}
		b.Buttons = nil
		kept = append(kept, b)
	}
	return title, kept
}

// leadOn lets the buttons after the only menu of a card send what was picked from it, so that it is
// not lost when a person does not press the menu's own button.
func leadOn(blocks []block) {
	var after []block
	for i, b := range blocks {
		if b.Kind == "menu" {
			if after != nil {
				return
			}
			after = blocks[i+1:]
		}
	}
	for _, row := range after {
		for i := range row.Buttons {
			if row.Buttons[i].Page {
				row.Buttons[i].URL = ""
			}
		}
	}
}

// choice returns one of several answers.
func (d renderer) choice(c chat.Choice) block {
	return block{
		Kind: "choice", Text: c.Title, Lines: d.lines([]chat.Span{chat.Words(c.Text)}),
		Buttons: []button{d.button(c.Button)},
	}
}

// lines returns spans by line.
func (d renderer) lines(spans []chat.Span) [][]span {
	lines := [][]span{nil}
	add := func(text string, as span) {
		for i, part := range strings.Split(text, "\n") {
			if i > 0 {
				lines = append(lines, nil)
			}
			if part != "" {
				as.Text = part
				lines[len(lines)-1] = append(lines[len(lines)-1], as)
			}
		}
	}
	for i, s := range spans {
		switch s := s.(type) {
		case chat.Words:
			add(string(s), span{})
		case chat.Bold:
			add(string(s), span{Bold: true})
		case chat.Mention: // a link has no access to the names of another platform
			key := "web.coordinator"
			if i == 0 {
				key = "web.coordinator_first"
			}
			add(d.say(key), span{})
		case chat.WebLink:
			add(s.Text, span{URL: s.URL})
		case chat.Link:
			add(s.String(), span{})
		case chat.Meter:
			add(s.String(), span{Hidden: true})
		}
	}
	return lines
}

// Styles of buttons, as the style sheet names them.
var styles = map[chat.Style]string{chat.Plain: "plain", chat.Primary: "primary", chat.Danger: "danger"}

func (d renderer) button(b chat.Button) button {
	encoded, _ := b.Action.Encode() // the bot checks its cards
	out := button{
		Label: b.Label, Spoken: b.Spoken, Lang: b.Lang, Value: encoded, Style: styles[b.Style], Chosen: b.Chosen,
	}
	_, page := action(encoded, d.pages)
	switch {
	case b.Confirm != nil:
		out.URL = d.path + "?" + url.Values{"ask": {encoded}}.Encode()
	case page:
		out.URL, out.Page = pagePath(b.Action), true
	}
	return out
}

func (d renderer) menu(m chat.Menu) block {
	encoded, _ := m.Action.Encode() // the bot checks its cards
	kind := "menu"
	if m.Leads {
		kind = "options"
	}
	return block{Kind: kind, Menu: menu{
		Name: pickedField(encoded), Label: m.Placeholder, Value: encoded, Options: m.Options,
	}}
}

// pickedField returns the name of the field with what was picked from the menu of an action.
func pickedField(encoded string) string { return pickedPrefix + encoded }

const pickedPrefix = "picked."

// confirm returns the question before an action, if a button of the card asks one.
func confirm(c chat.Card, encoded string) (chat.Button, bool) {
	for _, b := range c.Blocks {
		row, ok := b.(chat.Buttons)
		if !ok {
			continue
		}
		for _, button := range row.Buttons {
			if own, err := button.Action.Encode(); err == nil && own == encoded &&
				button.Confirm != nil {
				return button, true
			}
		}
	}
	return chat.Button{}, false
}
