package main

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"maturitybot/bot/chat"
)

// parse reads a page.
func parse(t *testing.T, page string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// attribute returns an attribute of an element, or empty.
func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// elements returns the elements of a name below a node.
func elements(n *html.Node, name string) []*html.Node {
	var found []*html.Node
	for child := range n.Descendants() {
		if child.Type == html.ElementNode && child.Data == name {
			found = append(found, child)
		}
	}
	return found
}

// hidden returns the hidden fields of the form in the main part of a page.
func hidden(page *html.Node) url.Values {
	values := url.Values{}
	for _, main := range elements(page, "main") {
		for _, input := range elements(main, "input") {
			if attribute(input, "type") == "hidden" {
				values.Set(attribute(input, "name"), attribute(input, "value"))
			}
		}
	}
	return values
}

// readPage returns what the main part of a page says, a line for each part: headings, paragraphs, buttons in brackets, and the
// options of menus.
func readPage(page *html.Node) string {
	var b strings.Builder
	line := func(before string, n *html.Node, after string) { b.WriteString(before + textOf(n) + after + "\n") }
	for _, main := range elements(page, "main") {
		for n := range main.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			switch n.Data {
			case "h1", "h2", "p", "label", "legend", "pre", "option", "textarea", "blockquote":
				line("", n, "")
			case "button":
				line("[", n, "]")
			case "a":
				line("[", n, "]")
			case "input":
				if kind := attribute(n, "type"); kind == "text" {
					b.WriteString(attribute(n, "value") + "\n")
				}
			}
		}
	}
	return b.String()
}

// textOf returns the text of a node, without what is hidden from screen readers except the mark of the chosen answer.
func textOf(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for child := range n.ChildNodes() {
			switch {
			case child.Type == html.TextNode:
				b.WriteString(child.Data)
			case child.Data == "br":
				b.WriteString(" ")
			default:
				walk(child)
			}
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

// oneLine is a text as readPage returns it.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// onPage returns the lines that readPage finds for a card.
func onPage(c chat.Card, say func(string) string) string {
	var b strings.Builder
	line := func(s string) { b.WriteString(oneLine(s) + "\n") }
	buttonLine := func(x chat.Button) {
		label := x.Label
		if x.Chosen {
			label = chat.Tick + label
		}
		line("[" + label + "]")
	}
	for _, block := range c.Blocks {
		switch x := block.(type) {
		case chat.Heading:
			line(x.Text)
		case chat.Text:
			line(spoken(x.Spans, say))
		case chat.Note:
			line(spoken(x.Spans, say))
		case chat.Table:
			line(x.Text)
		case chat.Choice:
			line(x.Title)
			line(x.Text)
			buttonLine(x.Button)
		case chat.Buttons:
			for _, button := range x.Buttons {
				buttonLine(button)
			}
		case chat.Menu:
			line(x.Placeholder)
			for _, o := range x.Options {
				if x.Leads { // each option is a button of its own
					line("[" + o.Label + "]")
				} else {
					line(o.Label)
				}
			}
		case chat.Divider:
		}
	}
	return b.String()
}

// spoken is a text as a page has it: people of another platform have no name there.
func spoken(spans []chat.Span, say func(string) string) string {
	var out []chat.Span
	for i, s := range spans {
		if _, ok := s.(chat.Mention); ok {
			s = chat.Words(say("web.coordinator"))
			if i == 0 {
				s = chat.Words(say("web.coordinator_first"))
			}
		}
		out = append(out, s)
	}
	return chat.PlainText(out)
}

// formOnPage returns the lines that readPage finds for a form.
func formOnPage(f chat.Form) string {
	var b strings.Builder
	line := func(s string) {
		if s != "" {
			b.WriteString(oneLine(s) + "\n")
		}
	}
	line(f.Title)
	line(f.Intro)
	for _, field := range f.Fields {
		l := chat.About(field)
		line(l.Hint)
		switch x := field.(type) {
		case chat.Input:
			line(x.Value)
		case chat.Select:
			for _, o := range x.Options {
				line(o.Label)
			}
		}
	}
	line("[" + f.Submit + "]")
	line("[" + f.Cancel + "]")
	return b.String()
}
