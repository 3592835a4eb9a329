// Package plaintext compares words, cleans text that people wrote before it is shown, decodes text
// files, and reports what is wrong in a file by line. It knows no words itself.
package plaintext

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Clean returns a text that can be shown anywhere: in chat, a table, a picture or a terminal. Line
// ends become "\n", tabs and Unicode's own line separators a space, and bytes that are not UTF-8
// become U+FFFD. Control characters, hence every escape sequence, and characters that change the
// direction of the text around them are dropped (Unicode Technical Report 36, bidirectional
// spoofing). Everything else stays, with the joiners that scripts and emoji need.
func Clean(s string) string {
	if clean(s) {
		return s
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, string(utf8.RuneError)), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\v', r == '\f', r == '\u0085':
			return '\n'
		case r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), unsafeFormat(r):
			return -1
		}
		return r
	}, s)
}

// clean says whether Clean has nothing to do, as for nearly every text.
func clean(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\n' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// unsafeFormat says whether a character has no look of its own and can hide or reorder others.
func unsafeFormat(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff' ||
		r >= '\u206a' && r <= '\u206f' || // deprecated format characters
		r >= '\ufff9' && r <= '\ufffb' // interlinear annotation
}

// Line is Clean for a text that stays on one line, without space around it.
func Line(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(Clean(s), "\n", " "))
}

// Key returns what two spellings of the same word or name have in common: texts with equal keys are
// the same. Upper and lower case are alike, and so are composed and decomposed accents (Unicode
// NFC), typographic and typewriter quotes, hyphens and dashes, and white space of any kind and
// length. White space around the text and characters without width do not count.
func Key(s string) string {
	if !ascii(s) {
		// NFC and folding come first, since both turn some characters into quotes: U+1FEF becomes
		// "`", and U+0149 an apostrophe and "n". NFC comes again where something stood between a
		// letter and its accent that plain drops.
		s = norm.NFC.String(cases.Fold().String(norm.NFC.String(s)))
		s = norm.NFC.String(strings.Map(plain, s))
	}
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}

// Same says whether two texts are the same word or name.
func Same(a, b string) bool { return Key(a) == Key(b) }

// TrimMarks returns a word without the quotes, asterisks and stops that people put around it or
// that a phone adds.
func TrimMarks(s string) string {
	return strings.Trim(strings.Map(plain, s), " \t\n\"'*_`.,;:!?()[]")
}

// Unaccented returns the key of a text without its accents. It is for suggestions only: in Welsh,
// an accent can tell two words apart.
func Unaccented(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(Key(s)))
}

func ascii(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\t', c == '\n', c == '\r':
		case c < ' ', c == '`', c >= 0x7f:
			return false
		}
	}
	return true
}

// plain returns the typewriter's character for a typographic one, or -1 for one without width.
func plain(r rune) rune {
	switch r {
	case '\u2018', '\u2019', '\u201a', '\u201b', '\u2032', '\u02b9', '\u02bc', '\u00b4', '`', '\uff07':
		return '\''
	case '\u201c', '\u201d', '\u201e', '\u201f', '\u2033', '\u00ab', '\u00bb', '\uff02':
		return '"'
	case '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015', '\u2043', '\u2212',
		'\ufe58', '\ufe63', '\uff0d':
		return '-'
	}
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return -1
	case r >= '\ufe00' && r <= '\ufe0f': // variation selectors
		return -1
	}
	return r
}

// IsIDRune reports whether a character is allowed in ids and in file names: a letter or digit of
// ASCII, a hyphen or an underscore.
func IsIDRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}
