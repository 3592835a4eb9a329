// Package locale holds every sentence the bot says, in English and Welsh, and nothing else: the
// words of the matrix are data of their own, and what a sentence is said about is the caller's
// business.
package locale

import (
	"embed"
	"fmt"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"
)

//go:embed en.yaml cy.yaml
var files embed.FS

// Words are the sentences of every language.
type Words struct {
	english, welsh *i18n.Localizer
}

// Load reads the sentences that come with the program.
func Load() (*Words, error) {
	bundle := i18n.NewBundle(language.English)
	names := []string{"en.yaml", "cy.yaml"}
	parsed := make([]*i18n.MessageFile, len(names))
	errs := make([]error, len(names))
	var parsing sync.WaitGroup // side by side: nothing else can begin before
	for i, name := range names {
		parsing.Go(func() { parsed[i], errs[i] = parse(name) })
	}
	parsing.Wait()
	for i, file := range parsed {
		err := errs[i]
		if err == nil {
			err = bundle.AddMessages(file.Tag, file.Messages...)
		}
		if err != nil {
			return nil, fmt.Errorf("load sentences: %w", err)
		}
	}
	return &Words{
		english: i18n.NewLocalizer(bundle, "en"),
		welsh:   i18n.NewLocalizer(bundle, "cy"),
	}, nil
}

// parse reads the sentences of one language.
func parse(name string) (*i18n.MessageFile, error) {
	raw, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return i18n.ParseMessageFileBytes(raw, name, map[string]i18n.UnmarshalFunc{"yaml": yaml.Unmarshal})
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
