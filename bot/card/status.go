package card

import (
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// RoundStatus returns the state of a round in a line.
func RoundStatus(v locale.Voice, r survey.Round, now time.Time) string {
	switch {
	case r.State == survey.Closed:
		return v.Say("status.closed", "closed", ClosedTime(v, r))
	case !r.AcceptsAnswers(now):
		return v.Say("status.late", "closes", ClosingTime(v, r))
	}
	return v.Say("status.open", "closes", ClosingTime(v, r))
}

// ResponseRates returns the response rates, the only totals that are shown while a survey is open.
func ResponseRates(v locale.Voice, s survey.Progress) string {
	lines := []string{v.Count("status.invited", s.Invited), v.Say("status.none_finished")}
	if s.Finished > 0 {
		percent := percent(s.Finished, s.Invited)
		lines[1] = v.Count("status.finished", s.Finished, "percent", percent)
	}
	for _, c := range []struct {
		key string
		n   int
	}{
		{"status.started", s.Started},
		{"status.left", s.Declined + s.Withdrawn},
		{"status.unreachable", len(s.Lost)},
	} {
		if c.n > 0 {
			lines = append(lines, v.Count(c.key, c.n))
		}
	}
	return strings.Join(lines, "\n")
}

func percent(n, of int) int {
	if of == 0 {
		return 0
	}
	return (n*200 + of) / (2 * of)
}

// missingRoles names the roles of the matrix that nobody was invited for, and those where nobody has
// finished. Once somebody has withdrawn, nobody can tell the two apart, and all are among the latter.
func missingRoles(v locale.Voice, m *matrix.Matrix, s survey.Progress) []chat.Block {
	var nobody, unfinished []string
	for _, c := range s.Roles {
		switch name := roleName(v, m, c.Role); {
		case c.Invited == 0 && s.InvitedKnown():
			nobody = append(nobody, name)
		case c.Finished == 0:
			unfinished = append(unfinished, name)
		}
	}
	var blocks []chat.Block
	if len(nobody) > 0 {
		blocks = append(blocks, LabelledList(v.Say("status.nobody_invited"), nobody))
	}
	if len(unfinished) > 0 {
		blocks = append(blocks, LabelledList(v.Say("status.nobody_finished"), unfinished))
	}
	if n := s.Unstated.Invited; n > 0 {
		blocks = append(blocks, chat.Paragraph(v.Count("status.unstated", n)))
	}
	if len(blocks) == 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("status.all_roles")))
	}
	return blocks
}

// Digest shows the progress of a round since the last digest, and which roles are missing. It
// names no person and no numbers by role, since everybody in the channel reads it.
func Digest(
	v locale.Voice, m *matrix.Matrix, s survey.Progress, now time.Time,
) chat.Card {
	r, id := s.Round, string(s.Round.ID)
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("status.title", "area", r.Area)},
		chat.Footnote(RoundStatus(v, r, now)),
		chat.Paragraph(publicRates(v, s)),
	}
	if last := r.LastDigest; last != nil {
		said := v.Say("digest.same", "day", v.Day(last.At.In(r.Location())))
		if s.Finished > last.Finished ||
			s.Invited > last.Invited { // somebody may have withdrawn: that is not for the channel
			said = v.Say(
				"digest.since",
				"day",
				v.Day(last.At.In(r.Location())),
				"finished",
				max(0, s.Finished-last.Finished),
				"invited",
				max(0, s.Invited-last.Invited),
				"percent",
				percent(last.Finished, last.Invited),
			)
		}
		blocks = append(blocks, chat.Paragraph(said))
	}
	blocks = append(blocks, notHeardFrom(v, m, s.Disclose(r.MinGroup, true), r.MinGroup)...)
	if len(s.Lost) > 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("digest.lost")))
	}
	return chat.Card{
		Blocks: append(blocks, Row(
			Button(v.Say("button.status"), chat.NewAction("status", id, v.Lang)),
			Button(
				v.Say("button.invite"),
				chat.NewAction("invite", id, v.Lang),
			),
			Button(v.Say("button.reminders"), chat.NewAction("reminders", id, v.Lang)),
		)),
	}
}

// publicRates returns the response rates without those who declined or withdrew: the difference
// between two days could identify them.
func publicRates(v locale.Voice, s survey.Progress) string {
	s.Declined, s.Withdrawn = 0, 0
	return ResponseRates(v, s)
}

// LastDay announces that the survey is about to close.
func LastDay(v locale.Voice, s survey.Progress, now time.Time) chat.Card {
	r, id := s.Round, string(s.Round.ID)
	heading := v.Say("post.last_soon", "area", r.Area)
	if IsTomorrow(r, r.ClosesAt, now) {
		heading = v.Say("post.last", "area", r.Area)
	}
	body := "post.last_body"
	if !r.Posts.Enabled(survey.ResultsPost) {
		body = "post.last_body_only"
	}
	return chat.Card{Blocks: []chat.Block{
		chat.Heading{
			Text: heading,
		}, chat.Paragraph(v.Say(body, "closes", ClosingTime(v, r))), chat.Paragraph(publicRates(v, s)),
		Row(
			Button(v.Say("button.status"), chat.NewAction("status", id, v.Lang)),
			Button(v.Say("button.extend"), chat.NewAction("extend", id, v.Lang)),
		),
	}}
}

