package card

import (
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Invitation returns the card for a person who was invited, in each of the round's languages.
func Invitation(words *locale.Words, round survey.Round, m *matrix.Matrix) chat.Card {
	return inLanguages(words, round.Languages, func(v locale.Voice, lang string) []chat.Block {
		return append(invitationText(v, round, m), Row(startButtons(v, round, lang)...))
	})
}

// About says what a survey is to a person who has opened a link to it, or that it is over.
func About(v locale.Voice, round survey.Round, m *matrix.Matrix, now time.Time) chat.Card {
	if !round.AcceptsAnswers(now) {
		return Over(v, survey.Participation{Round: round})
	}
	return Of(invitationText(v, round, m)...)
}

// invitationText says who asks, what for, by when and how long it takes.
func invitationText(v locale.Voice, round survey.Round, m *matrix.Matrix) []chat.Block {
	return []chat.Block{
		chat.Heading{Text: v.Say("invitation.title", "area", round.Area)},
		invitedBy(v, round),
		effort(v, round, m),
		chat.Footnote(v.Say("invitation.private", "min", round.MinGroup)),
	}
}

// startButtons start the survey in a language, or decline it.
func startButtons(v locale.Voice, round survey.Round, lang string) []chat.Button {
	id := string(round.ID)
	return []chat.Button{
		Primary(v.Say("button.start"), chat.NewAction("lang", id, lang, "begin")),
		Button(v.Say("button.decline"), chat.NewAction("decline", id, lang)),
	}
}

// invitedBy says who asks, and what for.
func invitedBy(v locale.Voice, round survey.Round) chat.Text {
	return chat.Text{
		Spans: []chat.Span{
			Mention(round.Coordinators[0]),
			chat.Words(" " + v.Say("invitation.why", "area", round.Area)),
		},
	}
}

// effort says how many questions there are, how long they take, and by when to answer.
func effort(v locale.Voice, round survey.Round, m *matrix.Matrix) chat.Text {
	from, to := minutes(m, matrix.Lang(v.Lang))
	return chat.Paragraph(v.Say("invitation.how",
		"n", len(m.Elements()), "from", from, "to", to, "closes", ClosingTime(v, round)))
}

// minutes returns how long it takes to read a survey in a language, from Start to the receipt: at
// 240 words a minute, and at 200.
func minutes(m *matrix.Matrix, lang matrix.Lang) (from, to int) {
	words := func(t matrix.Text) int { return len(strings.Fields(t.In(lang))) }
	levels := 0
	for _, l := range m.Levels {
		levels += words(l.Name) + words(l.Short)
	}
	n := 0
	for _, e := range m.Elements() {
		n += words(e.Name) + words(e.Question) + words(e.Help) + levels
		for _, d := range e.Descriptors {
			n += words(d)
		}
	}
	// The other buttons of each card, the privacy notice, About you and the review. TestReadingTime
	// counts them.
	n = n*127/100 + 270
	from, to = (n+120)/240, (n+199)/200
	return max(from, 1), max(to, from+1)
}

// Notice returns the privacy notice for a participant, in the version that the round was opened with.
// Sentences that promise the same in all versions are written once. People who take part by link are
// told who has the link, instead of what is in their chat.
func Notice(v locale.Voice, part survey.Participation) []chat.Block {
	round := part.Round
	closes := ClosingTime(v, round)
	until := v.Day(round.ExpiresAt().In(round.Location()))
	readers := v.Say("notice.readers")
	if round.NoticeNamesPanel() {
		readers += " " + v.Say("notice.panel")
	}
	shown := v.Say("notice.who", "min", round.MinGroup) + " " + v.Say("notice.same")
	list, when := v.Say("notice_before.list"), v.Say("notice_before.when")
	withdraw := v.Say("notice_before.withdraw", "closes", closes)
	kept, ask := v.Say("notice_before.kept", "until", until), v.Say("notice_before.ask")
	if round.NoticeStatesLimits() {
		shown += " " + v.Say("notice.roles", "min", round.MinGroup)
		list, when = v.Say("notice.list"), v.Say("notice.when")
		withdraw = v.Say("notice.withdraw", "closes", closes)
		kept = v.Say("notice.kept", "until", until) + " " + v.Say("notice.controller")
		ask = v.Say("notice.ask")
	}
	switch person := part.Member.Person; {
	case person.ByOpenLink():
		list, when = v.Say("notice.open_list"), v.Say("notice.link_when")
	case person.ByLink():
		list = v.Say("notice.link_list") + " " + v.Say("notice.link_holder")
		when = v.Say("notice.link_when")
	}
	last := labelled(v.Say("notice.label_kept"), kept)
	// A closed round may have no coordinator left, and people can still read its notice.
	if len(round.Coordinators) > 0 {
		last.Spans = append(last.Spans,
			chat.Words(" "+ask+" "),
			Mention(round.Coordinators[0]),
			chat.Words("."),
		)
	}
	return []chat.Block{
		chat.Heading{Text: v.Say("notice.title")},
		labelled(v.Say("notice.label_readers"), readers),
		labelled(v.Say("notice.label_shown"), shown),
		labelled(v.Say("notice.label_list"), list),
		labelled(v.Say("notice.label_when"), when),
		labelled(v.Say("notice.label_withdraw"), withdraw),
		last,
		chat.Footnote(v.Say("notice.names")),
	}
}

// labelled returns a paragraph that begins with a label, so that a reader can find it.
func labelled(label, text string) chat.Text {
	return chat.Text{Spans: []chat.Span{chat.Bold(label), chat.Words(" " + text)}}
}

// AskConsent returns the card that shows the privacy notice and asks to accept it.
func AskConsent(v locale.Voice, part survey.Participation, m *matrix.Matrix) chat.Card {
	id := string(part.Round.ID)
	buttons := []chat.Button{
		Primary(v.Say("button.accept"), chat.NewAction("accept", id)),
		Button(v.Say("button.decline"), chat.NewAction("decline", id)),
	}
	buttons = append(buttons, OtherLanguages(v, part, chat.NewAction("begin", id))...)
	from, to := minutes(m, matrix.Lang(v.Lang))
	blocks := append([]chat.Block{
		chat.Footnote(v.Say("notice.step", "area", part.Round.Area, "from", from, "to", to)),
	}, Notice(v, part)...)
	return Of(append(blocks, Row(buttons...))...)
}

// Over returns the card for a survey that takes no more answers.
func Over(v locale.Voice, part survey.Participation) chat.Card {
	switch {
	case part.Round.State == survey.Draft:
		return Of(chat.Paragraph(v.Say("error.not_open")))
	case part.Round.State == survey.Open && part.Member.TakesPart():
		// What is kept can still be told apart, so it can still be seen and erased.
		return Of(
			chat.Heading{Text: part.Round.Area},
			chat.Paragraph(v.Say("over.waiting", "closes", ClosingTime(v, part.Round))),
			Row(
				Button(
					v.Say("button.what_kept"),
					chat.NewAction("kept", string(part.Round.ID)),
				),
			),
		)
	case part.Member.Status == survey.Finished || part.Member.Status == survey.Started:
		return Of(
			chat.Heading{Text: part.Round.Area},
			chat.Paragraph(v.Say("over.thanks", "closed", ClosedTime(v, part.Round))),
		)
	}
	return Of(
		chat.Heading{Text: part.Round.Area},
		chat.Paragraph(v.Say("over.missed", "closed", ClosedTime(v, part.Round))),
	)
}

// Withdrawn returns the card for a participant who has withdrawn.
func Withdrawn(v locale.Voice, part survey.Participation, now time.Time) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("withdrawn.title")},
		chat.Paragraph(v.Say("withdrawn.body", "area", part.Round.Area)),
	}
	if part.Round.AcceptsAnswers(now) {
		blocks = append(blocks,
			Row(
				Button(v.Say("button.rejoin"), chat.NewAction("join", string(part.Round.ID))),
			),
		)
	}
	return Of(blocks...)
}

