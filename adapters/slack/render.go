package slack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"
	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
)

// Slack's own limits where chat.Card and chat.Form have none (docs.slack.dev/reference/block-kit,
// .../views).
const (
	maxHomeBlocks   = 100
	maxConfirmTitle = 100
	maxConfirmLabel = 30
	maxID           = 255 // block_id, action_id
	maxMetadata     = 3000
	maxCheckboxes   = 10
)

// buttonsPerRow is how many buttons stand in one actions block. Slack takes 25 and breaks the line
// anywhere: on a phone a row of more than five becomes a heap.
const buttonsPerRow = 5

// maxRadios is up to how many options are shown at once instead of behind a menu.
const maxRadios = 5

// blocks draws a card that has passed chat.Card.Check as at most so many blocks. The blocks have no
// ids: Slack gives new ones to each version of a message, which a fixed id would hinder
// (docs.slack.dev/reference/block-kit/blocks).
func blocks(c chat.Card, most int) ([]slackgo.Block, error) {
	var out []slackgo.Block
	var paragraphs *slackgo.RichTextSection // those that the next one is to follow
	for _, block := range c.Blocks {
		if text, ok := block.(chat.Text); ok {
			// Slack draws one block of rich text close under the other: a blank line parts
			// paragraphs, a new block does not.
			if paragraphs == nil {
				paragraphs = slackgo.NewRichTextSection(richText(text.Spans)...)
				out = append(out, slackgo.NewRichTextBlock("", paragraphs))
			} else {
				spans := append([]chat.Span{chat.Words("\n\n")}, text.Spans...)
				paragraphs.Elements = append(paragraphs.Elements, richText(spans)...)
			}
			continue
		}
		paragraphs = nil
		switch b := block.(type) {
		case chat.Heading:
			out = append(out, slackgo.NewHeaderBlock(plainText(b.Text)))
		case chat.Note:
			out = append(out, slackgo.NewContextBlock("", contextText(b.Spans)))
		case chat.Table:
			text := strings.TrimRight(plaintext.Clean(b.Text), "\n")
			out = append(out, slackgo.NewRichTextBlock("", &slackgo.RichTextPreformatted{
				Type: slackgo.RTEPreformatted,
				Elements: []slackgo.RichTextSectionElement{
					slackgo.NewRichTextSectionTextElement(text, nil),
				},
			}))
		case chat.Choice:
			press, err := button(b.Button)
			if err != nil {
				return nil, err
			}
			out = append(out, slackgo.NewSectionBlock(choiceText(b), nil,
				slackgo.NewAccessory(press), slackgo.SectionBlockOptionExpand(true)))
		case chat.Buttons:
			for _, row := range buttonRows(b.Buttons) {
				elements := make([]slackgo.BlockElement, len(row))
				for i, x := range row {
					press, err := button(x)
					if err != nil {
						return nil, err
					}
					elements[i] = press
				}
				out = append(out, slackgo.NewActionBlock("", elements...))
			}
		case chat.Menu:
			id, err := b.Action.Encode()
			if err != nil {
				return nil, fmt.Errorf("draw menu: %w", err)
			}
			menu := slackgo.NewOptionsSelectBlockElement(
				slackgo.OptTypeStatic, plainText(b.Placeholder), id, options(b.Options)...,
			)
			out = append(out, slackgo.NewActionBlock("", menu))
		case chat.Divider:
			out = append(out, slackgo.NewDividerBlock())
		default:
			return nil, fmt.Errorf("draw card: unknown block %T", b)
		}
	}
	if len(out) == 0 || len(out) > most {
		return nil, fmt.Errorf("draw card: %d blocks, want 1 to %d", len(out), most)
	}
	return out, nil
}

// buttonRows parts buttons into rows of nearly the same length.
func buttonRows(all []chat.Button) [][]chat.Button {
	if len(all) == 0 {
		return nil
	}
	n := (len(all) + buttonsPerRow - 1) / buttonsPerRow
	return slices.Collect(slices.Chunk(all, (len(all)+n-1)/n))
}

func button(b chat.Button) (*slackgo.ButtonBlockElement, error) {
	id, err := b.Action.Encode()
	if err != nil {
		return nil, fmt.Errorf("draw button: %w", err)
	}
	label, style := b.Label, slackgo.StyleDefault
	if b.Chosen {
		label = chat.Tick + label
	}
	switch {
	case b.Style == chat.Danger:
		style = slackgo.StyleDanger
	case b.Style == chat.Primary, b.Chosen:
		style = slackgo.StylePrimary
	}
	out := slackgo.NewButtonBlockElement(id, "", plainText(label)).WithStyle(style)
	out.AccessibilityLabel = b.Spoken
	if b.Confirm != nil {
		out.Confirm = confirm(*b.Confirm, b)
	}
	return out, nil
}

