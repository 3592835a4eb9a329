package locale

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	words := New()
	en, cy := words.In("en"), words.In("cy")
	at := func(hour, minute int) time.Time {
		return time.Date(2026, 12, 11, hour, minute, 59, 0, time.UTC)
	}
	for _, c := range []struct{ got, want string }{
		{en.Day(at(17, 0)), "Friday 11 December 2026"},
		{cy.Day(at(17, 0)), "dydd Gwener 11 Rhagfyr 2026"},
		{en.ShortDay(at(17, 0)), "11 Dec 2026"},
		{cy.ShortDay(at(17, 0)), "11 Rhag 2026"},
		{en.Time(at(17, 0)), "5pm on Friday 11 December 2026"},
		{cy.Time(at(17, 0)), "5yp ddydd Gwener 11 Rhagfyr 2026"},
		{en.Time(at(17, 30)), "5.30pm on Friday 11 December 2026"},
		{cy.Time(at(9, 5)), "9.05yb ddydd Gwener 11 Rhagfyr 2026"},
		{en.Time(at(12, 0)), "midday on Friday 11 December 2026"},
		{cy.Time(at(12, 0)), "hanner dydd ddydd Gwener 11 Rhagfyr 2026"},
		{en.Time(at(0, 0)), "midnight at the start of Friday 11 December 2026"},
		{cy.Time(at(0, 0)), "hanner nos ar ddechrau dydd Gwener 11 Rhagfyr 2026"},
		{en.Clock(at(0, 1)), "12.01am"},
		{en.Clock(at(12, 1)), "12.01pm"},
		{en.Clock(at(23, 59)), "11.59pm"},
		{cy.Clock(at(0, 0)), "hanner nos"},
		{cy.Clock(at(12, 30)), "12.30yp"},
		{cy.Clock(at(18, 0)), "6yh"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// collisions are words that do not go together before or in a time, by language.
var collisions = map[string]*regexp.Regexp{
	"en": regexp.MustCompile(`(?i)\b(at|on|by|until|from|before|since|in) (at|on|by|in)\b` +
		`|\b(on|in) (\d|midday|midnight)|\b(at|until|by|before|since) on\b` +
		`|\bat (Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|\bon [A-Z][a-z]+day,? at\b|\.\.|, ,|\( `),
	"cy": regexp.MustCompile(`(?i)\b(am|tan|erbyn|ar|ers|o) (am|tan|ar|ers)\b` +
		`|\b(am|tan|ar|i|o|gan|erbyn|ers) ddydd\b|\b(ar|i|o) dydd\b|\b(ar|ers) (\d|hanner)` +
		`|\bam dydd\b|\.\.|, ,|\( `),
}

// TestTimesInSentences fills each sentence that has a place for a time or a day with real ones, and
// looks for words that collide. With -v it prints the sentences, to be read.
func TestTimesInSentences(t *testing.T) {
	words := New()
	for lang, wrong := range collisions {
		v := words.In(lang)
		for _, hour := range []float64{0, 9, 12, 17.5, 18} {
			at := time.Date(2027, 2, 7, 0, 0, 0, 0, time.UTC).
				Add(time.Duration(hour * float64(time.Hour)))
			values := map[string]string{
				"closes": v.Time(at), "closed": v.Time(at), "when": v.Time(at),
				"until": v.Day(at), "day": v.Day(at), "clock": v.Clock(at), "wrote": v.Clock(at),
				"workshop": v.Time(at) + ", 1 High Street",
			}
			for key, texts := range sentences(t, lang) {
				if strings.HasPrefix(key, "time.") {
					continue
				}
				for _, text := range texts {
					filled := place.ReplaceAllStringFunc(text, func(name string) string {
						if value, ok := values[strings.Trim(name, "{}.")]; ok {
							return value
						}
						return name
					})
					if filled == text {
						continue
					}
					if hour == 17.5 {
						t.Logf("%s %s: %s", lang, key, filled)
					}
					if found := wrong.FindString(filled); found != "" {
						t.Errorf("%s: %s says %q: %s", lang, key, found, filled)
					}
				}
			}
		}
	}
}

// TestTimesAndPercentagesAsWritten refuses 17:00 and 70 % in sentences.
func TestTimesAndPercentagesAsWritten(t *testing.T) {
	wrong := regexp.MustCompile(`[\d}] %|\b\d?\d:\d\d\b|\bper cent\b|\by cant\b`)
	// A clock that a user may type, and a way to write it.
	may := []string{"new.closes_time_hint", "new.workshop_time_hint"}
	for lang := range forms {
		for key, texts := range sentences(t, lang) {
			if slices.Contains(may, key) || strings.HasSuffix(key, "_time.unreadable") ||
				key == "input.hour.unreadable" {
				continue
			}
			for _, text := range texts {
				if found := wrong.FindString(text); found != "" {
					t.Errorf("%s: %s says %q: %s", lang, key, found, text)
				}
			}
		}
	}
}
