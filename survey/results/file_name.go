package results

import (
	"slices"
	"strings"
	"time"

	"maturitybot/survey/plaintext"
)

// withoutAccents replaces accented vowels, which occur in Welsh names, with plain letters.
var withoutAccents = strings.NewReplacer(
	"á", "a", "à", "a", "â", "a", "ä", "a",
	"é", "e", "è", "e", "ê", "e", "ë", "e",
	"í", "i", "ì", "i", "î", "i", "ï", "i",
	"ó", "o", "ò", "o", "ô", "o", "ö", "o",
	"ú", "u", "ù", "u", "û", "u", "ü", "u",
	"ŵ", "w", "ŷ", "y",
)

// FileName returns a name without an extension for files of the results.
func (p Published) FileName() string {
	return FileName(p.Context.Area, p.Context.ClosedAt, p.Context.Round)
}

// FileName returns a name without an extension for files of a round. It is made of the area in
// plain letters, the month of the given time, and the id of the round. A part that is not known is
// left out.
func FileName(area string, at time.Time, round string) string {
	parts := []string{"maturity", hyphenated(area)}
	if !at.IsZero() {
		parts = append(parts, at.Format("2006-01"))
	}
	// The id may come from outside the bot, and must not lead out of the folder.
	parts = append(parts, strings.Map(keepIDRune, round))
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return strings.Join(parts, "-")
}

// hyphenated returns a name in lower-case letters and digits, with a hyphen in place of anything
// else between them.
func hyphenated(name string) string {
	var b strings.Builder
	for _, r := range withoutAccents.Replace(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}

// keepIDRune is a mapping for strings.Map that drops characters which ids do not have.
func keepIDRune(r rune) rune {
	if plaintext.IsIDRune(r) {
		return r
	}
	return -1
}
