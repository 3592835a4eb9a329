package card

import (
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// remindButton returns a button that asks for confirmation before everybody gets a message.
func remindButton(v locale.Voice, r survey.Round) chat.Button {
	remind := Button(v.Say("button.remind"), onRound("remind", r, v))
	remind.Confirm = &chat.Confirm{
		Title: v.Say("button.remind"),
		Text:  v.Say("remind.ask"),
		Yes:   v.Say("remind.yes"),
		No:    v.Say("remind.no"),
	}
	return remind
}

// comingPosts are the sentences that say when a post comes.
var comingPosts = map[survey.MessageKind]string{
	survey.Digest:      "posts.digest",
	survey.LastDay:     "posts.last",
	survey.Closing:     "posts.close",
	survey.WorkshopEve: "posts.eve",
}

// channelPosts lists the next post of each kind to the coordinator's channel.
func channelPosts(v locale.Voice, r survey.Round, ahead []survey.Moment) chat.Block {
	spans := []chat.Span{chat.Bold(v.Say("reminders.channel"))}
	seen := map[survey.MessageKind]bool{}
	for _, m := range ahead {
		kind := m.Kind.Base()
		if seen[kind] {
			continue
		}
		seen[kind] = true
		key := comingPosts[kind]
		if kind == survey.Closing && !r.Posts.Enabled(survey.ResultsPost) {
			key = "posts.close_only"
		}
		spans = append(spans, chat.Words("\n• "+v.Say(key, "when", v.Time(m.At.In(r.Location())))))
	}
	if len(seen) == 0 {
		spans = append(spans, chat.Words("\n"+v.Say("reminders.none_ahead")))
	}
	return chat.Text{Spans: spans}
}

// planFacts returns a plan in words, one line per rule.
func planFacts(v locale.Voice, p survey.ReminderPlan) string {
	clock := v.Clock(time.Date(1, 1, 1, p.Hour, p.Minute, 0, 0, time.UTC))
	var lines []string
	switch {
	case p.Cron != "":
		lines = append(lines, v.Say("facts.reminders_spec", "schedule", schedule(v, p.Cron)))
	case len(p.BeforeClose) > 0:
		lines = append(lines,
			v.Say("facts.reminders_close", "days", formatDays(p.BeforeClose), "clock", clock),
		)
	}
	if len(p.BeforeWorkshop) > 0 {
		lines = append(lines,
			v.Say("facts.reminders_workshop", "days", formatDays(p.BeforeWorkshop), "clock", clock),
		)
	}
	if len(lines) == 0 {
		lines = append(lines, v.Say("facts.reminders_none"))
	}
	if p.Paused {
		lines = append(lines, v.Say("facts.reminders_paused"))
	}
	return strings.Join(lines, "\n")
}

// maxMoments is how many reminders a card lists. The rest are counted.
const maxMoments = 8

// Plan shows what is sent when, in the time zone of the round. counts says how many people now get
// the reminders of a kind; reminders and posts are what is ahead.
func Plan(
	v locale.Voice, r survey.Round, counts map[survey.MessageKind]int,
	reminders, posts []survey.Moment, now time.Time,
) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("reminders.title", "area", r.Area)},
		chat.Paragraph(planFacts(v, r.Reminders)),
	}
	if r.State != survey.Closed {
		title := v.Count("reminders.closes", counts[survey.ClosesSoon])
		blocks = append(blocks, momentList(v, r, title, survey.ClosesSoon, reminders))
	}
	if !r.Workshop.At.IsZero() {
		title := v.Count("reminders.workshop", counts[survey.WorkshopSoon])
		blocks = append(blocks, momentList(v, r, title, survey.WorkshopSoon, reminders))
	}
	blocks = append(blocks,
		channelPosts(v, r, posts),
		chat.Footnote(v.Say("reminders.how", "zone", r.TimeZone)),
	)
	var buttons []chat.Button
	if r.State != survey.Closed {
		pause := Button(v.Say("button.pause"), onRound("pause", r, v))
		if r.Reminders.Paused {
			pause = Button(v.Say("button.goon"), onRound("goon", r, v))
		}
		buttons = append(buttons,
			Button(v.Say("button.plan"), onRound("plan", r, v)),
			Button(v.Say("button.posts"), onRound("posts", r, v)),
			pause,
		)
	}
	if r.AcceptsAnswers(now) {
		buttons = append(buttons, remindButton(v, r))
	}
	if r.State == survey.Closed {
		buttons = append(buttons, Button(v.Say("button.workshop"), onRound("workshop", r, v)))
	}
	buttons = append(buttons, Button(v.Say("button.status"), onRound("status", r, v)))
	return Of(append(blocks, Row(buttons...))...)
}

// momentList lists the moments of a kind below a title.
func momentList(
	v locale.Voice, r survey.Round, title string, kind survey.MessageKind, all []survey.Moment,
) chat.Block {
	spans, n := []chat.Span{chat.Bold(title)}, 0
	for _, m := range all {
		if m.Kind.Base() != kind {
			continue
		}
		if n++; n <= maxMoments {
			spans = append(spans, chat.Words("\n• "+v.Time(m.At.In(r.Location()))))
		}
	}
	switch {
	case n == 0:
		spans = append(spans, chat.Words("\n"+v.Say("reminders.none_ahead")))
	case n > maxMoments:
		spans = append(spans, chat.Words("\n"+v.Count("status.more", n-maxMoments)))
	}
	return chat.Text{Spans: spans}
}
