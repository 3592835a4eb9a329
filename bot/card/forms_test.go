package card

import (
	"slices"
	"strings"
	"testing"

	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// Each form fits the platforms in both languages, and holds what was saved before.
func TestForms(t *testing.T) {
	f := setUp(t)
	r := f.part.Round
	r.Matrix, r.MinGroup, r.Consensus.Percent = f.m.ID, 5, 70
	r.Reminders = survey.ReminderPlan{BeforeClose: []int{7, 1}, Hour: 9, Minute: 5}
	r.Posts.Disabled = []survey.MessageKind{survey.Digest}
	r.Workshop = survey.Workshop{At: r.ClosesAt.AddDate(0, 0, 7), Place: "Town Hall"}
	element := f.m.Elements()[0]
	role := f.m.Roles()[0]
	for _, lang := range []string{"en", "cy"} {
		v := f.words.In(lang)
		for name, c := range map[string]struct {
			form chat.Form
			want string
		}{
			"round":    {RoundForm(v, chat.NewAction("create"), r, matrix.List{f.m}), "‹2026-12-11›"},
			"rules":    {RulesForm(v, r), "‹70›"},
			"plan":     {PlanForm(v, r), "‹7, 1›"},
			"posts":    {PostsForm(v, r), chat.Tick + v.Say("posts.name_last")},
			"invite":   {InviteForm(v, r, f.m, role.ID), chat.Tick + role.Name.In(matrix.Lang(lang))},
			"extend":   {ExtendForm(v, r), "‹2026-12-18›"},
			"workshop": {WorkshopForm(v, r), "‹Town Hall›"},
			"team":     {TeamForm(v, r), "any people"},
			"detail": {
				DetailForm(v, r.ID, f.m, element, results.Detail{Note: "a note"}, true), "‹a note›",
			},
		} {
			if err := c.form.Check(); err != nil {
				t.Errorf("%s, %s: %v", lang, name, err)
			}
			if drawn := c.form.String(); !strings.Contains(drawn, c.want) || strings.Contains(drawn, "⟦") {
				t.Errorf("%s, %s: the form has no %s:\n%s", lang, name, c.want, drawn)
			}
		}
	}
	posts := PostsForm(f.words.In("en"), r).Fields[0].(chat.Select)
	if slices.Contains(posts.Chosen, string(survey.Digest)) {
		t.Errorf("a post that is switched off is chosen: %v", posts.Chosen)
	}
}

func TestNames(t *testing.T) {
	v := setUp(t).words.In("en")
	for _, kind := range survey.OptionalPosts {
		if PostName(v, kind) == "" {
			t.Errorf("post %s has no name", kind)
		}
	}
	if name := PostName(v, survey.Invitation); name != "" {
		t.Errorf("an invitation is no post: %q", name)
	}
}

// TestEveryKindHasItsSentences: the form has a label for a post that can be disabled, and the list
// of what is planned has a line for a kind that the planner queues for the channel.
func TestEveryKindHasItsSentences(t *testing.T) {
	v := setUp(t).words.In("en")
	for _, kind := range survey.MessageTypes {
		named := PostName(v, kind.Kind) != ""
		if named != kind.Optional {
			t.Errorf("%s: it has a name in the form: %v", kind.Kind, named)
		}
		planned := kind.Plan != nil && kind.Audience != survey.ToPerson
		if listed := comingPosts[kind.Kind] != ""; listed != planned {
			t.Errorf("%s: it has a line in the list of what is planned: %v", kind.Kind, listed)
		}
	}
}
