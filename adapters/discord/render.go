package discord

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
)

// Limits that chat.Check does not know, from Discord's developers/components/reference.mdx and
// interactions/receiving-and-responding.mdx.
const (
	maxFields = 5    // of a modal
	maxAlt    = 1024 // of a picture's description
	maxOption = 100  // of an option's label, value and description
	maxPeople = 25   // chosen in one select
	maxTyped  = 40   // characters of a day or a time of day, which people write in words
)

// Flags of a message.
const (
	flagEphemeral    = 1 << 6
	flagComponentsV2 = 1 << 15
)

// Types of components.
const (
	typeRow           = 1
	typeButton        = 2
	typeSelect        = 3
	typeInput         = 4
	typeUserSelect    = 5
	typeRoleSelect    = 6
	typeChannelSelect = 8
	typeSection       = 9
	typeText          = 10
	typeGallery       = 12
	typeFile          = 13
	typeSeparator     = 14
	typeContainer     = 17
	typeLabel         = 18
)

// Styles of buttons and of text inputs.
const (
	stylePrimary   = 1
	styleSecondary = 2
	styleSuccess   = 3
	styleDanger    = 4

	inputShort     = 1
	inputParagraph = 2
)

// accent is the colour of a card's edge, which has no meaning.
const accent = 0x5865F2

// messageBody is the body of a message, to send or to change.
type messageBody struct {
	Flags       int             `json:"flags"`
	Components  []component     `json:"components"`
	Mentions    allowedMentions `json:"allowed_mentions"`
	Attachments []attachment    `json:"attachments,omitempty"`
	// Nonce makes sending it twice within a few minutes one message; at most 25 characters.
	Nonce        string `json:"nonce,omitempty"`
	EnforceNonce bool   `json:"enforce_nonce,omitempty"`
}

// allowedMentions keeps a message from notifying anybody: the list must be present and empty.
type allowedMentions struct {
	Parse [0]string `json:"parse"`
}

// attachment describes a file of a message, which is part "files[ID]" of the request.
type attachment struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	Description string `json:"description,omitempty"`
}

// component is a component of any type. Each type has some of these fields.
type component struct {
	Type         int         `json:"type"`
	Style        int         `json:"style,omitempty"`
	Label        string      `json:"label,omitempty"`
	Description  string      `json:"description,omitempty"`
	CustomID     string      `json:"custom_id,omitempty"`
	Content      string      `json:"content,omitempty"`
	Placeholder  string      `json:"placeholder,omitempty"`
	Value        string      `json:"value,omitempty"`
	MaxLength    int         `json:"max_length,omitempty"`
	Required     *bool       `json:"required,omitempty"`
	MinValues    *int        `json:"min_values,omitempty"`
	MaxValues    int         `json:"max_values,omitempty"`
	ChannelTypes []int       `json:"channel_types,omitempty"`
	Options      []selection `json:"options,omitempty"`
	AccentColour int         `json:"accent_color,omitempty"`
	Items        []picture   `json:"items,omitempty"`
	File         *media      `json:"file,omitempty"`
	Components   []component `json:"components,omitempty"`
	Accessory    *component  `json:"accessory,omitempty"`
	Component    *component  `json:"component,omitempty"`
}