// confirm draws the question before a press. chat.Card.Check limits its text alone; the rest is cut
// with an ellipsis, and what was left empty is said in the button's words, since Slack takes no
// empty text.
func confirm(c chat.Confirm, b chat.Button) *slackgo.ConfirmationBlockObject {
	title := cmp.Or(c.Title, b.Label)
	out := slackgo.NewConfirmationBlockObject(
		plainText(chat.Trim(title, maxConfirmTitle)),
		plainText(cmp.Or(c.Text, title)),
		plainText(chat.Trim(cmp.Or(c.Yes, b.Label), maxConfirmLabel)),
		nil,
	)
	if c.No != "" {
		out.Deny = plainText(chat.Trim(c.No, maxConfirmLabel))
	}
	if b.Style == chat.Danger {
		out.Style = slackgo.StyleDanger
	}
	return out
}

func options(all []chat.Option) []*slackgo.OptionBlockObject {
	out := make([]*slackgo.OptionBlockObject, len(all))
	for i, o := range all {
		out[i] = slackgo.NewOptionBlockObject(o.Value, plainText(o.Label), nil)
	}
	return out
}

// homeView draws a card as App Home.
func homeView(c chat.Card) (slackgo.HomeTabViewRequest, error) {
	all, err := blocks(c, maxHomeBlocks)
	if err != nil {
		return slackgo.HomeTabViewRequest{}, err
	}
	return slackgo.HomeTabViewRequest{
		Type:   slackgo.VTHomeTab,
		Blocks: slackgo.Blocks{BlockSet: all},
	}, nil
}

// modal draws a form that has passed chat.Form.Check. Its submission brings o back. Each input's
// block_id and action_id are its field's id: so what was typed survives views.update, and errors
// find their field.
func modal(f chat.Form, o origin) (slackgo.ModalViewRequest, error) {
	id, err := f.Action.Encode()
	if err != nil {
		return slackgo.ModalViewRequest{}, fmt.Errorf("draw form: %w", err)
	}
	metadata, err := json.Marshal(o)
	if err != nil {
		return slackgo.ModalViewRequest{}, fmt.Errorf("write where the form was opened: %w", err)
	}
	if len(metadata) > maxMetadata {
		return slackgo.ModalViewRequest{}, fmt.Errorf(
			"draw form: its origin takes %d bytes, at most %d", len(metadata), maxMetadata)
	}
	var all []slackgo.Block
	if f.Intro != "" {
		all = append(all, slackgo.NewSectionBlock(plainText(f.Intro), nil, nil,
			slackgo.SectionBlockOptionExpand(true)))
	}
	for _, field := range f.Fields {
		input, err := input(field)
		if err != nil {
			return slackgo.ModalViewRequest{}, err
		}
		all = append(all, input)
	}
	if len(all) > maxHomeBlocks {
		return slackgo.ModalViewRequest{}, fmt.Errorf(
			"draw form: %d blocks, at most %d", len(all), maxHomeBlocks)
	}
	return slackgo.ModalViewRequest{
		Type:            slackgo.VTModal,
		Title:           plainText(f.Title),
		Submit:          plainText(f.Submit),
		Close:           plainText(f.Cancel),
		CallbackID:      id,
		PrivateMetadata: string(metadata),
		Blocks:          slackgo.Blocks{BlockSet: all},
	}, nil
}

func input(field chat.Field) (*slackgo.InputBlock, error) {
	about := chat.About(field)
	if len(about.ID) > maxID {
		return nil, fmt.Errorf("draw form: a field's id of %d bytes, at most %d", len(about.ID), maxID)
	}
	var element slackgo.BlockElement
	// What is empty is left out: Slack refuses a form with an empty initial date or an empty list
	// of initial options.
	switch x := field.(type) {
	case chat.Input:
		text := slackgo.NewPlainTextInputBlockElement(nil, about.ID)
		text.Multiline, text.InitialValue = x.Lines, x.Value
		// Slack counts as browsers do. What once fitted the field must not keep the form from
		// opening: the bot says again what the limit is when it comes back.
		text.MaxLength = max(x.Max, len(utf16.Encode([]rune(x.Value))))
		if text.MaxLength > chat.MaxFieldText {
			return nil, fmt.Errorf("draw form: field %q holds %d characters, at most %d",
				about.ID, text.MaxLength, chat.MaxFieldText)
		}
		element = text
	case chat.Select:
		element = selectElement(x)
	case chat.Date:
		date := slackgo.NewDatePickerBlockElement(about.ID)
		if _, err := time.Parse(time.DateOnly, x.Value); err == nil {
			date.InitialDate = x.Value
		}
		element = date
	case chat.TimeOfDay:
		clock := slackgo.NewTimePickerBlockElement(about.ID)
		if _, err := time.Parse("15:04", x.Value); err == nil {
			clock.InitialTime = x.Value
		}
		element = clock
	case chat.People:
		element = slackgo.NewOptionsMultiSelectBlockElement(slackgo.MultiOptTypeUser, nil, about.ID)
	case chat.Channel:
		channel := slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeConversations, nil, about.ID)
		channel.Filter = &slackgo.SelectBlockElementFilter{
			Include:         []string{"public", "private"},
			ExcludeBotUsers: true,
		}
		element = channel
	default:
		return nil, fmt.Errorf("draw form: unknown field %T", field)
	}
	var hint *slackgo.TextBlockObject
	if about.Hint != "" {
		hint = plainText(about.Hint)
	}
	block := slackgo.NewInputBlock(about.ID, plainText(about.Text), hint, element)
	return block.WithOptional(about.Optional), nil
}

