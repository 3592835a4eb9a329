package card

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// fixture is a participant of an open round in two languages, with a small matrix.
type fixture struct {
	words    *locale.Words
	m        *matrix.Matrix
	part     survey.Participation
	elements *Elements
}

func setUp(t *testing.T) fixture {
	t.Helper()
	words := locale.New()
	raw, err := os.ReadFile("../testdata/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := matrix.Load("small.yaml", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	round := survey.Round{
		ID: "abcdefghij", Area: "Northshire", State: survey.Open, TimeZone: "Europe/London",
		Languages: []matrix.Lang{"en", "cy"},
		ClosesAt:  time.Date(2026, 12, 11, 17, 0, 0, 0, time.UTC),
	}
	member := survey.Member{Status: survey.Started, Language: "en"}
	return fixture{words, m, survey.Participation{Round: round, Member: member}, NewElements()}
}

// answered returns a response with a rating for the first n elements.
func (f fixture) answered(n int) results.Response {
	resp := results.Response{Answers: map[string]results.Answer{}}
	for _, e := range f.m.Elements()[:n] {
		resp.Answers[e.ID] = results.Answer{Rating: 2}
	}
	return resp
}

// draw returns a card as text, after checking that it fits the platforms.
func (f fixture) draw(t *testing.T, lang string, draw Drawing, resp results.Response) string {
	t.Helper()
	c, err := draw(f.words.In(lang), f.part, f.m, resp)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c.String()
}

func TestElementMarksChosenLevel(t *testing.T) {
	f := setUp(t)
	first := f.m.Elements()[0]
	open := f.draw(t, "en", f.elements.Element(first.ID), results.Response{})
	if strings.Contains(open, chat.Tick) {
		t.Errorf("without an answer, the card has a tick:\n%s", open)
	}
	saved := f.draw(t, "en", f.elements.Element(first.ID), f.answered(1))
	if label := chat.Tick + f.m.Levels[1].Short.In("en"); strings.Count(saved, label) != 1 {
		t.Errorf("the card does not mark %q once:\n%s", label, saved)
	}
}

func TestElementOffersOtherLanguage(t *testing.T) {
	f := setUp(t)
	first := f.m.Elements()[0]
	for lang, other := range map[string]string{"en": "cy", "cy": "en"} {
		label := "[" + f.words.In(other).Say("language.name") + "]"
		got := f.draw(t, lang, f.elements.Element(first.ID), results.Response{})
		if !strings.Contains(got, label) {
			t.Errorf("%s: the card has no button %s:\n%s", lang, label, got)
		}
	}
}

func TestUnknownElement(t *testing.T) {
	f := setUp(t)
	drawings := map[string]Drawing{
		"Element": f.elements.Element("x"), "After": f.elements.After("x", false),
	}
	for name, draw := range drawings {
		_, err := draw(f.words.In("en"), f.part, f.m, results.Response{})
		if !errors.Is(err, matrix.ErrNoElement) {
			t.Errorf("%s: got %v, want %v", name, err, matrix.ErrNoElement)
		}
	}
}

func TestNextIsFirstOpenElementThenReview(t *testing.T) {
	f := setUp(t)
	elements := f.m.Elements()
	for n := range elements {
		heading := "# " + elements[n].Name.In("en") + "\n"
		if got := f.draw(t, "en", f.elements.Next, f.answered(n)); !strings.Contains(got, heading) {
			t.Errorf("after %d answers, the card is not %q:\n%s", n, heading, got)
		}
	}
	title := "# " + f.words.In("en").Say("review.title") + "\n"
	if got := f.draw(t, "en", f.elements.Next, f.answered(len(elements))); !strings.Contains(got, title) {
		t.Errorf("after all answers, the card is not the review:\n%s", got)
	}
}

func TestAfterSaysTooSoon(t *testing.T) {
	f := setUp(t)
	first := f.m.Elements()[0].ID
	said := f.words.In("en").Say("saved.too_soon")
	for _, tooSoon := range []bool{false, true} {
		got := f.draw(t, "en", f.elements.After(first, tooSoon), f.answered(1))
		if strings.Contains(got, said) != tooSoon {
			t.Errorf("too soon is %v:\n%s", tooSoon, got)
		}
	}
}

func TestReviewCountsMissingAnswers(t *testing.T) {
	f := setUp(t)
	n := len(f.m.Elements())
	for done := range n + 1 {
		want := f.words.In("en").Say("review.complete")
		if done < n {
			want = f.words.In("en").Count("review.missing", n-done)
		}
		if got := f.draw(t, "en", Review, f.answered(done)); !strings.Contains(got, want) {
			t.Errorf("%d of %d: the card does not say %q:\n%s", done, n, want, got)
		}
	}
}

// TestNoticeOfFormerVersion: a survey that was opened with a former notice keeps its sentences.
func TestNoticeOfFormerVersion(t *testing.T) {
	f := setUp(t)
	for _, lang := range []string{"en", "cy"} {
		v := f.words.In(lang)
		for version, states := range map[string]bool{"2026-11.4": false, survey.NoticeVersion: true} {
			part := f.part
			part.Round.State, part.Round.Notice = survey.Open, version
			got := Of(Notice(v, part)...).String()
			if strings.Contains(got, v.Say("notice.when")) != states ||
				strings.Contains(got, v.Say("notice_before.when")) == states {
				t.Errorf("%s, %s:\n%s", lang, version, got)
			}
		}
	}
}

// TestCardsOfPeopleWithLinks: people who are on no chat platform are not told of messages, reminders
// and commands.
func TestCardsOfPeopleWithLinks(t *testing.T) {
	f := setUp(t)
	banned := regexp.MustCompile(`(?i)/maturity|/aeddfedrwydd|remind|atgoffa|messages? with me|negeseuon gyda mi` +
		`|time zone|cylchfa`)
	for _, person := range []survey.PersonID{"web::p1", "web::o1", "slack:T:U"} {
		f.part.Member.Person = person
		for _, lang := range []string{"en", "cy"} {
			v := f.words.In(lang)
			cards := []chat.Card{Of(Notice(v, f.part)...)}
			for _, draw := range []Drawing{PersonalData(time.Now()), Receipt, Review, List, Profile("")} {
				drawn, err := draw(v, f.part, f.m, f.answered(3))
				if err != nil {
					t.Fatal(err)
				}
				cards = append(cards, drawn)
			}
			found := 0
			for _, c := range cards {
				if words := banned.FindString(strings.ReplaceAll(c.String(), v.Say("notice.names"), "")); words != "" {
					found++
					if person.ByLink() {
						t.Errorf("%s, %s: %q in\n%s", person, lang, words, c.String())
					}
				}
			}
			if !person.ByLink() && found == 0 {
				t.Error("the words that are looked for are not in the cards of people in chat either")
			}
		}
	}
	en := f.words.In("en")
	f.part.Member.Person = "web::o1"
	if !strings.Contains(Of(Notice(en, f.part)...).String(), "return code") {
		t.Error("the notice does not tell what a return code opens")
	}
}