type selection struct {
	Label       string `json:"label"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	Default     bool   `json:"default,omitempty"`
}

type media struct {
	URL string `json:"url"`
}

type picture struct {
	Media       media  `json:"media"`
	Description string `json:"description,omitempty"`
}

// modalBody is the body of a modal.
type modalBody struct {
	CustomID   string      `json:"custom_id"`
	Title      string      `json:"title"`
	Components []component `json:"components"`
}

// response is the first answer to an interaction.
type response struct {
	Type int `json:"type"`
	Data any `json:"data,omitempty"`

	encoded []byte // the whole response, if it was written before
}

// The first answers without content.
var (
	pongResponse = response{Type: 1}
	// deferredPost and deferredWhisper promise a message, to everybody in the channel or to the
	// person alone. Who sees it cannot be changed later.
	deferredPost    = response{Type: 5}
	deferredWhisper = response{Type: 5, Data: map[string]int{"flags": flagEphemeral}}
	// deferredUpdate says that the message that was pressed may change later.
	deferredUpdate = response{Type: 6}
)

func messageResponse(m messageBody) response { return response{Type: 4, Data: m} }
func updateResponse(m messageBody) response  { return response{Type: 7, Data: m} }
func modalResponse(d modalBody) response     { return response{Type: 9, Data: d} }

// choicesResponse answers a user who is typing. Options that do not fit are left out.
func choicesResponse(options []chat.Option) response {
	choices := []choice{}
	for _, o := range options {
		if o.Value == "" || utf8.RuneCountInString(o.Value) > maxOption {
			continue
		}
		if len(choices) < chat.MaxMenu {
			label := chat.Trim(oneLine(o.Label), maxOption)
			choices = append(choices, choice{Name: label, Value: o.Value})
		}
	}
	return response{Type: 8, Data: map[string][]choice{"choices": choices}}
}

// message draws a card. If whispered is true, one person sees it, which works only in the answer to
// an interaction. Files are shown above the last buttons; the caller uploads them in this order.
func message(c chat.Card, whispered bool, files []chat.File) (messageBody, error) {
	if len(c.Blocks) == 0 {
		return messageBody{}, fmt.Errorf("draw card: it is empty")
	}
	m := messageBody{Flags: flagComponentsV2}
	if whispered {
		m.Flags |= flagEphemeral
	}
	for p := range escapeModes {
		parts, err := p.blocks(c)
		if err != nil {
			return messageBody{}, fmt.Errorf("draw card: %w", err)
		}
		shown, attachments := attach(files)
		m.Attachments = attachments
		last := len(parts) // what is to be pressed stays below what is to be seen
		for last > 0 && (parts[last-1].Type == typeRow || parts[last-1].Type == typeSeparator) {
			last--
		}
		m.Components = []component{{
			Type: typeContainer, AccentColour: accent,
			Components: slices.Insert(parts, last, shown...),
		}}
		count, runes := size(m.Components)
		if count > chat.MaxComponents {
			return messageBody{}, fmt.Errorf(
				"draw card: %d components, at most %d", count, chat.MaxComponents)
		}
		if runes <= chat.MaxCardText {
			return m, nil
		}
	}
	return messageBody{}, fmt.Errorf(
		"draw card: more than %d characters of text", chat.MaxCardText)
}

// size returns the number of components, and of characters in their texts, as Discord counts them.
func size(all []component) (count, runes int) {
	for _, c := range all {
		n, r := size(c.Components)
		count, runes = count+1+n, runes+utf8.RuneCountInString(c.Content)+r
		if c.Accessory != nil {
			count++
		}
	}
	return count, runes
}

func (p escapeMode) blocks(c chat.Card) ([]component, error) {
	var out []component
	text := func(s string) {
		if s != "" {
			out = append(out, component{Type: typeText, Content: s})
		}
	}
	for _, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Heading:
			text(p.heading(b.Text))
		case chat.Text:
			text(p.text(b.Spans))
		case chat.Note:
			text(p.note(b.Spans))
		case chat.Table:
			text(p.table(b.Text))
		case chat.Divider:
			out = append(out, component{Type: typeSeparator})
		case chat.Choice:
			if b.Button.Confirm != nil { // a question takes the width of the card
				text(p.choice(b))
				rows, err := p.rows([]chat.Button{b.Button})
				if err != nil {
					return nil, err
				}
				out = append(out, rows...)
				break
			}
			press, err := button(b.Button)
			if err != nil {
				return nil, err
			}
			out = append(out, component{
				Type:       typeSection,
				Components: []component{{Type: typeText, Content: p.choice(b)}},
				Accessory:  &press,
			})
		case chat.Buttons:
			rows, err := p.rows(b.Buttons)
			if err != nil {
				return nil, err
			}
			out = append(out, rows...)
		case chat.Menu:
			id, err := b.Action.Encode()
			if err != nil {
				return nil, err
			}
			out = append(out, row(component{
				Type: typeSelect, CustomID: id, Placeholder: oneLine(b.Placeholder),
				Options: selections(b.Options, nil),
			}))
		default:
			return nil, fmt.Errorf("unknown block %T", block)
		}
	}
	return out, nil
}

func row(parts ...component) component { return component{Type: typeRow, Components: parts} }

// rows draws buttons, five to a row, and then each button that needs a confirmation in its own row.
func (p escapeMode) rows(buttons []chat.Button) ([]component, error) {
	var plain, asking []component
	for _, b := range buttons {
		if b.Confirm != nil {
			parts, err := p.question(b)
			if err != nil {
				return nil, err
			}
			asking = append(asking, parts...)
			continue
		}
		c, err := button(b)
		if err != nil {
			return nil, err
		}
		plain = append(plain, c)
	}
	var out []component
	for five := range slices.Chunk(plain, 5) {
		out = append(out, row(five...))
	}
	return append(out, asking...), nil
}

// questionPrefix begins the id of a select that stands for a button with a question.
const questionPrefix = "?"

// The answers to a question.
const (
	answerYes = "yes"
	answerNo  = "no"
)

// question draws a button that needs a confirmation. Discord has no dialog for that, so that the
// button becomes a select with the button's label, and the options yes and no. The whole question
// is part of the message, so that it needs no second card and works as long as the message exists.
func (p escapeMode) question(b chat.Button) ([]component, error) {
	id, err := b.Action.Encode()
	if err != nil {
		return nil, err
	}
	if len(questionPrefix+id) > chat.MaxAction {
		return nil, fmt.Errorf("action %q: %d bytes, at most %d where it asks again",
			b.Action.Verb, len(id), chat.MaxAction-len(questionPrefix))
	}
	var out []component
	means := oneLine(b.Confirm.Text)
	if utf8.RuneCountInString(means) > maxOption {
		note := p.note([]chat.Span{chat.Words(b.Confirm.Text)})
		out = append(out, component{Type: typeText, Content: note})
		means = oneLine(b.Confirm.Title)
	}
	yes := selection{
		Label: chat.Trim(oneLine(b.Confirm.Yes), maxOption), Value: answerYes,
		Description: chat.Trim(means, maxOption),
	}
	no := selection{Label: chat.Trim(oneLine(b.Confirm.No), maxOption), Value: answerNo}
	return append(out, row(component{
		Type: typeSelect, CustomID: questionPrefix + id, Placeholder: oneLine(b.Label),
		Options: []selection{yes, no},
	})), nil
}

func button(b chat.Button) (component, error) {
	id, err := b.Action.Encode()
	if err != nil {
		return component{}, err
	}
	c := component{Type: typeButton, Style: styleSecondary, Label: oneLine(b.Label), CustomID: id}
	switch b.Style {
	case chat.Primary:
		c.Style = stylePrimary
	case chat.Danger:
		c.Style = styleDanger
	}
	if b.Chosen {
		c.Style, c.Label = styleSuccess, chat.Tick+c.Label
	}
	return c, nil
}

func selections(all []chat.Option, chosen []string) []selection {
	out := make([]selection, len(all))
	for i, o := range all {
		out[i] = selection{
			Label: oneLine(o.Label), Value: o.Value, Default: slices.Contains(chosen, o.Value),
		}
	}
	return out
}

// attach draws files: pictures with their descriptions, and others to download.
func attach(files []chat.File) (shown []component, attachments []attachment) {
	var pictures []picture
	var others []component
	for i, f := range files {
		name := fileName(i, f.Name, attachments)
		description := chat.Trim(f.Alt, maxAlt)
		attachments = append(attachments, attachment{
			ID: strconv.Itoa(i), Filename: name, Description: description,
		})
		where := media{URL: "attachment://" + name}
		if strings.HasPrefix(f.Type, "image/") && f.Type != "image/svg+xml" { // Discord draws no SVG
			pictures = append(pictures, picture{Media: where, Description: description})
		} else {
			others = append(others, component{Type: typeFile, File: &where})
		}
	}
	if len(pictures) > 0 {
		shown = append(shown, component{Type: typeGallery, Items: pictures})
	}
	return append(shown, others...), attachments
}

// fileName returns a name that Discord does not change, and that no other file of the message has.
// A picture is referred to by it.
func fileName(i int, name string, others []attachment) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		if isLetter(r) || isDigit(r) || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, name), ".")
	taken := slices.ContainsFunc(others, func(a attachment) bool { return a.Filename == name })
	if name == "" || taken {
		name = strconv.Itoa(i) + "-" + name
	}
	return name
}

// modal draws a form of at most five fields. The intro is left out of a form with five fields,
// because Discord takes five components. Discord labels the buttons.
func modal(f chat.Form) (modalBody, error) {
	id, err := f.Action.Encode()
	if err != nil {
		return modalBody{}, fmt.Errorf("draw form: %w", err)
	}
	if len(f.Fields) == 0 || len(f.Fields) > maxFields {
		return modalBody{}, fmt.Errorf("draw form %q: %d fields, want 1 to %d",
			f.Action.Verb, len(f.Fields), maxFields)
	}
	d := modalBody{CustomID: id, Title: oneLine(f.Title)}
	intro := escapeBackslash.text([]chat.Span{chat.Words(f.Intro)})
	fits := len(f.Fields) < maxFields && utf8.RuneCountInString(intro) <= chat.MaxCardText
	if intro != "" && fits {
		d.Components = append(d.Components, component{Type: typeText, Content: intro})
	}
	for _, f := range f.Fields {
		part, err := field(f)
		if err != nil {
			return modalBody{}, fmt.Errorf("draw form: %w", err)
		}
		about := chat.About(f)
		label := component{Type: typeLabel, Label: oneLine(about.Text), Component: &part}
		if hint := strings.TrimSpace(about.Hint); hint != "" {
			label.Description = oneLine(hint)
		}
		d.Components = append(d.Components, label)
	}
	return d, nil
}

// field draws a field of a form. Discord has no field for a date or a time of day: they are text,
// with an example.
func field(f chat.Field) (component, error) {
	about := chat.About(f)
	required := !about.Optional
	least := 0
	if required {
		least = 1
	}
	c := component{CustomID: about.ID, Required: &required}
	switch f := f.(type) {
	case chat.Input:
		c.Type, c.Style = typeInput, inputShort
		c.Value, c.MaxLength = f.Value, f.Max
		if f.Lines {
			c.Style = inputParagraph
		}
		if n := utf8.RuneCountInString(f.Value); n > f.Max {
			return c, fmt.Errorf("field %q: %d characters stand in it, at most %d", about.ID, n, f.Max)
		}
	case chat.Date:
		c.Type, c.Style, c.MaxLength = typeInput, inputShort, maxTyped
		c.Value, c.Placeholder = f.Value, "11/12/2026"
	case chat.TimeOfDay:
		c.Type, c.Style, c.MaxLength = typeInput, inputShort, maxTyped
		c.Value, c.Placeholder = f.Value, "17:00"
	case chat.Select:
		c.Type, c.MinValues, c.MaxValues = typeSelect, &least, 1
		c.Options = selections(f.Options, f.Chosen)
		if f.Many {
			c.MaxValues = len(f.Options)
		}
	case chat.People:
		c.Type, c.MinValues, c.MaxValues = typeUserSelect, &least, maxPeople
	case chat.Channel:
		c.Type, c.MinValues, c.MaxValues = typeChannelSelect, &least, 1
		c.ChannelTypes = []int{0, 5} // text and announcements
	default:
		return c, fmt.Errorf("unknown field %T", f)
	}
	return c, nil
}

// cardUpdate is the response that puts a card in place of the one that was pressed.
type cardUpdate []byte

func drawUpdate(c chat.Card) (cardUpdate, error) {
	m, err := message(c, false, nil)
	if err != nil {
		return nil, err
	}
	return encode(updateResponse(m))
}

// encode writes a body.
func encode(v any) ([]byte, error) {
	if r, ok := v.(response); ok && r.encoded != nil {
		return r.encoded, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode body: %w", err)
	}
	return b, nil
}