// Declined is the card of a person who does not want to take part. By link, a page of its own asks
// whether they have changed their mind, so that opening the link again shows what they chose.
func Declined(v locale.Voice, part survey.Participation) chat.Card {
	rejoin := "begin"
	if part.Member.Person.ByLink() {
		rejoin = "join"
	}
	closes := ClosingTime(v, part.Round)
	return Of(
		chat.Heading{Text: v.Say("declined.title")},
		chat.Paragraph(v.Say("declined.body", "area", part.Round.Area, "closes", closes)),
		Row(Button(v.Say("button.rejoin"), chat.NewAction(rejoin, string(part.Round.ID)))),
	)
}

// Help explains the survey to people who take part by link and have no commands to ask for help with.
func Help(v locale.Voice, round survey.Round) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("help.link_title")},
		chat.Paragraph(v.Say("me.how")),
		chat.Paragraph(v.Say("help.link_saved")),
		chat.Paragraph(v.Say("help.link_change",
			"closes", ClosingTime(v, round), "list", v.Say("button.list"), "kept", v.Say("button.kept"))),
	}
	if len(round.Coordinators) > 0 {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{
			chat.Words(v.Say("help.link_ask") + " "), Mention(round.Coordinators[0]), chat.Words("."),
		}})
	}
	return Of(blocks...)
}

