package card

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// scene is what a card is drawn of.
type scene struct {
	lang string
	part survey.Participation
	m    *matrix.Matrix
}

// scenes returns scenes that differ in one thing each from the first.
func (f fixture) scenes(t *testing.T) []scene {
	t.Helper()
	reworded := setUp(t).m
	reworded.Dimensions[0].CoreElements[0].Elements[0].Question = matrix.Text{"en": "Another?"}
	reworded.Levels[0].Name = matrix.Text{"en": "Another"}
	elsewhere, oneLanguage, otherRound := f.part, f.part, f.part
	elsewhere.Round.Area = "Southshire"
	oneLanguage.Round.Languages = []matrix.Lang{"en"}
	otherRound.Round.ID = "jihgfedcba"
	return []scene{
		{"en", f.part, f.m}, {"cy", f.part, f.m}, {"en", f.part, reworded},
		{"en", elsewhere, f.m}, {"en", oneLanguage, f.m}, {"en", otherRound, f.m},
	}
}

func TestKeptCardsAreWhatIsDrawn(t *testing.T) {
	f := setUp(t)
	first, second := f.m.Elements()[0].ID, f.m.Elements()[1].ID
	drawings := []func(*Elements) Drawing{
		func(d *Elements) Drawing { return d.Element(first) },
		func(d *Elements) Drawing { return d.Element(second) },
		func(d *Elements) Drawing { return d.After(first, false) },
		func(d *Elements) Drawing { return d.After(first, true) },
		func(d *Elements) Drawing { return d.Next },
	}
	ratings := []matrix.Rating{matrix.NotAnswered, 1, 2, matrix.DontKnow, matrix.NotApplicable}
	seen := map[string]bool{}
	compare := func(s scene, resp results.Response) {
		t.Helper()
		for _, drawing := range drawings {
			text := func(d *Elements) string {
				c, err := drawing(d)(f.words.In(s.lang), s.part, s.m, resp)
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%#v", c.Blocks)
			}
			kept, fresh := text(f.elements), text(NewElements())
			if kept != fresh {
				t.Errorf("a card that was kept is not what is drawn now:\n%s\n%s", kept, fresh)
			}
			seen[fresh] = true
		}
	}
	for _, s := range f.scenes(t) {
		for _, a := range ratings {
			for _, b := range ratings {
				for _, note := range []string{"", "in my own words"} {
					compare(s, results.Response{Answers: map[string]results.Answer{
						first: {Rating: a, Detail: results.Detail{Note: note}}, second: {Rating: b},
					}})
				}
			}
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d cards differ", len(seen))
	}
}

func TestNothingIsKeptOfWhatPersonAdded(t *testing.T) {
	f := setUp(t)
	first := f.m.Elements()[0].ID
	resp := f.answered(1)
	resp.Answers[first] = results.Answer{Rating: 2, Detail: results.Detail{Note: "in my own words"}}
	if got := f.draw(t, "en", f.elements.Element(first), resp); !strings.Contains(got, "in my own words") {
		t.Errorf("the card lacks the note:\n%s", got)
	}
	f.draw(t, "en", f.elements.After(first, false), resp)
	f.draw(t, "en", f.elements.Next, resp)
	for view, kept := range f.elements.kept.current {
		if strings.Contains(kept.String(), "in my own words") {
			t.Errorf("kept: %+v", view)
		}
	}
}

func TestRecentKeepsWhatWasUsedLast(t *testing.T) {
	const limit = 8
	r := newRecent[int, int](limit)
	var made []int
	use := func(key int) {
		t.Helper()
		got := r.get(key, func() int {
			made = append(made, key)
			return -key
		})
		if got != -key {
			t.Errorf("got %d for %d", got, key)
		}
		if n := len(r.current) + len(r.previous); n > limit {
			t.Errorf("%d values are kept, at most %d", n, limit)
		}
	}
	for key := range 100 {
		use(key)
		use(0) // always among the last
	}
	if len(made) != 100 {
		t.Errorf("made %d values: %v", len(made), made)
	}
	use(99)
	use(98)
	if len(made) != 100 {
		t.Errorf("one of the last was dropped: %v", made[100:])
	}
	if use(1); !slices.Equal(made[100:], []int{1}) {
		t.Errorf("made again: %v", made[100:])
	}
}