func selectElement(p chat.Select) slackgo.BlockElement {
	all := options(p.Options)
	var chosen []*slackgo.OptionBlockObject
	for i, o := range p.Options {
		if slices.Contains(p.Chosen, o.Value) {
			chosen = append(chosen, all[i])
		}
	}
	switch {
	case p.Many && len(all) <= maxCheckboxes:
		boxes := slackgo.NewCheckboxGroupsBlockElement(p.ID, all...)
		boxes.InitialOptions = chosen
		return boxes
	case p.Many:
		menu := slackgo.NewOptionsMultiSelectBlockElement(slackgo.MultiOptTypeStatic, nil, p.ID, all...)
		menu.InitialOptions = chosen
		return menu
	case len(all) <= maxRadios && !p.Optional:
		// Once a radio button is pressed, the field cannot be left empty again. A menu can.
		radio := slackgo.NewRadioButtonsBlockElement(p.ID, all...)
		if len(chosen) > 0 {
			radio.InitialOption = chosen[0]
		}
		return radio
	default:
		menu := slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeStatic, nil, p.ID, all...)
		if len(chosen) > 0 {
			menu.InitialOption = chosen[0]
		}
		return menu
	}
}

// plainText is literal text: no markup, no links, no emoji codes.
func plainText(s string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.PlainTextType, plaintext.Clean(s), false, false)
}

// richText draws spans without any markup to escape.
func richText(all []chat.Span) []slackgo.RichTextSectionElement {
	var out []slackgo.RichTextSectionElement
	say := func(s string, style *slackgo.RichTextSectionTextStyle) {
		if s = plaintext.Clean(s); s != "" {
			out = append(out, slackgo.NewRichTextSectionTextElement(s, style))
		}
	}
	for _, span := range all {
		switch s := span.(type) {
		case chat.Words:
			say(string(s), nil)
		case chat.Bold:
			say(string(s), &slackgo.RichTextSectionTextStyle{Bold: true})
		case chat.Meter:
			say(s.String(), nil)
		case chat.Mention:
			if isUser(s.Person) {
				out = append(out, slackgo.NewRichTextSectionUserElement(s.Person.ID, nil))
			} else {
				say("@"+s.Person.ID, nil)
			}
		case chat.WebLink:
			out = append(out, slackgo.NewRichTextSectionLinkElement(s.URL, s.Text, nil))
		case chat.Link:
			if isChannel(s.Place) {
				out = append(out, slackgo.NewRichTextSectionChannelElement(s.Place.Channel, nil))
			} else {
				say(s.String(), nil)
			}
		}
	}
	return out
}

// contextText draws a line of lesser weight: literal where nothing in it is bold or a mention,
// and where its markup would not fit.
func contextText(all []chat.Span) slackgo.MixedElement {
	marked := markup(all)
	if slices.ContainsFunc(all, needsMarkup) && utf8.RuneCountInString(marked) <= chat.MaxText {
		return slackgo.NewTextBlockObject(slackgo.MarkdownType, marked, false, false)
	}
	return plainText(chat.PlainText(all))
}

// choiceText is a title in bold above its text, in markup for want of anything else that has a
// button beside it; literal when the escaping makes it too long.
func choiceText(c chat.Choice) *slackgo.TextBlockObject {
	var lines []string
	if s := bold(c.Title); s != "" {
		lines = append(lines, s)
	}
	if c.Text != "" {
		lines = append(lines, escape(c.Text))
	}
	if s := strings.Join(lines, "\n"); utf8.RuneCountInString(s) <= chat.MaxText {
		return slackgo.NewTextBlockObject(slackgo.MarkdownType, s, false, false)
	}
	return plainText(strings.Trim(c.Title+"\n"+c.Text, "\n"))
}
