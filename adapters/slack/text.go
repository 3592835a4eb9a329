package slack

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
)

// zeroWidthSpace is a character without width. It parts what Slack would read together.
const zeroWidthSpace = "\u200b"

// escape makes clean text that Slack's markup shows as it is: no markup, mention, link, channel,
// quote or emoji code.
func escape(s string) string {
	s = plaintext.Clean(s)
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	lineStart := true
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		// At the end it is utf8.RuneError, which is no letter and no space.
		next, _ := utf8.DecodeRuneInString(s)
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			// An escaped one still makes a quote at the start of a line.
			if lineStart {
				b.WriteString(zeroWidthSpace)
			}
			b.WriteString("&gt;")
		case '*', '_', '~', '`':
			// There is no escape for these marks, and a character without width beside one makes it
			// mark more, not less.
			b.WriteRune(platform.Lookalike(r))
		case ':':
			b.WriteRune(r)
			if next == '/' || isCode(s) {
				b.WriteString(zeroWidthSpace)
			}
		case '@', '#':
			b.WriteRune(r)
			if s != "" && !unicode.IsSpace(next) {
				b.WriteString(zeroWidthSpace)
			}
		case '.':
			b.WriteRune(r)
			if unicode.IsLetter(next) { // example.org, without touching 10.30
				b.WriteString(zeroWidthSpace)
			}
		default:
			b.WriteRune(r)
		}
		lineStart = r == '\n' || lineStart && unicode.IsSpace(r)
	}
	return b.String()
}

// isCode reports whether what follows a colon ends an emoji code, such as "wave:".
func isCode(s string) bool {
	end := strings.IndexFunc(s, func(r rune) bool { return r == ':' || unicode.IsSpace(r) })
	return end > 0 && s[end] == ':'
}

// bold escapes text and marks each of its lines as bold, which does not reach over a line's end.
func bold(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, "*"+escape(line)+"*")
		}
	}
	return strings.Join(out, "\n")
}

// markup writes spans as Slack's markup.
func markup(all []chat.Span) string {
	var b strings.Builder
	for i, span := range all {
		switch s := span.(type) {
		case chat.Words:
			b.WriteString(escape(string(s)))
		case chat.Meter:
			b.WriteString(s.String())
		case chat.Mention:
			b.WriteString(mentionMarkup(s.Person))
		case chat.Link:
			b.WriteString(channelMarkup(s))
		case chat.WebLink:
			b.WriteString(escape(s.Text))
		case chat.Bold:
			text := string(s)
			marked := bold(text)
			if marked == "" {
				b.WriteString(text)
				continue
			}
			b.WriteString(text[:len(text)-len(strings.TrimLeftFunc(text, unicode.IsSpace))])
			// A mark counts only beside a space or the like.
			before, _ := utf8.DecodeLastRuneInString(b.String())
			parted := unicode.IsSpace(before) || strings.HasSuffix(b.String(), zeroWidthSpace)
			if b.Len() > 0 && !parted {
				b.WriteString(zeroWidthSpace)
			}
			b.WriteString(marked)
			rest := text[len(strings.TrimRightFunc(text, unicode.IsSpace)):] + chat.PlainText(all[i+1:])
			if after, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsSpace(after) {
				b.WriteString(zeroWidthSpace)
			}
			b.WriteString(text[len(strings.TrimRightFunc(text, unicode.IsSpace)):])
		}
	}
	return b.String()
}

func needsMarkup(s chat.Span) bool {
	switch s.(type) {
	case chat.Bold, chat.Mention, chat.Link:
		return true
	case chat.Meter, chat.WebLink, chat.Words: // nothing to do
	}
	return false
}

// mentionMarkup returns a person in Slack's markup; a person of another platform by their id.
func mentionMarkup(p chat.Person) string {
	if isUser(p) {
		return "<@" + p.ID + ">"
	}
	return escape("@" + p.ID)
}

// channelMarkup is a channel in Slack's markup; one of another platform by its id.
func channelMarkup(l chat.Link) string {
	if isChannel(l.Place) {
		return "<#" + l.Place.Channel + ">"
	}
	return escape(l.String())
}

// isChannel reports whether a place has an id as Slack gives channels: C, or G for some private
// ones, then capitals and digits.
func isChannel(p chat.Place) bool {
	return p.Platform == Platform && isID(p.Channel, "CG")
}

// isUser reports whether a person has an id as Slack gives them: U or, in an enterprise, W, then
// capitals and digits.
func isUser(p chat.Person) bool {
	return p.Platform == Platform && isID(p.ID, "UW")
}

// isID reports whether an id begins with one of the letters and goes on with capitals and digits.
func isID(id, letters string) bool {
	if len(id) < 2 || len(id) > 32 || !strings.ContainsRune(letters, rune(id[0])) {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// speech is the whole card in plain words, escaped, for the top-level text of a message: screen
// readers and notifications read nothing else. It has at most chat.MaxCardText characters, as
// chat.update takes (msg_too_long); what does not fit is dropped from the end, with an ellipsis. A
// meter, which is for the eye, is left out.
func speech(c chat.Card) string {
	var b strings.Builder
	room := chat.MaxCardText
	for _, line := range speechLines(c) {
		if b.Len() > 0 {
			line = "\n" + line
		}
		n := utf8.RuneCountInString(line)
		if n >= room {
			b.WriteString(truncateEscaped(line, room))
			break
		}
		b.WriteString(line)
		room -= n
	}
	return b.String()
}

// truncateEscaped cuts escaped text to n characters and no entity or mention in two, with an
// ellipsis when something was cut.
func truncateEscaped(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	s = string([]rune(s)[:n-1])
	if i := strings.LastIndexAny(s, "&<"); i >= 0 && !strings.ContainsAny(s[i:], ";>") {
		s = s[:i]
	}
	return strings.TrimRight(s, " \n") + "…"
}

// speechLines are a card's parts in words, escaped.
func speechLines(c chat.Card) []string {
	var out []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	for _, block := range c.Blocks {
		switch x := block.(type) {
		case chat.Heading:
			add(escape(x.Text))
		case chat.Text:
			add(markup(chat.Unstyled(x.Spans)))
		case chat.Note:
			add(markup(chat.Unstyled(x.Spans)))
		case chat.Table:
			add(escape(x.Text))
		case chat.Choice:
			title := x.Title
			if x.Button.Chosen { // in words: not every reader speaks a tick
				title = cmp.Or(x.Button.Spoken, chat.Tick+title)
			}
			add(escape(title + ": " + x.Text))
		case chat.Buttons:
			names := make([]string, len(x.Buttons))
			for i, b := range x.Buttons {
				names[i] = buttonName(b)
			}
			add(strings.Join(names, "; "))
		case chat.Menu:
			names := make([]string, len(x.Options))
			for i, o := range x.Options {
				names[i] = o.Label
			}
			add(escape(x.Placeholder + ": " + strings.Join(names, "; ")))
		case chat.Divider: // nothing to do
		}
	}
	return out
}

// buttonName is a button in words.
func buttonName(b chat.Button) string {
	label := b.Label
	if b.Chosen {
		label = cmp.Or(b.Spoken, chat.Tick+label)
	}
	return "[" + escape(label) + "]"
}
