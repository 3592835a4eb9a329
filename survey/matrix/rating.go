package matrix

import (
	"errors"

	"maturitybot/survey/plaintext"
)

// Rating is the answer to one element: a level of the matrix from 1 up, or one of the answers that
// are no level.
type Rating int

// Ratings that are not levels.
const (
	NotAnswered   Rating = 0
	DontKnow      Rating = -1
	NotApplicable Rating = -2
)

// Limits of what a person may write beside a rating, in characters. They count towards the length
// of an element's card.
const (
	MaxNoteRunes    = 500
	MaxBarrierRunes = 300
)

// What can be wrong with a rating.
var (
	ErrNoElement = errors.New("no such element")
	ErrNoRating  = errors.New("no such level")
)

// Nation is where a local area lies.
type Nation string

// The nations that use the matrix, in the order in which they are shown.
const (
	Wales   Nation = "wales"
	England Nation = "england"
)

// Nations lists every nation, in the order in which they are shown.
var Nations = []Nation{Wales, England}

var nationNames = map[string]Nation{
	"england": England,
	"lloegr":  England,
	"wales":   Wales,
	"cymru":   Wales,
}

// FindNation returns the nation with that name in English or Welsh, and whether there is one. Names
// are compared by plaintext.Key.
func FindNation(name string) (Nation, bool) {
	nation, known := nationNames[plaintext.Key(name)]
	return nation, known
}
