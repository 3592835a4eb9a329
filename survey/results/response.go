// Package results counts the answers of a survey and computes what may be published of them:
// figures by element, dimension and role group, under the disclosure rule of Publish. Answers leave
// the package only as a Published, which only Publish makes. The package also reads the agreed
// ratings of many areas together. It knows neither rounds, stores nor the time.
package results

import "maturitybot/survey/matrix"

// Detail is what a person may add to a rating of an element.
type Detail struct {
	Information []string // ids of the information that the person holds
	Note        string
	Barrier     string
}

// IsZero reports whether nothing was added.
func (d Detail) IsZero() bool { return len(d.Information) == 0 && d.Note == "" && d.Barrier == "" }

// Answer is what one person said about one element.
type Answer struct {
	Rating matrix.Rating
	Detail Detail
}

// Response is everything that one person said. It holds neither a name nor a time.
type Response struct {
	Group   string            // id of the role group of their role; empty where they did not state it
	Answers map[string]Answer // by element id
	Version string            // changes with each change of the response; tells no time and no number
}

// Rated returns the number of elements that have an answer of any kind.
func (r Response) Rated() int {
	n := 0
	for _, a := range r.Answers {
		if a.Rating != matrix.NotAnswered {
			n++
		}
	}
	return n
}
