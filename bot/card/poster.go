package card

import (
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Poster is what a page to print says of a round's open link, in each of the round's languages.
type Poster struct {
	Link  string // the address
	Name  string // of its files, without an extension
	Alt   string // what the QR code is, in words
	Texts []PosterText
}

// PosterText is a poster's text in one language.
type PosterText struct {
	Lang  string
	Title string
	Lines []string
	Scan  string // what to do with the code and the address under it
}

// NewPoster returns the poster of a round. v is the coordinator's language, for the description of
// the code.
func NewPoster(
	v locale.Voice, words *locale.Words, r survey.Round, m *matrix.Matrix, link, name string,
) Poster {
	p := Poster{Link: link, Name: name, Alt: v.Say("poster.alt", "area", r.Area)}
	for _, lang := range r.Languages {
		v := words.In(string(lang))
		from, to := minutes(m, lang)
		p.Texts = append(p.Texts, PosterText{
			Lang:  v.Lang,
			Title: v.Say("invitation.title", "area", r.Area),
			Lines: []string{
				v.Say("poster.what"),
				v.Say("poster.how", "from", from, "to", to, "closes", ClosingTime(v, r)),
				v.Say("poster.private"),
			},
			Scan: v.Say("poster.scan"),
		})
	}
	return p
}
