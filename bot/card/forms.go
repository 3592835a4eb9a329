package card

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// newForm returns a form with the given title and fields, and with buttons that save and cancel.
func newForm(v locale.Voice, title string, send chat.Action, fields ...chat.Field) chat.Form {
	return chat.Form{
		Title:  title,
		Submit: v.Say("button.save"),
		Cancel: v.Say("button.cancel"),
		Action: send,
		Fields: fields,
	}
}

// required returns the label of a field that must be filled in, by the keys of its sentences.
func required(v locale.Voice, id, text, hint string) chat.Label {
	return chat.Label{ID: id, Text: v.Say(text), Hint: v.Say(hint)}
}

// optional returns the label of a field that may be left empty, by the keys of its sentences.
func optional(v locale.Voice, id, text, hint string) chat.Label {
	label := required(v, id, text, hint)
	label.Optional = true
	return label
}

// onRound returns the action of a verb on a round, in the language of the voice.
func onRound(verb string, r survey.Round, v locale.Voice) chat.Action {
	return chat.NewAction(verb, string(r.ID), v.Lang)
}

// clock is a time of day as forms show it.
const clock = "15:04"

// usualLanguages is the choice of the languages that are usual in the nation of the edition: see
// UsualLanguages. A form cannot change it when another edition is chosen.
const usualLanguages = "usual"

// UsualLanguages returns the languages of a round for which none were chosen: English in England,
// and elsewhere all of the matrix.
func UsualLanguages(m *matrix.Matrix) []matrix.Lang {
	nation, _ := matrix.FindNation(m.Nation.In(matrix.English))
	if nation == matrix.England && m.Has(matrix.English) {
		return []matrix.Lang{matrix.English}
	}
	return m.Languages
}

// RoundForm returns the form that sets up a round, with the round's settings in it. It has five
// fields, the most that Discord takes.
func RoundForm(
	v locale.Voice, send chat.Action, r survey.Round, editions matrix.List,
) chat.Form {
	var names []chat.Option
	for _, m := range editions {
		names = append(names, chat.Option{Value: m.ID, Label: m.Nation.In(matrix.Lang(v.Lang))})
	}
	edition := editions[0].ID
	if r.Matrix != "" {
		edition = r.Matrix
	}
	languages := usualLanguages
	if len(r.Languages) > 0 {
		languages = joinWords(r.Languages, " ")
	}
	closes := r.ClosesAt.In(r.Location())
	f := newForm(v, v.Say("new.title"), send,
		chat.Input{
			Label: required(v, "area", "new.area", "new.area_hint"),
			Value: r.Area,
			Max:   survey.MaxAreaRunes,
		},
		chat.Select{
			Label:   required(v, "matrix", "new.matrix", "new.matrix_hint"),
			Options: names,
			Chosen:  []string{edition},
		},
		chat.Select{
			Label: required(v, "languages", "new.languages", "new.languages_hint"),
			Options: []chat.Option{
				{Value: usualLanguages, Label: v.Say("new.usual")},
				{Value: "en cy", Label: v.Say("new.english_welsh")},
				{Value: "cy en", Label: v.Say("new.welsh_english")},
				{Value: "en", Label: v.Say("new.english")},
				{Value: "cy", Label: v.Say("new.welsh")},
			},
			Chosen: []string{languages},
		},
		chat.Date{
			Label: required(v, "closes", "new.closes", "new.closes_hint"),
			Value: closes.Format(time.DateOnly),
		},
		chat.TimeOfDay{
			Label: required(v, "closes_time", "new.closes_time", "new.closes_time_hint"),
			Value: closes.Format(clock),
		},
	)
	f.Intro, f.Submit = v.Say("new.intro"), v.Say("button.continue")
	return f
}

// joinWords returns the words of a list with a separator between them.
func joinWords[T ~string](all []T, separator string) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, separator)
}

