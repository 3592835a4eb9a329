package card

import (
	"fmt"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// parentRole is the role of parents and carers in the editions. Most questions are about what
// happens between services, which parents need not know.
const parentRole = "parent"

// parentElements are the ids of the elements that are about what parents see.
var parentElements = []string{
	"engagement", "assets", "joint-working", "family-info", "experience",
}

// parentQuestions lists the questions for parents that m has, by number and name. It is empty if
// m has none of them.
func parentQuestions(v locale.Voice, m *matrix.Matrix) string {
	var questions []string
	for _, id := range parentElements {
		if el, i, ok := m.Element(id); ok {
			name := el.Name.In(matrix.Lang(v.Lang))
			questions = append(questions, fmt.Sprintf("%d (%s)", i+1, name))
		}
	}
	return strings.Join(questions, ", ")
}

// PersonalData returns a drawing of everything that is stored about a participant in a round.
func PersonalData(now time.Time) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp results.Response,
	) (chat.Card, error) {
		blocks := []chat.Block{
			chat.Heading{Text: v.Say("kept.title", "area", part.Round.Area)},
			chat.Paragraph(v.Say("kept.pause")),
			rosterFacts(v, part, m),
			responseFacts(v, resp),
			chat.Footnote(keptUntil(v, part)),
		}
		return Of(append(blocks, personalButtons(v, part, now)...)...), nil
	}
}

// keptUntil says until when a person may withdraw, and when the rest is deleted. Who finished is not
// seen of people who came by the open link.
func keptUntil(v locale.Voice, part survey.Participation) string {
	until := v.Day(part.Round.ExpiresAt().In(part.Round.Location()))
	if part.Member.Person.ByOpenLink() {
		return v.Say("kept.until_open", "until", until)
	}
	return v.Say("kept.until", "until", until)
}

// rosterFacts lists what the roster holds about a participant.
func rosterFacts(v locale.Voice, part survey.Participation, m *matrix.Matrix) chat.Text {
	member := part.Member
	reminders := v.Say("kept.wanted")
	if member.RemindersOff {
		reminders = v.Say("kept.unwanted")
	}
	if day, err := time.Parse(time.DateOnly, member.RemindOnDate); err == nil {
		reminders = v.Say("kept.asked", "day", v.Day(day))
	}
	last := v.Say("kept.never")
	if day, err := time.Parse(time.DateOnly, member.LastRemindedDate); err == nil {
		last = v.Day(day)
	}
	accepted := v.Time(member.NoticeAt.In(part.Round.Location()))
	notice := v.Say("kept.notice_on", "version", member.Notice, "when", accepted)
	spans := []chat.Span{chat.Bold(v.Say("kept.roster"))}
	type fact struct{ key, value string }
	facts := []fact{
		{"kept.role", roleName(v, m, member.Role)},
		{"kept.language", v.Say("language.name")},
	}
	if !member.Person.ByLink() { // nobody reminds them
		facts = append(facts,
			fact{"kept.time_zone", member.TimeZone},
			fact{"kept.reminders", reminders},
			fact{"kept.reminded", last},
		)
	}
	for _, fact := range append(facts, fact{"kept.notice", notice}) {
		if fact.value == "" {
			fact.value = v.Say("me.none")
		}
		spans = append(spans, chat.Words("\n"+v.Say(fact.key)+": "+fact.value))
	}
	return chat.Text{Spans: spans}
}

// responseFacts says how many answers a response holds, and how many of them have details.
func responseFacts(v locale.Voice, resp results.Response) chat.Text {
	details := 0
	for _, answer := range resp.Answers {
		if !answer.Detail.IsZero() {
			details++
		}
	}
	counts := v.Count("kept.answers", resp.Rated()) + " " + v.Count("kept.details", details)
	return chat.Text{Spans: []chat.Span{
		chat.Bold(v.Say("kept.response")), chat.Words("\n" + counts),
	}}
}

