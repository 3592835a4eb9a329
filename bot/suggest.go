package bot

import (
	"context"
	"slices"
	"strings"

	"maturitybot/bot/chat"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// Suggest completes a field of a command while the user types: "round" with the rounds they
// coordinate, "role" with the roles of those rounds. The event's Values hold what was typed. After
// an error it suggests nothing.
func (b *Bot) Suggest(ctx context.Context, e chat.Event, field string) []chat.Option {
	participations, err := b.Rounds.For(person(e.Who)).Participations(ctx)
	if err != nil {
		b.Log.Warn("cannot suggest", "error", err)
		return nil
	}
	v, typed := b.platformVoice(e), plaintext.Key(e.Value(field))
	var all []chat.Option
	add := func(value, label string) {
		known := slices.ContainsFunc(all, func(o chat.Option) bool { return o.Value == value })
		if !known && len(all) < chat.MaxMenu && strings.Contains(plaintext.Key(label), typed) {
			all = append(all, chat.Option{Value: value, Label: chat.Trim(label, chat.MaxOption)})
		}
	}
	for _, s := range participations {
		if !slices.Contains(s.Round.Coordinators, person(e.Who)) {
			continue
		}
		switch field {
		case "round":
			add(
				string(s.Round.ID),
				v.Say(
					"choose.round",
					"area",
					s.Round.Area,
					"closes",
					v.Day(s.Round.ClosesAt.In(s.Round.Location())),
				),
			)
		case "role":
			if m, err := b.Rounds.Matrix(s.Round); err == nil {
				for _, r := range m.Roles() {
					add(r.ID, r.Name.In(matrix.Lang(v.Lang)))
				}
			}
		}
	}
	return all
}