// RulesForm asks for the rules of a round, which are fixed once the survey is open.
func RulesForm(v locale.Voice, r survey.Round) chat.Form {
	far := "no"
	if r.Consensus.AllowFarMinority {
		far = "yes"
	}
	return newForm(v, v.Say("new.rules"), onRound("saverules", r, v),
		chat.Input{
			Label: required(v, "min_group", "new.min_group", "new.min_group_hint"),
			Value: strconv.Itoa(r.MinGroup),
			Max:   3,
		},
		chat.Input{
			Label: required(v, "agreed", "new.agreed", "new.agreed_hint"),
			Value: strconv.Itoa(r.Consensus.Percent),
			Max:   4,
		},
		chat.Select{
			Label: required(v, "far", "new.far", "new.far_hint"),
			Options: []chat.Option{
				{Value: "no", Label: v.Say("new.far_no")},
				{Value: "yes", Label: v.Say("new.far_yes")},
			},
			Chosen: []string{far},
		},
		chat.Input{
			Label: required(v, "time_zone", "new.time_zone", "new.time_zone_hint"),
			Value: r.TimeZone,
			Max:   40,
		},
	)
}

// maxCron is the length of the longest cron expression that a form takes, in characters.
const maxCron = 120

// PlanForm asks when participants are reminded.
func PlanForm(v locale.Voice, r survey.Round) chat.Form {
	p := r.Reminders
	f := newForm(v, v.Say("plan.title"), onRound("saveplan", r, v),
		chat.Input{
			Label: optional(v, "before_close", "plan.before_close", "plan.before_close_hint"),
			Value: formatDays(p.BeforeClose),
			Max:   60,
		},
		chat.Input{
			Label: optional(
				v, "before_workshop", "plan.before_workshop", "plan.before_workshop_hint",
			),
			Value: formatDays(p.BeforeWorkshop),
			Max:   60,
		},
		chat.TimeOfDay{
			Label: required(v, "hour", "plan.hour", "plan.hour_hint"),
			Value: formatClock(p),
		},
		chat.Input{
			Label: optional(v, "spec", "plan.spec", "plan.spec_hint"),
			Value: p.Cron,
			Max:   maxCron,
		},
	)
	f.Intro = v.Say("plan.intro", "area", r.Area)
	return f
}

// formatClock returns the time of day of a plan as forms show it.
func formatClock(p survey.ReminderPlan) string {
	return fmt.Sprintf("%02d:%02d", p.Hour, p.Minute)
}

// formatDays returns a list of numbers as forms show it.
func formatDays(all []int) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

// PostsForm asks which posts the coordinator's channel gets.
func PostsForm(v locale.Voice, r survey.Round) chat.Form {
	var options []chat.Option
	var chosen []string
	for _, kind := range survey.OptionalPosts {
		options = append(options, chat.Option{Value: string(kind), Label: PostName(v, kind)})
		if r.Posts.Enabled(kind) {
			chosen = append(chosen, string(kind))
		}
	}
	digest := r.Posts.Digest
	if digest == "" {
		digest = survey.DefaultDigest
	}
	if at, _, ok := readSchedule(digest); ok {
		digest = ScheduleAt(digest, at.Hour(), at.Minute()) // as an option has it
	}
	f := newForm(v, v.Say("posts.title"), onRound("saveposts", r, v),
		chat.Select{
			Label:   optional(v, "posts", "plan.posts", "plan.posts_hint"),
			Options: options,
			Many:    true,
			Chosen:  chosen,
		},
		chat.Select{
			Label:   required(v, "digest", "plan.digest", "plan.digest_hint"),
			Options: scheduleOptions(v, digest),
			Chosen:  []string{digest},
		},
		chat.TimeOfDay{
			Label: required(v, "digest_time", "plan.digest_time", "plan.digest_time_hint"),
			Value: scheduleTime(digest),
		},
	)
	f.Intro = v.Say("posts.intro", "area", r.Area)
	return f
}

// InviteForm asks whom to invite, with a role that was given with the command.
func InviteForm(v locale.Voice, r survey.Round, m *matrix.Matrix, role string) chat.Form {
	roles := roleOptions(v, m)
	var chosen []string
	if slices.ContainsFunc(roles, func(o chat.Option) bool { return o.Value == role }) {
		chosen = []string{role}
	}
	f := newForm(v, v.Say("invite.title"), onRound("sendinvite", r, v),
		chat.People{Label: optional(v, "people", "invite.people", "invite.people_hint")},
		chat.Select{
			Label:   optional(v, "role", "invite.role", "invite.role_hint"),
			Options: roles,
			Chosen:  chosen,
		},
		chat.Channel{Label: optional(v, "channel", "invite.channel", "invite.channel_hint")},
		chat.Input{
			Label: optional(v, "list", "invite.list", "invite.list_hint"),
			Max:   chat.MaxFieldText,
			Lines: true,
		},
	)
	f.Intro, f.Submit = v.Say("invite.intro", "area", r.Area), v.Say("button.invite")
	return f
}

