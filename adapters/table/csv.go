package table

import (
	"bytes"
	"fmt"
	"strconv"

	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

// CSV writes one row for each dimension and each element in each group, as rows.WriteCSV does.
// Names of columns and ids are English in every language; only the columns that end in _name are in
// the language given. The figures are those of results.GroupStats: counts, percentages rounded half
// to even, and raw shares.
func CSV(p results.Published, lang matrix.Lang, words Words) ([]byte, error) {
	var b bytes.Buffer
	header := []string{
		"round", "area", "min_group", "consensus_percent", "far_minority_allowed",
		"kind", "dimension", "dimension_name", "element", "element_name", "group", "group_name",
		"rated", "dont_know", "not_applicable", "not_answered",
	}
	header = append(header, levelColumns(p.Matrix.Levels)...)
	header = append(header,
		"mode", "mode_name", "mode_share", "median", "within_one", "agreement", "far_minority", "consensus")
	records := [][]string{header}
	for _, r := range resultRows(p, 0, len(p.Groups)) {
		records = append(records, record(p, r, lang, words))
	}
	if err := rows.WriteCSV(&b, records); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return b.Bytes(), nil
}

func record(p results.Published, r row, lang matrix.Lang, words Words) []string {
	kind, element, elementName := "dimension", "", ""
	if r.element != nil {
		kind, element, elementName = "element", r.element.ID, r.element.Name.In(lang)
	}
	t, c := p.Context, r.cells
	out := []string{
		rows.Safe(string(t.Round)),
		rows.Safe(t.Area),
		strconv.Itoa(t.MinGroup),
		strconv.Itoa(t.Consensus.Percent),
		strconv.FormatBool(t.Consensus.AllowFarMinority),
		kind,
		rows.Safe(r.dimension.ID),
		rows.Safe(r.dimension.Name.In(lang)),
		rows.Safe(element),
		rows.Safe(elementName),
		rows.Safe(r.group.ID),
		rows.Safe(words.groupName(r.group, lang)),
		c.Rated.String(),
		c.DontKnow.String(),
		c.NotApplicable.String(),
		c.NotAnswered.String(),
	}
	out = append(out, levelFigures(c.Counts, c.Percent, c.Shares)...)
	mode := c.Mode.String()
	if level, shown := c.Mode.Int(); shown {
		mode = p.Matrix.Levels[level-1].ID
	}
	return append(out,
		rows.Safe(mode),
		rows.Safe(modeName(p, c, lang)),
		c.ModeShare.String(),
		c.Median.String(),
		c.WithinOne.String(),
		c.Agreement.String(),
		c.FarMinority.String(),
		c.Consensus.String(),
	)
}
