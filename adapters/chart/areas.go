package chart

import (
	"fmt"
	"strings"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// AreasWords are the texts of the picture of many areas that are not names of the matrix, in the
// language of the picture.
type AreasWords struct {
	Title   string
	Groups  []string // names of the overview's groups, in its order
	Rated   string   // before the number of ratings, such as "n"
	Nothing string   // explains the bar marked [x]: nothing was rated
	Notes   []string // below the picture: what shares are of
	Alt     string   // begins the alternative text: what the picture is; the title may serve
}

// AreasPNG draws a bar for each dimension and group of areas, 1200 pixels wide, with names in the
// language.
func AreasPNG(o results.Overview, lang matrix.Lang, words AreasWords) ([]byte, error) {
	s, err := layOutAreas(o, lang, words)
	if err != nil {
		return nil, err
	}
	return s.png()
}

// AreasSVG draws the picture of AreasPNG as a scalable SVG. It includes the alternative text.
func AreasSVG(o results.Overview, lang matrix.Lang, words AreasWords) ([]byte, error) {
	s, err := layOutAreas(o, lang, words)
	if err != nil {
		return nil, err
	}
	return s.svg(lang, words.Title, AreasAlt(o, lang, words)), nil
}

// AreasAlt describes the picture in one paragraph: for each dimension and group the percentage on
// each level, and the number of ratings.
func AreasAlt(o results.Overview, lang matrix.Lang, words AreasWords) string {
	parts := []string{words.Alt}
	for i, d := range o.Matrix.Dimensions {
		for k, g := range o.Groups {
			c := g.Dimensions[i]
			var shares []string
			for n, level := range o.Matrix.Levels {
				if c.Percent[n].Availability() == results.Present {
					shares = append(shares, level.Name.In(lang)+" "+c.Percent[n].String()+"%")
				}
			}
			if len(shares) == 0 {
				shares = []string{results.NotAvailable.String()}
			}
			parts = append(parts, fmt.Sprintf("%s, %s: %s (%s = %s).",
				d.Name.In(lang), words.Groups[k], strings.Join(shares, ", "), words.Rated, c.Rated))
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func layOutAreas(o results.Overview, lang matrix.Lang, words AreasWords) (*scene, error) {
	s, err := newScene(words.Title)
	if err != nil {
		return nil, err
	}
	looks := looksOf(len(o.Matrix.Levels))
	nothing := ""
	for _, g := range o.Groups {
		for _, d := range g.Dimensions {
			if n, _ := d.Rated.Int(); n == 0 {
				nothing = words.Nothing
			}
		}
	}
	s.legend(o.Matrix.Levels, lang, results.NotAvailable, nothing, looks)
	for i, d := range o.Matrix.Dimensions {
		s.rule(d.Name.In(lang))
		for k, g := range o.Groups {
			c := g.Dimensions[i]
			s.bar(words.Groups[k], words.Rated, c.Rated, c.Shares, c.Percent, looks)
		}
	}
	s.end(words.Notes)
	return s, nil
}