// personalButtons lets a participant go on, turn reminders on or off, and withdraw.
func personalButtons(v locale.Voice, part survey.Participation, now time.Time) []chat.Block {
	id := string(part.Round.ID)
	reminders := Button(v.Say("button.stop"), chat.NewAction("stop", id))
	if part.Member.RemindersOff {
		reminders = Button(v.Say("button.again"), chat.NewAction("again", id))
	}
	erase := chat.Button{
		Label:  v.Say("button.erase"),
		Action: chat.NewAction("erase", id),
		Style:  chat.Danger,
		Confirm: &chat.Confirm{
			Title: v.Say("erase.title"),
			Text:  v.Say("erase.ask", "area", part.Round.Area),
			Yes:   v.Say("erase.yes"),
			No:    v.Say("erase.no"),
		},
	}
	others := []chat.Button{Button(v.Say("button.notice"), chat.NewAction("notice", id))}
	if !part.Member.Person.ByLink() { // nobody reminds them
		others = append(others, reminders)
	}
	others = append(others, erase)
	if !part.Round.AcceptsAnswers(now) {
		return []chat.Block{Row(others...)}
	}
	forward := Primary(v.Say("button.continue"), chat.NewAction("go", id))
	blocks := []chat.Block{Row(append([]chat.Button{forward}, others...)...)}
	if others := OtherLanguages(v, part, chat.NewAction("kept", id)); len(others) > 0 {
		blocks = append(blocks, Row(others...))
	}
	return blocks
}

// Profile draws the "about you" card. Warn is the key of a sentence on what is missing, or
// empty.
func Profile(warn string) Drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, _ results.Response,
	) (chat.Card, error) {
		return profile(v, part, m, warn), nil
	}
}

func profile(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, warn string,
) chat.Card {
	id := string(part.Round.ID)
	blocks := []chat.Block{
		chat.Footnote(part.Round.Area),
		chat.Heading{Text: v.Say("me.title")},
		chat.Paragraph(v.Say("me.role")),
	}
	blocks = append(blocks, roleMenus(v, m, func(more ...string) chat.Action {
		return chat.NewAction("role", append([]string{id}, more...)...)
	})...)
	blocks = append(blocks,
		chat.Text{
			Spans: []chat.Span{
				chat.Words(v.Say("me.chosen") + " "),
				chat.Bold(roleName(v, m, part.Member.Role)),
			},
		},
	)
	if questions := parentQuestions(v, m); part.Member.Role == parentRole && questions != "" {
		blocks = append(blocks, chat.Paragraph(v.Say("me.parent", "list", questions)))
	}
	if warn != "" {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say(warn))}})
	}
	forward := Button(v.Say("button.continue"), chat.NewAction("go", id))
	if part.Member.Role != "" {
		forward.Style = chat.Primary
	}
	blocks = append(blocks,
		chat.Divider{},
		chat.Paragraph(m.About.In(matrix.Lang(v.Lang))),
		chat.Paragraph(v.Say("me.how")),
		Row(append([]chat.Button{
			forward, Button(v.Say("button.kept"), chat.NewAction("kept", id)),
		}, OtherLanguages(v, part, chat.NewAction("me", id))...)...),
	)
	return Of(blocks...)
}

// roleMenus returns a menu of all roles, or one for each role group if they do not fit one menu. The
// last menu offers not to state the role. action returns the action of a menu, with more arguments
// that tell menus apart.
func roleMenus(
	v locale.Voice, m *matrix.Matrix, action func(more ...string) chat.Action,
) []chat.Block {
	options := func(roles []matrix.Role) []chat.Option {
		var all []chat.Option
		for _, r := range roles {
			all = append(all, chat.Option{Value: r.ID, Label: r.Name.In(matrix.Lang(v.Lang))})
		}
		return all
	}
	unstated := chat.Option{Value: survey.Unstated, Label: v.Say("me.unstated")}
	if roles := m.Roles(); len(roles) < chat.MaxMenu {
		return []chat.Block{chat.Menu{
			Action:      action(),
			Placeholder: v.Say("me.choose"),
			Options:     append(options(roles), unstated),
		}}
	}
	var menus []chat.Block
	for i, g := range m.RoleGroups {
		all := options(g.Roles)
		if i == len(m.RoleGroups)-1 && len(all) < chat.MaxMenu {
			all = append(all, unstated)
		}
		menus = append(menus, chat.Menu{
			Action:      action(g.ID),
			Placeholder: g.Name.In(matrix.Lang(v.Lang)),
			Options:     all,
		})
	}
	return menus
}
