package card

import (
	"strconv"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// readingAction is the action of the button that explains a results post. It carries all that
// Reading needs of the round, so that everybody who sees the post can press the button, also when
// the round has been deleted.
func readingAction(v locale.Voice, p results.Published) chat.Action {
	far := "0"
	if p.Context.Consensus.AllowFarMinority {
		far = "1"
	}
	return chat.NewAction("reading", v.Lang, p.Matrix.ID, strconv.Itoa(p.Matrix.Version),
		strconv.Itoa(p.Context.MinGroup), strconv.Itoa(p.Context.Consensus.Percent), far)
}

// Reading explains the results post of a round with this minimum group and consensus rule.
func Reading(v locale.Voice, m *matrix.Matrix, minGroup int, rule results.Consensus) chat.Card {
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("reading.title")},
		chat.Paragraph(groupMeanings(v, rule)),
		chat.Paragraph(v.Say("reading.percent")),
		chat.Paragraph(v.Say("reading.dimension")),
		chat.Paragraph(v.Say("reading.hidden", "min", minGroup)),
	}
	return Of(append(blocks, LevelMeanings(v, m)...)...)
}

// groupMeanings explains the three groups of the agenda, a line each.
func groupMeanings(v locale.Voice, rule results.Consensus) string {
	consensus := "reading.consensus"
	if rule.AllowFarMinority {
		consensus = "reading.consensus_far"
	}
	return v.Say(consensus, "percent", rule.Percent, "far", results.FarMinorityPercent) + "\n" +
		v.Say("reading.close", "percent", results.ClosePercent) + "\n" +
		v.Say("reading.split")
}

// LevelMeanings says what each level means, in general.
func LevelMeanings(v locale.Voice, m *matrix.Matrix) []chat.Block {
	lang := matrix.Lang(v.Lang)
	var blocks []chat.Block
	for _, l := range m.Levels {
		name, meaning := chat.Bold(l.Name.In(lang)), chat.Words(": "+l.Meaning.In(lang))
		blocks = append(blocks, chat.Text{Spans: []chat.Span{name, meaning}})
	}
	return blocks
}
