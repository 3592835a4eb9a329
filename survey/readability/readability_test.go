package readability

import (
	"math"
	"testing"
)

// The texts have syllables counted by hand: 0.39 × words a sentence + 11.8 × syllables a word -
// 15.59.
func TestGrade(t *testing.T) {
	for text, want := range map[string]float64{
		"The cat sat on the mat.":                               0.39*6 + 11.8*1 - 15.59,
		"Results never say who answered what.":                  0.39*6 + 11.8*9/6 - 15.59,
		"Press the button to start. Only you will see the rest": 0.39*11/2 + 11.8*13/11 - 15.59,
		"Nobody has shared the survey. People declined.":        0.39*7/2 + 11.8*12/7 - 15.59,
	} {
		if got := Grade(text); math.Abs(got-want) > 0.01 {
			t.Errorf("grade %.2f, want %.2f: %s", got, want, text)
		}
	}
}
