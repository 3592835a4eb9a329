package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
)

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// String returns the text as people see it, without its marks.
func (t *text) String() string {
	switch {
	case t == nil:
		return ""
	case t.Type == "mrkdwn":
		return unmark(t.Text)
	}
	return t.Text
}

var named = regexp.MustCompile(`<([@#])([UWCG][A-Z0-9]+)>`)

// spans returns the text as people see it, with the people and channels that it names.
func (t *text) spans() []chat.Span {
	var out []chat.Span
	at := 0
	if t.Type == "mrkdwn" {
		for _, m := range named.FindAllStringSubmatchIndex(t.Text, -1) {
			out = append(out, chat.Words(unmark(t.Text[at:m[0]])))
			if id := t.Text[m[4]:m[5]]; t.Text[m[2]:m[3]] == "#" {
				out = append(out, chat.Link{Place: chat.Place{Platform: "slack", Workspace: Team, Channel: id}})
			} else {
				out = append(out, chat.Mention{Person: chat.Person{Platform: "slack", Workspace: Team, ID: id}})
			}
			at = m[1]
		}
	}
	return append(out, chat.Words((&text{t.Type, t.Text[at:]}).String()))
}

type option struct {
	Text  *text  `json:"text"`
	Value string `json:"value"`
}

type element struct {
	Type        string          `json:"type"`
	ActionID    string          `json:"action_id"`
	Text        json.RawMessage `json:"text"` // a string in rich text, an object in a button
	Style       json.RawMessage `json:"style"`
	Spoken      string          `json:"accessibility_label"`
	Placeholder *text           `json:"placeholder"`
	Options     []option        `json:"options"`
	UserID      string          `json:"user_id"`
	ChannelID   string          `json:"channel_id"`
	URL         string          `json:"url"`
	Confirm     *struct {
		Title, Text, Confirm, Deny *text
	} `json:"confirm"`
	Elements []element `json:"elements"`

	Value     string   `json:"initial_value"`
	Most      int      `json:"max_length"`
	Multiline bool     `json:"multiline"`
	Initial   *option  `json:"initial_option"`
	Initials  []option `json:"initial_options"`
	Date      string   `json:"initial_date"`
	Time      string   `json:"initial_time"`
}

type block struct {
	Type      string    `json:"type"`
	BlockID   string    `json:"block_id"`
	Text      *text     `json:"text"`
	Elements  []element `json:"elements"`
	Accessory *element  `json:"accessory"`
	Label     *text     `json:"label"`
	Hint      *text     `json:"hint"`
	Optional  bool      `json:"optional"`
	Element   *element  `json:"element"`
}