// roundChoice offers one of several rounds. Its label begins with the date, which tells two rounds
// of one area apart where a platform cuts long labels.
func roundChoice(v locale.Voice, r survey.Round, now time.Time, action chat.Action) chat.Choice {
	closes := r.ClosesAt.In(r.Location())
	text := RoundStatus(v, r, now)
	if r.State == survey.Draft {
		text = v.Say("draft.waiting")
	}
	label := v.Say("choose.button", "area", r.Area, "closes", v.ShortDay(closes))
	spoken := v.Say("choose.round", "area", r.Area, "closes", v.Day(closes))
	return chat.Choice{Title: r.Area, Text: text, Button: chat.Button{
		Label: chat.Trim(
			label,
			chat.MaxLabel,
		), Spoken: chat.Trim(spoken, chat.MaxSpoken), Action: action,
	}}
}

// WhichRound asks which of several rounds a coordinator means.
func WhichRound(v locale.Voice, verb string, rounds []survey.Round, now time.Time) chat.Card {
	blocks := []chat.Block{chat.Paragraph(v.Say("choose.which"))}
	for _, r := range rounds[:min(len(rounds), MaxRounds)] {
		blocks = append(blocks, roundChoice(v, r, now, chat.NewAction(verb, string(r.ID), v.Lang)))
	}
	return Of(blocks...)
}

// IsTomorrow reports whether a time is on the day after now, by the clock of a round.
func IsTomorrow(r survey.Round, at, now time.Time) bool {
	tomorrow := now.In(r.Location()).AddDate(0, 0, 1)
	return tomorrow.Format(time.DateOnly) == at.In(r.Location()).Format(time.DateOnly)
}

// MaxRounds is how many rounds one card lists, newest first. A message has room for no more
// (chat.MaxComponents).
const MaxRounds = 5

// maxNamed is how many people a status names, so that it fits a message. The rest are counted.
const maxNamed = 25

// Status shows a coordinator the progress of a round that was opened. links says how far the people
// who take part by link have come, and meeting how far its workshop has come. Either may be empty.
func Status(
	v locale.Voice, m *matrix.Matrix, s survey.Progress, links []chat.Block, now time.Time,
	meeting ...chat.Block,
) chat.Card {
	start := "button.meet_start"
	if len(meeting) > 0 {
		start = "button.meet_show_place"
	}
	//locale:says button.meet_start button.meet_show_place
	r := s.Round
	title := v.Say("status.title", "area", r.Area)
	if r.State == survey.Closed {
		title = v.Say("status.title_closed", "area", r.Area)
	}
	blocks := []chat.Block{chat.Heading{Text: title}}
	if r.State == survey.Closed && r.OpenedAt.IsZero() { // the area only meets
		row := Row(
			Button(v.Say(start), onRound("rate", r, v)),
			Button(v.Say("button.record"), onRound("record", r, v)),
		)
		blocks = append(blocks, chat.Footnote(v.Say("meet.survey_none")))
		return Of(append(append(blocks, meeting...), row)...)
	}
	blocks = append(blocks,
		chat.Footnote(RoundStatus(v, r, now)),
		chat.Paragraph(ResponseRates(v, s)),
	)
	blocks = append(blocks, missingRoles(v, m, s)...)
	for _, list := range []struct {
		key    string
		people []survey.PersonID
	}{{"status.waiting", s.Waiting}, {"status.done", s.Done}, {"status.lost", s.Lost}} {
		if len(list.people) > 0 {
			blocks = append(blocks, peopleList(v, v.Count(list.key, len(list.people)), list.people))
		}
	}
	blocks = append(blocks, links...)
	if r.State != survey.Open {
		return Of(append(append(blocks, meeting...), Row(
			Button(v.Say(start), onRound("rate", r, v)),
			Button(v.Say("button.results"), onRound("results", r, v)),
			Button(v.Say("button.export"), onRound("export", r, v)),
			Button(v.Say("button.workshop"), onRound("workshop", r, v)),
			Button(v.Say("button.record"), onRound("record", r, v)),
		))...)
	}
	var buttons []chat.Button
	if r.AcceptsAnswers(now) {
		buttons = append(buttons,
			remindButton(v, r),
			Button(v.Say("button.invite"), onRound("invite", r, v)),
		)
	}
	if len(links) > 0 {
		buttons = append(buttons, Button(v.Say("button.links"), onRound("links", r, v)))
	}
	buttons = append(buttons,
		Button(v.Say("button.reminders"), onRound("reminders", r, v)),
		Button(v.Say("button.extend"), onRound("extend", r, v)),
		Button(v.Say("button.workshop"), onRound("workshop", r, v)),
		Button(v.Say("button.team"), onRound("team", r, v)),
		Button(v.Say("button.close"), onRound("close", r, v)),
		Button(v.Say("button.record"), onRound("record", r, v)),
	)
	return Of(append(blocks, chat.Footnote(v.Say("status.no_totals")), Row(buttons...))...)
}

// peopleList names people after a label, as far as there is room.
func peopleList(v locale.Voice, label string, people []survey.PersonID) chat.Text {
	spans := []chat.Span{chat.Bold(label), chat.Words(" ")}
	for i, p := range people[:min(len(people), maxNamed)] {
		if i > 0 {
			spans = append(spans, chat.Words(", "))
		}
		spans = append(spans, Mention(p))
	}
	if more := len(people) - maxNamed; more > 0 {
		spans = append(spans, chat.Words(" "+v.Count("status.more", more)))
	}
	return chat.Text{Spans: spans}
}
