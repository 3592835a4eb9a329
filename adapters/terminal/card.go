package terminal

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
)

// cardParts prints a card like chat.Card.String, but wrapped. If numbered is set, each item has a
// number before it instead of brackets around it. Each part is one or more whole lines.
func cardParts(c chat.Card, width int, words Words, numbered bool) []string {
	var parts []string
	add := func(lead, s string) { parts = append(parts, wrap(lead, s, width)) }
	n := 0
	number := func() string {
		n++
		return fmt.Sprintf("%d) ", n)
	}
	for _, block := range c.Blocks {
		switch b := block.(type) {
		case chat.Heading:
			add("# ", b.Text)
		case chat.Text:
			add("", unstyled(b.Spans))
		case chat.Note:
			add("", "("+unstyled(b.Spans)+")")
		case chat.Table:
			parts = append(parts, strings.TrimRight(b.Text, "\n")+"\n")
		case chat.Divider:
			parts = append(parts, "---\n")
		case chat.Choice:
			text := b.Title
			if b.Button.Label != b.Title && b.Button.Label != "" {
				text += " [" + b.Button.Label + "]"
			}
			text = marked(text, b.Button, words)
			if b.Text != "" {
				text += ": " + b.Text
			}
			if numbered {
				add(number(), text)
			} else {
				add("- ", text)
			}
		case chat.Buttons:
			if !numbered {
				labels := make([]string, len(b.Buttons))
				for i, button := range b.Buttons {
					labels[i] = button.String()
				}
				add("", strings.Join(labels, " "))
				continue
			}
			for _, button := range b.Buttons {
				add(number(), marked(cmp.Or(button.Spoken, button.Label), button, words))
			}
		case chat.Menu:
			if numbered {
				add(number(), b.Placeholder+" …")
			} else {
				add("", "[▾ "+b.Placeholder+"]")
			}
		}
	}
	return parts
}

// marked returns a label with a sign that its button cannot be undone, and one that it is chosen.
func marked(label string, b chat.Button, words Words) string {
	if b.Style == chat.Danger {
		label += "!"
	}
	if b.Chosen {
		label = "✓ " + label
		if words.Chosen != "" {
			label += " (" + words.Chosen + ")"
		}
	}
	return label
}

// unstyled returns a paragraph without bold type and meters.
func unstyled(spans []chat.Span) string {
	return strings.TrimRight(chat.PlainText(chat.Unstyled(spans)), " ")
}

// wrap breaks a text at spaces into lines of at most width characters, each with its end. The first
// begins with lead, and the others are indented as far. A longer word has a line of its own, so that
// an address can be copied.
func wrap(lead, s string, width int) string {
	var b strings.Builder
	indent := strings.Repeat(" ", utf8.RuneCountInString(lead))
	write := func(line string) {
		b.WriteString(strings.TrimRight(lead+line, " ") + "\n")
		lead = indent
	}
	for paragraph := range strings.SplitSeq(s, "\n") {
		line, rest, more := strings.Cut(paragraph, " ")
		for more {
			var word string
			word, rest, more = strings.Cut(rest, " ")
			if utf8.RuneCountInString(indent+line)+1+utf8.RuneCountInString(word) <= width {
				line += " " + word
				continue
			}
			write(line)
			line = word
		}
		write(line)
	}
	return b.String()
}

// heading returns the first heading of a card, or "".
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

// itemNames returns the names that the user can type for each item.
func itemNames(all []item) [][]string {
	names := make([][]string, len(all))
	for i, it := range all {
		if it.menu != nil {
			names[i] = []string{it.menu.Placeholder}
		} else {
			names[i] = []string{it.button.Label, it.title, it.button.Spoken}
		}
	}
	return names
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

// listCard returns a card with the options of a menu.
func listCard(menu chat.Menu) chat.Card {
	card := chat.Card{Blocks: []chat.Block{chat.Heading{Text: menu.Placeholder}}}
	for _, o := range menu.Options {
		card.Blocks = append(card.Blocks, chat.Choice{
			Title:  o.Label,
			Button: chat.Button{Label: o.Label},
		})
	}
	return card
}

// confirmCard returns a card that asks for confirmation: yes, then no.
func confirmCard(b chat.Button) chat.Card {
	card := chat.Card{Blocks: []chat.Block{chat.Heading{Text: b.Confirm.Title}}}
	if b.Confirm.Text != "" {
		card.Blocks = append(card.Blocks, chat.Paragraph(b.Confirm.Text))
	}
	card.Blocks = append(card.Blocks, chat.Buttons{Buttons: []chat.Button{
		{Label: b.Confirm.Yes, Style: b.Style},
		{Label: b.Confirm.No},
	}})
	return card
}