// unmark removes the escaping and the marks of Slack's markup. It is the inverse of how cards are
// drawn, so a star in the text is a mark.
func unmark(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if strings.HasPrefix(s, "<@") {
			if name, rest, ok := strings.Cut(s[2:], ">"); ok {
				b.WriteString("@" + name)
				s = rest
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch r {
		case '*', '\u200b':
		default:
			b.WriteRune(r)
		}
	}
	return unescape.Replace(b.String())
}

// ReadCard returns the card of which blocks were drawn. Its Card.String equals that of the card
// that was sent; what Card.String does not show, such as bold type or a primary button beside a
// tick, may differ.
func ReadCard(blocks json.RawMessage) (chat.Card, error) {
	var all []block
	if err := json.Unmarshal(blocks, &all); err != nil {
		return chat.Card{}, fmt.Errorf("read blocks: %w", err)
	}
	var c chat.Card
	var rows [][]chat.Button // of buttons, from top to bottom
	flush := func() {
		c.Blocks = append(c.Blocks, joined(rows)...)
		rows = nil
	}
	for _, b := range all {
		if b.Type == "actions" && len(b.Elements) > 0 && b.Elements[0].Type == "button" {
			var row []chat.Button
			for _, e := range b.Elements {
				x, err := e.button()
				if err != nil {
					return chat.Card{}, err
				}
				row = append(row, x)
			}
			rows = append(rows, row)
			continue
		}
		flush()
		read, err := b.read()
		if err != nil {
			return chat.Card{}, err
		}
		c.Blocks = append(c.Blocks, read)
	}
	flush()
	return c, nil
}

func (b block) read() (chat.Block, error) {
	switch b.Type {
	case "header":
		return chat.Heading{Text: b.Text.String()}, nil
	case "divider":
		return chat.Divider{}, nil
	case "rich_text":
		if len(b.Elements) == 1 && b.Elements[0].Type == "rich_text_preformatted" {
			spans, err := spans(b.Elements[0].Elements)
			if err != nil {
				return nil, err
			}
			var t strings.Builder
			for _, s := range spans {
				if w, ok := s.(chat.Words); ok {
					t.WriteString(string(w))
				}
			}
			return chat.Table{Text: t.String()}, nil
		}
		if len(b.Elements) != 1 {
			return nil, fmt.Errorf("read rich text of %d parts", len(b.Elements))
		}
		all, err := spans(b.Elements[0].Elements)
		return chat.Text{Spans: all}, err
	case "context":
		var line []chat.Span
		for _, e := range b.Elements {
			t := text{Type: e.Type}
			if err := json.Unmarshal(e.Text, &t.Text); err != nil {
				return nil, fmt.Errorf("read note: %w", err)
			}
			line = append(line, t.spans()...)
		}
		return chat.Note{Spans: line}, nil
	case "section":
		if b.Accessory == nil {
			return chat.Paragraph(b.Text.String()), nil
		}
		x, err := b.Accessory.button()
		if err != nil {
			return nil, err
		}
		return b.choice(x), nil
	case "actions":
		if len(b.Elements) == 1 && b.Elements[0].Type == "static_select" {
			e := b.Elements[0]
			a, err := chat.DecodeAction(e.ActionID)
			return chat.Menu{
				Action:      a,
				Placeholder: e.Placeholder.String(),
				Options:     options(e.Options),
			}, err
		}
	}
	return nil, fmt.Errorf("read block of type %q: none of a card", b.Type)
}

// choice splits a section into title and text: the lines of the title are in bold.
func (b block) choice(x chat.Button) chat.Choice {
	lines := strings.Split(b.Text.Text, "\n")
	n := 1
	if b.Text.Type == "mrkdwn" {
		for n = 0; n < len(lines) && strings.HasPrefix(lines[n], "*"); n++ {
		}
	}
	show := func(part []string) string {
		return (&text{b.Text.Type, strings.Join(part, "\n")}).String()
	}
	return chat.Choice{Title: show(lines[:n]), Text: show(lines[n:]), Button: x}
}

func (e element) button() (chat.Button, error) {
	if e.Type != "button" {
		return chat.Button{}, fmt.Errorf("read button: it is a %q", e.Type)
	}
	var label text
	if err := json.Unmarshal(e.Text, &label); err != nil {
		return chat.Button{}, fmt.Errorf("read button: %w", err)
	}
	a, err := chat.DecodeAction(e.ActionID)
	if err != nil {
		return chat.Button{}, fmt.Errorf("read button: %w", err)
	}
	b := chat.Button{Action: a, Spoken: e.Spoken}
	b.Label, b.Chosen = strings.CutPrefix(label.Text, chat.Tick)
	switch string(e.Style) {
	case `"danger"`:
		b.Style = chat.Danger
	case `"primary"`:
		b.Style = chat.Primary
	}
	if c := e.Confirm; c != nil {
		b.Confirm = &chat.Confirm{
			Title: c.Title.String(), Text: c.Text.String(),
			Yes: c.Confirm.String(), No: c.Deny.String(),
		}
	}
	return b, nil
}

// joined joins rows that were one row before they were broken into rows of nearly equal length,
// none over five. Two groups of buttons that look like that are read as one.
func joined(rows [][]chat.Button) []chat.Block {
	const most = 5
	var out []chat.Block
	for len(rows) > 0 {
		n := len(rows)
		for ; n > 1; n-- {
			total := 0
			for _, r := range rows[:n] {
				total += len(r)
			}
			if (total+most-1)/most != n {
				continue
			}
			each := (total + n - 1) / n
			if !slices.ContainsFunc(rows[:n-1], func(r []chat.Button) bool { return len(r) != each }) {
				break
			}
		}
		out = append(out, chat.Buttons{Buttons: slices.Concat(rows[:n]...)})
		rows = rows[n:]
	}
	return out
}

func spans(all []element) ([]chat.Span, error) {
	var out []chat.Span
	for _, e := range all {
		switch e.Type {
		case "text":
			var s string
			if err := json.Unmarshal(e.Text, &s); err != nil {
				return nil, fmt.Errorf("read text: %w", err)
			}
			var style struct{ Bold bool }
			if json.Unmarshal(e.Style, &style) == nil && style.Bold {
				out = append(out, chat.Bold(s))
			} else {
				out = append(out, chat.Words(s))
			}
		case "user":
			out = append(out, chat.Mention{
				Person: chat.Person{Platform: "slack", Workspace: Team, ID: e.UserID},
			})
		case "link":
			var s string
			err := json.Unmarshal(e.Text, &s)
			if err != nil || !strings.HasPrefix(e.URL, "https://fake.slack.com/archives/") {
				return nil, fmt.Errorf("read link: %q to %q", s, e.URL)
			}
			out = append(out, chat.WebLink{Text: s, URL: e.URL})
		case "channel":
			out = append(out, chat.Link{
				Place: chat.Place{Platform: "slack", Workspace: Team, Channel: e.ChannelID},
			})
		default:
			return nil, fmt.Errorf("read text: %q is none of a card", e.Type)
		}
	}
	return out, nil
}

func options(all []option) []chat.Option {
	var out []chat.Option
	for _, o := range all {
		out = append(out, chat.Option{Value: o.Value, Label: o.Text.String()})
	}
	return out
}

// ReadForm returns the form of which a modal was drawn.
func ReadForm(view json.RawMessage) (chat.Form, error) {
	var v struct {
		Type   string  `json:"type"`
		Title  *text   `json:"title"`
		Submit *text   `json:"submit"`
		Close  *text   `json:"close"`
		Action string  `json:"callback_id"`
		Blocks []block `json:"blocks"`
	}
	if err := json.Unmarshal(view, &v); err != nil {
		return chat.Form{}, fmt.Errorf("read form: %w", err)
	}
	if v.Type != "modal" {
		return chat.Form{}, fmt.Errorf("read form: it is a %q", v.Type)
	}
	a, err := chat.DecodeAction(v.Action)
	if err != nil {
		return chat.Form{}, fmt.Errorf("read form: %w", err)
	}
	f := chat.Form{
		Title:  v.Title.String(),
		Submit: v.Submit.String(),
		Cancel: v.Close.String(),
		Action: a,
	}
	for i, b := range v.Blocks {
		switch {
		case b.Type == "section" && i == 0:
			f.Intro = b.Text.String()
		case b.Type == "input" && b.Element != nil:
			field, err := b.field()
			if err != nil {
				return chat.Form{}, err
			}
			f.Fields = append(f.Fields, field)
		default:
			return chat.Form{}, fmt.Errorf("read form: a %q in it", b.Type)
		}
	}
	return f, nil
}

func (b block) field() (chat.Field, error) {
	e := b.Element
	if e.ActionID != b.BlockID {
		return nil, errors.New("read field: block and action have other ids")
	}
	label := chat.Label{
		ID:       b.BlockID,
		Text:     b.Label.String(),
		Hint:     b.Hint.String(),
		Optional: b.Optional,
	}
	switch e.Type {
	case "plain_text_input":
		return chat.Input{Label: label, Value: e.Value, Max: e.Most, Lines: e.Multiline}, nil
	case "static_select", "radio_buttons", "checkboxes", "multi_static_select":
		many := e.Type == "checkboxes" || e.Type == "multi_static_select"
		p := chat.Select{Label: label, Options: options(e.Options), Many: many}
		if e.Initial != nil {
			p.Chosen = append(p.Chosen, e.Initial.Value)
		}
		for _, o := range e.Initials {
			p.Chosen = append(p.Chosen, o.Value)
		}
		return p, nil
	case "datepicker":
		return chat.Date{Label: label, Value: e.Date}, nil
	case "timepicker":
		return chat.TimeOfDay{Label: label, Value: e.Time}, nil
	case "multi_users_select":
		return chat.People{Label: label}, nil
	case "conversations_select":
		return chat.Channel{Label: label}, nil
	}
	return nil, fmt.Errorf("read field: a %q", e.Type)
}

// unescape replaces the entities and look-alikes of escaped text by what they stand for.
var unescape = strings.NewReplacer(
	"&lt;", "<", "&gt;", ">", "&amp;", "&", "∗", "*", "ˍ", "_", "∼", "~", "ˋ", "`",
)
