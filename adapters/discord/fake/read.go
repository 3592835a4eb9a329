package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"maturitybot/bot/chat"
)

type option struct {
	Label       string `json:"label"`
	Value       string `json:"value"`
	Description string `json:"description"`
	Default     bool   `json:"default"`
}

type component struct {
	Type        int         `json:"type"`
	Style       int         `json:"style"`
	Label       string      `json:"label"`
	Description string      `json:"description"`
	CustomID    string      `json:"custom_id"`
	Content     string      `json:"content"`
	Placeholder string      `json:"placeholder"`
	Value       string      `json:"value"`
	MaxLength   int         `json:"max_length"`
	MaxValues   int         `json:"max_values"`
	Required    *bool       `json:"required"`
	Options     []option    `json:"options"`
	Components  []component `json:"components"`
	Accessory   *component  `json:"accessory"`
	Component   *component  `json:"component"`
}

// ReadCard returns the card of which a message's components were drawn. It differs in what Discord
// does not show: a select that was drawn for a button with a confirmation is read as a dangerous
// button, after the others of its row; files are left out; text that was too long to be escaped is
// read as it looks.
func ReadCard(components json.RawMessage) (chat.Card, error) {
	var all []component
	if err := json.Unmarshal(components, &all); err != nil {
		return chat.Card{}, fmt.Errorf("read card: %w", err)
	}
	if len(all) != 1 || all[0].Type != 17 {
		return chat.Card{}, errors.New("read card: not one container")
	}
	var card chat.Card
	full := false // the last block is a row of five buttons, or of what goes with it
	for _, c := range all[0].Components {
		b, err := c.read()
		if err != nil {
			return chat.Card{}, fmt.Errorf("read card: %w", err)
		}
		if b == nil {
			continue
		}
		row, buttons := b.(chat.Buttons)
		if buttons && len(card.Blocks) > 0 {
			if last, ok := card.Blocks[len(card.Blocks)-1].(chat.Buttons); ok && (full || row.Buttons[0].Confirm != nil) {
				card.Blocks[len(card.Blocks)-1] = chat.Buttons{Buttons: append(last.Buttons, row.Buttons...)}
				full = len(row.Buttons) == 5
				continue
			}
		}
		card.Blocks = append(card.Blocks, b)
		full = buttons && len(row.Buttons) == 5
	}
	return card, nil
}

func (c component) read() (chat.Block, error) {
	switch c.Type {
	case 10:
		return read10(c.Content), nil
	case 14:
		return chat.Divider{}, nil
	case 12, 13:
		return nil, nil
	case 9:
		if len(c.Components) != 1 || c.Accessory == nil {
			return nil, errors.New("a section of another form")
		}
		x, err := c.Accessory.button()
		if err != nil {
			return nil, err
		}
		title, text, _ := strings.Cut(c.Components[0].Content, "\n")
		return chat.Choice{Title: plain(title), Text: plain(text), Button: x}, nil
	case 1:
		var row chat.Buttons
		for _, x := range c.Components {
			if x.Type == 3 && !strings.HasPrefix(x.CustomID, "?") {
				a, err := chat.DecodeAction(x.CustomID)
				return chat.Menu{Action: a, Placeholder: x.Placeholder, Options: options(x.Options)}, err
			}
			b, err := x.button()
			if err != nil {
				return nil, err
			}
			row.Buttons = append(row.Buttons, b)
		}
		if len(row.Buttons) > 0 {
			return row, nil
		}
	}
	return nil, fmt.Errorf("a component of type %d", c.Type)
}

// read10 reads a paragraph, which is a heading, a note, a table or text.
func read10(s string) chat.Block {
	switch {
	case strings.HasPrefix(s, "## "):
		return chat.Heading{Text: plain(s[3:])}
	case strings.HasPrefix(s, "```\n"):
		return chat.Table{Text: strings.TrimSuffix(s[4:], "\n```")}
	case strings.HasPrefix(s, "-# "):
		lines := strings.Split(s, "\n")
		for i, l := range lines {
			lines[i] = strings.TrimPrefix(l, "-# ")
		}
		return chat.Note{Spans: spans(strings.Join(lines, "\n"))}
	}
	return chat.Text{Spans: spans(s)}
}