// ExtendForm asks for a later closing time, and proposes a week.
func ExtendForm(v locale.Voice, r survey.Round) chat.Form {
	at := r.ClosesAt.In(r.Location())
	f := newForm(v, v.Say("extend.title"), onRound("saveextend", r, v),
		chat.Date{
			Label: required(v, "closes", "new.closes", "extend.hint"),
			Value: at.AddDate(0, 0, 7).Format(time.DateOnly),
		},
		chat.TimeOfDay{
			Label: chat.Label{ID: "closes_time", Text: v.Say("new.closes_time")},
			Value: at.Format(clock),
		},
	)
	f.Intro = v.Say("extend.intro", "area", r.Area, "closes", ClosingTime(v, r))
	return f
}

// WorkshopForm asks when and where the workshop is.
func WorkshopForm(v locale.Voice, r survey.Round) chat.Form {
	day, hour := "", ""
	if !r.Workshop.At.IsZero() {
		at := r.Workshop.At.In(r.Location())
		day, hour = at.Format(time.DateOnly), at.Format(clock)
	}
	f := newForm(v, v.Say("workshop.title"), onRound("saveplace", r, v),
		chat.Date{
			Label: optional(v, "workshop", "new.workshop", "new.workshop_hint"),
			Value: day,
		},
		chat.TimeOfDay{
			Label: optional(v, "workshop_time", "new.workshop_time", "new.workshop_time_hint"),
			Value: hour,
		},
		chat.Input{
			Label: optional(v, "place", "new.place", "new.place_hint"),
			Value: r.Workshop.Place,
			Max:   survey.MaxPlaceRunes,
		},
	)
	f.Intro = v.Say("workshop.intro", "area", r.Area)
	return f
}

// TeamForm asks for more coordinators.
func TeamForm(v locale.Voice, r survey.Round) chat.Form {
	f := newForm(v, v.Say("team.title"), onRound("saveteam", r, v),
		chat.People{Label: required(v, "people", "team.people", "team.hint")},
	)
	f.Intro = v.Say("team.intro", "area", r.Area)
	return f
}

// DetailForm asks what a participant adds to an answer, with what they added before if changes is
// true.
func DetailForm(
	v locale.Voice, round survey.RoundID, m *matrix.Matrix, el matrix.Element,
	before results.Detail, changes bool,
) chat.Form {
	lang := matrix.Lang(v.Lang)
	title := v.Say("detail.title")
	if changes {
		title = v.Say("detail.title_change")
	}
	f := newForm(v, title, chat.NewAction("keep", string(round), el.ID))
	f.Intro = el.Name.In(lang)
	f.Back = chat.NewAction("at", string(round), el.ID)
	var kinds []chat.Option
	for _, k := range m.Information {
		kinds = append(kinds, chat.Option{Value: k.ID, Label: k.Name.In(lang)})
	}
	if len(kinds) > 0 {
		f.Fields = append(f.Fields, chat.Select{
			Label: optional(
				v, "information", "detail.information_label", "detail.information_hint",
			),
			Options: kinds,
			Many:    true,
			Chosen:  before.Information,
		})
	}
	f.Fields = append(f.Fields,
		chat.Input{
			Label: chat.Label{
				ID:       "note",
				Text:     v.Say("detail.note_label"),
				Hint:     v.Say("detail.note_hint", "limit", matrix.MaxNoteRunes),
				Optional: true,
			},
			Value: before.Note,
			Max:   matrix.MaxNoteRunes,
			Lines: true,
		},
		chat.Input{
			Label: chat.Label{
				ID:       "barrier",
				Text:     v.Say("detail.barrier_label"),
				Hint:     v.Say("detail.barrier_hint", "limit", matrix.MaxBarrierRunes),
				Optional: true,
			},
			Value: before.Barrier,
			Max:   matrix.MaxBarrierRunes,
			Lines: true,
		},
	)
	return f
}
