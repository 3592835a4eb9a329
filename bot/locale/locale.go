// Package locale holds every sentence the bot says, in English and Welsh, and nothing else: the
// words of the matrix are data of their own, and what a sentence is said about is the caller's
// business. The sentences are in en.yaml and cy.yaml, from which cmd/generate writes sentences.go.
package locale

import (
	"fmt"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:generate go run maturitybot/cmd/generate sentences.go

// Words are the sentences of every language.
type Words struct {
	english, welsh *i18n.Localizer
}

// New returns the sentences that come with the program.
func New() *Words {
	bundle := i18n.NewBundle(language.English)
	bundle.MustAddMessages(language.English, english...)
	bundle.MustAddMessages(language.MustParse("cy"), welsh...)
	return &Words{
		english: i18n.NewLocalizer(bundle, "en"),
		welsh:   i18n.NewLocalizer(bundle, "cy"),
	}
}

// In returns the voice that speaks the language, given as "en" or "cy"; for any other language it
// is English.
func (w *Words) In(lang string) Voice {
	if lang == "cy" {
		return Voice{Lang: "cy", words: w, localizer: w.welsh}
	}
	return Voice{Lang: "en", words: w, localizer: w.english}
}

// Voice says sentences in one language.
type Voice struct {
	Lang      string
	words     *Words
	localizer *i18n.Localizer
}

// In returns the voice of another language, as Words.In does.
func (v Voice) In(lang string) Voice { return v.words.In(lang) }

// Say returns the sentence of that key; facts are names and values in turn, which fill its
// {{.name}} places.
func (v Voice) Say(key string, facts ...any) string {
	return v.say(&i18n.LocalizeConfig{MessageID: key, TemplateData: data(facts)})
}

// Count returns the sentence of that key in the plural form of n, which fills {{.n}}.
func (v Voice) Count(key string, n int, facts ...any) string {
	d := data(facts)
	d["n"] = n
	return v.say(&i18n.LocalizeConfig{MessageID: key, TemplateData: d, PluralCount: n})
}

// Lookup returns the sentence of a key that comes from data, or false if there is none.
func (v Voice) Lookup(key string) (string, bool) {
	return v.localize(&i18n.LocalizeConfig{MessageID: key})
}

func (v Voice) say(c *i18n.LocalizeConfig) string {
	s, ok := v.localize(c)
	if !ok {
		// A test finds every key that is used; a reader of a broken sentence should at least see
		// which.
		return "⟦" + c.MessageID + "⟧"
	}
	return s
}

func (v Voice) localize(c *i18n.LocalizeConfig) (string, bool) {
	s, err := v.localizer.Localize(c)
	return strings.TrimSpace(s), err == nil
}

func data(facts []any) map[string]any {
	d := map[string]any{}
	for i := 0; i+1 < len(facts); i += 2 {
		d[fmt.Sprint(facts[i])] = facts[i+1]
	}
	return d
}