// spans reads the Markdown that the bot writes.
func spans(s string) []chat.Span {
	var out []chat.Span
	var b strings.Builder
	bold := false
	flush := func() {
		if b.Len() == 0 {
			return
		}
		if bold {
			out = append(out, chat.Bold(b.String()))
		} else {
			out = append(out, chat.Words(b.String()))
		}
		b.Reset()
	}
	for len(s) > 0 {
		switch {
		case s[0] == '\\' && len(s) > 1:
			b.WriteByte(s[1])
			s = s[2:]
		case strings.HasPrefix(s, "**"):
			flush()
			bold = !bold
			s = s[2:]
		case strings.HasPrefix(s, "<@") && strings.Contains(s, ">"):
			flush()
			id, rest, _ := strings.Cut(s[2:], ">")
			out = append(out, chat.Mention{Person: chat.Person{Platform: "discord", ID: id}})
			s = rest
		case strings.HasPrefix(s, "<#") && strings.Contains(s, ">"):
			flush()
			id, rest, _ := strings.Cut(s[2:], ">")
			out = append(out, chat.Link{Place: chat.Place{Platform: "discord", Channel: id}})
			s = rest
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	flush()
	return out
}

// plain returns Markdown without its marks.
func plain(s string) string { return chat.PlainText(spans(s)) }

func (c component) button() (chat.Button, error) {
	id, asks := strings.CutPrefix(c.CustomID, "?")
	a, err := chat.DecodeAction(id)
	if err != nil {
		return chat.Button{}, fmt.Errorf("a button: %w", err)
	}
	switch {
	case c.Type == 2 && !asks:
		b := chat.Button{Action: a}
		b.Label, b.Chosen = strings.CutPrefix(c.Label, chat.Tick)
		switch c.Style {
		case 1:
			b.Style = chat.Primary
		case 4:
			b.Style = chat.Danger
		}
		return b, nil
	case c.Type == 3 && asks && len(c.Options) == 2 && c.Options[0].Value == "yes":
		return chat.Button{
			Label: c.Placeholder, Action: a, Style: chat.Danger,
			Confirm: &chat.Confirm{
				Text: c.Options[0].Description,
				Yes:  c.Options[0].Label,
				No:   c.Options[1].Label,
			},
		}, nil
	}
	return chat.Button{}, fmt.Errorf("a component of type %d for a button", c.Type)
}

func options(all []option) []chat.Option {
	var out []chat.Option
	for _, o := range all {
		out = append(out, chat.Option{Value: o.Value, Label: o.Label})
	}
	return out
}

// ReadForm returns the form of which a modal was drawn. The labels of its two buttons are
// Discord's.
func ReadForm(modal json.RawMessage) (chat.Form, error) {
	var v struct {
		CustomID   string      `json:"custom_id"`
		Title      string      `json:"title"`
		Components []component `json:"components"`
	}
	if err := json.Unmarshal(modal, &v); err != nil {
		return chat.Form{}, fmt.Errorf("read form: %w", err)
	}
	a, err := chat.DecodeAction(v.CustomID)
	if err != nil {
		return chat.Form{}, fmt.Errorf("read form: %w", err)
	}
	f := chat.Form{Title: v.Title, Submit: "Submit", Cancel: "Cancel", Action: a}
	for i, c := range v.Components {
		if i == 0 && c.Type == 10 {
			f.Intro = plain(c.Content)
			continue
		}
		if c.Type != 18 || c.Component == nil {
			return chat.Form{}, fmt.Errorf("read form: a component of type %d", c.Type)
		}
		field, err := c.field()
		if err != nil {
			return chat.Form{}, fmt.Errorf("read form: %w", err)
		}
		f.Fields = append(f.Fields, field)
	}
	return f, nil
}

func (c component) field() (chat.Field, error) {
	x := c.Component
	label := chat.Label{
		ID:       x.CustomID,
		Text:     c.Label,
		Hint:     c.Description,
		Optional: x.Required != nil && !*x.Required,
	}
	switch x.Type {
	case 4:
		switch x.Placeholder {
		case "11/12/2026":
			return chat.Date{Label: label, Value: x.Value}, nil
		case "17:00":
			return chat.TimeOfDay{Label: label, Value: x.Value}, nil
		}
		return chat.Input{Label: label, Value: x.Value, Max: x.MaxLength, Lines: x.Style == 2}, nil
	case 3:
		p := chat.Select{Label: label, Options: options(x.Options), Many: x.MaxValues > 1}
		for _, o := range x.Options {
			if o.Default {
				p.Chosen = append(p.Chosen, o.Value)
			}
		}
		return p, nil
	case 5:
		return chat.People{Label: label}, nil
	case 8:
		return chat.Channel{Label: label}, nil
	}
	return nil, fmt.Errorf("a field of type %d", x.Type)
}
