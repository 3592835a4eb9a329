package card

import (
	"strconv"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// notRated is the value of the option for an element that gets no rating.
const notRated = "0"

// handsLength is how many characters the counts of a show of hands may take: seven levels, each
// with three digits, and what stands between them.
const handsLength = 60

// RatingForm asks for the rating of an element, with what is known of it filled in. It has five
// fields, the most that Discord takes; a rating that is only changed has no show of hands.
func RatingForm(
	v locale.Voice, m Meeting, element string, source Source, send chat.Action,
) chat.Form {
	a := m.Assessment
	rating, changing := a.Ratings[element]
	level := int(rating.Level)
	if !changing {
		level = proposedLevel(a, element)
	}
	var chosenHow []string // how people agreed is for the coordinator to say
	if source == FromAlone {
		chosenHow = []string{string(workshop.NoWorkshop)}
	}
	var levels []chat.Option
	for k, l := range m.Matrix.Levels {
		levels = append(levels, chat.Option{
			Value: strconv.Itoa(k + 1),
			Label: chat.Trim(l.Name.In(matrix.Lang(v.Lang)), chat.MaxOption),
		})
	}
	levels = append(levels, chat.Option{Value: notRated, Label: v.Say("meet.not_rated")})
	var chosen []string
	if level > 0 || changing {
		chosen = []string{strconv.Itoa(level)}
	}
	var ways []chat.Option
	for _, h := range workshop.Hows() {
		ways = append(ways, chat.Option{Value: string(h), Label: HowAgreed(v, h)})
	}
	reason := optional(v, "reason", "meet.form_reason", "meet.form_reason_hint")
	if changing {
		reason = required(v, "reason", "meet.form_reason", "meet.form_change_hint")
	}
	fields := []chat.Field{
		chat.Select{
			Label:   required(v, "level", "meet.form_level", "meet.form_level_hint"),
			Options: levels, Chosen: chosen,
		},
		chat.Select{
			Label:   required(v, "how", "meet.form_how", "meet.form_how_hint"),
			Options: ways, Chosen: chosenHow,
		},
		chat.Input{Label: reason, Value: "", Max: workshop.MaxReasonRunes, Lines: true},
		chat.Input{
			Label: optional(v, "others", "meet.form_others", "meet.form_others_hint"),
			Value: rating.Others, Max: workshop.MaxReasonRunes, Lines: true,
		},
	}
	if !changing {
		fields = append(fields, handsField(v, nil))
	}
	f := newForm(v, v.Say("meet.form_title"), send, fields...)
	f.Intro = m.name(v, element)
	if a.Open != nil && a.Open.Element == element && m.Progress.Voted > 0 {
		f.Intro += ". " + v.Count("meet.unseen", m.Progress.Voted)
	}
	return f
}

// HandsForm asks for a show of hands again.
func HandsForm(v locale.Voice, m Meeting, element string, send chat.Action) chat.Form {
	var had []int
	if last, ok := m.Assessment.LastBallotOf(element); ok {
		had = last.Hands
	}
	f := newForm(v, v.Say("meet.hands_title"), send, handsField(v, had))
	f.Intro = m.name(v, element)
	return f
}

func handsField(v locale.Voice, had []int) chat.Input {
	words := make([]string, len(had))
	for i, n := range had {
		words[i] = strconv.Itoa(n)
	}
	return chat.Input{
		Label: optional(v, "hands", "meet.form_hands", "meet.form_hands_hint"),
		Value: strings.Join(words, " "), Max: handsLength,
	}
}

// proposedLevel returns the level that the form proposes: what the last ballot agrees on, or 0.
func proposedLevel(a workshop.Assessment, element string) int {
	level, _ := a.Agrees(element)
	return level
}