// AskLanguage asks for the language, in all languages of the round.
func AskLanguage(words *locale.Words, part survey.Participation) chat.Card {
	var labels []string
	var questions []chat.Block
	var buttons []chat.Button
	for _, lang := range part.Round.Languages {
		v := words.In(string(lang))
		question := chat.Paragraph(v.Say("language.ask"))
		question.Lang = string(lang)
		questions = append(questions, question)
		labels = append(labels, v.Say("language.name"))
		button := Button(
			v.Say("language.name"),
			chat.NewAction("lang", string(part.Round.ID), string(lang), "begin"),
		)
		button.Lang = string(lang)
		buttons = append(buttons, button)
	}
	blocks := append([]chat.Block{chat.Heading{Text: strings.Join(labels, " / ")}}, questions...)
	return Of(append(blocks, Row(buttons...))...)
}

// inLanguages lays out a card in several languages, for a person whose language is not known. The
// text of each language stands above its own buttons.
func inLanguages(
	words *locale.Words, langs []matrix.Lang, write func(v locale.Voice, lang string) []chat.Block,
) chat.Card {
	var blocks []chat.Block
	for i, lang := range langs {
		if i > 0 {
			blocks = append(blocks, chat.Divider{})
		}
		blocks = append(blocks, write(words.In(string(lang)), string(lang))...)
	}
	return Of(blocks...)
}

// joinButton returns a button that lets in the person who presses it, and leads on in its
// language.
func joinButton(v locale.Voice, r survey.Round, lang string) chat.Button {
	return Primary(v.Say("button.join"), chat.NewAction("join", string(r.ID), lang))
}

// OpenCall asks invited people who receive no direct messages to press Join. It names nobody.
func OpenCall(words *locale.Words, r survey.Round) chat.Card {
	return inLanguages(words, r.Languages, func(v locale.Voice, lang string) []chat.Block {
		return []chat.Block{
			chat.Heading{Text: v.Say("invitation.title", "area", r.Area)},
			chat.Paragraph(v.Say("call.body", "closes", ClosingTime(v, r))),
			Row(joinButton(v, r, lang)),
		}
	})
}

// JoinPost lets in everybody who presses its button, in each of the round's languages.
func JoinPost(words *locale.Words, r survey.Round, m *matrix.Matrix) chat.Card {
	return inLanguages(words, r.Languages, func(v locale.Voice, lang string) []chat.Block {
		return append(invitationText(v, r, m), Row(joinButton(v, r, lang)))
	})
}
