package discord

import (
	"strings"
	"unicode"

	"maturitybot/adapters/platform"
	"maturitybot/bot/chat"
	"maturitybot/survey/plaintext"
)

// escapeMode is a way of writing plain text as Discord's Markdown. Backslashes count toward the
// 4000 characters of a message, so that a card which fits as plain text may need a shorter mode.
type escapeMode int

// The modes. The result of each is shorter than that of the one before.
const (
	escapeBackslash escapeMode = iota // a backslash before every character with a meaning in Markdown
	escapeLookalike                   // another character that looks the same in its place
	escapeBare                        // like escapeLookalike, without the bot's own Markdown
	escapeModes
)

// oneLine returns clean text on one line. It is never empty: Discord refuses a label of white
// space.
func oneLine(s string) string {
	if s = plaintext.Line(s); s == "" {
		return "–"
	}
	return s
}

// words escapes clean text without line breaks. Start is true at the start of a line, where more
// characters have a meaning, and last at its end.
func (p escapeMode) words(s string, start, last bool) string {
	var b strings.Builder
	put := func(r rune) {
		if p == escapeBackslash {
			b.WriteByte('\\')
		} else {
			r = platform.Lookalike(r)
		}
		b.WriteRune(r)
	}
	r := []rune(s)
	i := 0
	if start {
		for i < len(r) && r[i] == ' ' {
			b.WriteRune(r[i])
			i++
		}
		digits := i
		for digits < len(r) && isDigit(r[digits]) {
			digits++
		}
		switch {
		case i < len(r) && strings.ContainsRune("#-+", r[i]):
			put(r[i])
			i++
		case digits > i && digits < len(r) && (r[digits] == '.' || r[digits] == ')'):
			b.WriteString(string(r[i:digits]))
			put(r[digits])
			i = digits + 1
		}
	}
	for i < len(r) {
		if n := webAddressLen(r, i, last); n > 0 {
			b.WriteString(string(r[i : i+n]))
			i += n
			continue
		}
		switch {
		case strings.ContainsRune("\\*_~`|<>[]@", r[i]):
			put(r[i])
		case r[i] == ':' && isMarkupColon(r, i):
			put(r[i])
		default:
			b.WriteRune(r[i])
		}
		i++
	}
	return b.String()
}

// isTimeOfDay returns true if the colon at r[i] is that of a time of day, such as 17:00.
func isTimeOfDay(r []rune, i int) bool {
	if i == 0 || !isDigit(r[i-1]) {
		return false
	}
	end := i + 1
	for end < len(r) && isDigit(r[end]) {
		end++
	}
	if end != i+3 {
		return false
	}
	return end == len(r) || r[end] != ':' && r[end] != '_' && !unicode.IsLetter(r[end])
}

// isMarkupColon returns true if the colon at r[i] may belong to an emoji's name or a link.
func isMarkupColon(r []rune, i int) bool {
	return i+1 < len(r) && !unicode.IsSpace(r[i+1]) && !isTimeOfDay(r, i)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// isLetter returns true for a letter of ASCII.
func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// webAddressLen returns the length of a web address at r[i], or 0. An address is not escaped, so
// that it can be followed: the place of a workshop is often one. Discord reads an address up to the
// next space, backslashes included, so that only an address before a space or the end of the line
// counts.
func webAddressLen(r []rune, i int, last bool) int {
	if i > 0 && !unicode.IsSpace(r[i-1]) && r[i-1] != '(' {
		return 0
	}
	scheme := string(r[i:min(len(r), i+len("https://"))])
	if scheme != "https://" && !strings.HasPrefix(scheme, "http://") {
		return 0
	}
	n := i
	for n < len(r) && isAddressRune(r[n]) {
		n++
	}
	if n < len(r) && !unicode.IsSpace(r[n]) || n == len(r) && !last {
		return 0
	}
	return n - i
}

// isAddressRune returns true for the characters of an address that webAddressLen knows.
func isAddressRune(r rune) bool {
	return isLetter(r) || isDigit(r) || strings.ContainsRune("-._/?=&%+:#", r)
}

// piece is text of one weight, or, in raw, Markdown of the bot's.
type piece struct {
	text string
	bold bool
	raw  string
}

// pieces joins spans of one weight, because characters of two spans may have a meaning together.
func pieces(all []chat.Span) []piece {
	var out []piece
	add := func(p piece) {
		if n := len(out) - 1; n >= 0 && p.raw == "" && out[n].raw == "" && out[n].bold == p.bold {
			out[n].text += p.text
			return
		}
		if p.text+p.raw != "" {
			out = append(out, p)
		}
	}
	for _, span := range all {
		p := piece{text: plaintext.Clean(chat.PlainText([]chat.Span{span}))}
		switch s := span.(type) {
		case chat.Bold:
			p.bold = true
		case chat.Mention:
			if _, ok := snowflake(s.Person.ID); ok && s.Person.Platform == Platform {
				p = piece{raw: "<@" + s.Person.ID + ">"}
			}
		case chat.Link:
			if _, ok := snowflake(s.Place.Channel); ok && s.Place.Platform == Platform {
				p = piece{raw: "<#" + s.Place.Channel + ">"}
			}
		case chat.Words, chat.Meter, chat.WebLink: // the text alone
		}
		add(p)
	}
	return out
}

// lines returns spans as Markdown, one string for each line.
func (p escapeMode) lines(all []chat.Span) []string {
	var out []string
	var b strings.Builder
	end := func() { out = append(out, b.String()); b.Reset() }
	parts := pieces(all)
	for i, piece := range parts {
		if piece.raw != "" {
			b.WriteString(piece.raw)
			continue
		}
		rows := strings.Split(piece.text, "\n")
		for j, part := range rows {
			if j > 0 {
				end()
			}
			start := strings.TrimSpace(b.String()) == ""
			last := !piece.bold && (j < len(rows)-1 || i == len(parts)-1)
			text := p.words(part, start, last)
			if piece.bold && p != escapeBare && strings.TrimSpace(part) != "" {
				text = "**" + text + "**"
			}
			b.WriteString(text)
		}
	}
	end()
	return out
}

// text writes a paragraph.
func (p escapeMode) text(all []chat.Span) string {
	return strings.TrimSpace(strings.Join(p.lines(all), "\n"))
}

// note writes a footnote as Discord's subtext, whose mark holds for one line.
func (p escapeMode) note(all []chat.Span) string {
	var out []string
	for _, l := range p.lines(all) {
		if l = strings.TrimSpace(l); l != "" && p != escapeBare {
			l = "-# " + l
		}
		if l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

func (p escapeMode) heading(s string) string {
	s = p.words(oneLine(s), true, true)
	if p != escapeBare {
		s = "## " + s
	}
	return s
}

// table writes text of equal width. Backticks are replaced, so that none ends the block.
func (p escapeMode) table(s string) string {
	s = strings.ReplaceAll(plaintext.Clean(s), "`", string(platform.Lookalike('`')))
	return "```\n" + strings.Trim(s, "\n") + "\n```"
}

func (p escapeMode) choice(c chat.Choice) string {
	return p.text([]chat.Span{chat.Bold(oneLine(c.Title)), chat.Words("\n" + c.Text)})
}
