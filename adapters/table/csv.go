package table

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"maturitybot/survey"
)

// CSV writes one row for each dimension and each element in each group, as UTF-8 without a byte order mark. Names of
// columns and ids are English and stay the same; the columns that end in _name are in the language. The figures are
// those of survey.Cells: counts, percentages rounded half to even, and raw shares.
func CSV(p survey.Published, lang survey.Lang, words Words) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	header := []string{
		"round", "area", "min_group", "agreed_percent", "far_minority_allowed",
		"kind", "dimension", "dimension_name", "element", "element_name", "group", "group_name",
		"rated", "dont_know", "not_applicable", "not_answered",
	}
	for _, measure := range []string{"count_", "percent_", "share_"} {
		for _, l := range p.Matrix.Levels {
			header = append(header, safe(measure+strings.ReplaceAll(l.ID, "-", "_")))
		}
	}
	header = append(header, "mode", "mode_name", "mode_share", "median", "within_one", "agreement", "far_minority", "agreed")
	records := [][]string{header}
	for _, r := range rows(p, 0, len(p.Groups)) {
		records = append(records, record(p, r, lang, words))
	}
	if err := w.WriteAll(records); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	return b.Bytes(), nil
}

func record(p survey.Published, r row, lang survey.Lang, words Words) []string {
	kind, element, elementName := "dimension", "", ""
	if r.element != nil {
		kind, element, elementName = "element", r.element.ID, r.element.Name.In(lang)
	}
	t, c := p.Terms, r.cells
	out := []string{
		safe(string(t.Round)), safe(t.Area), strconv.Itoa(t.MinGroup), strconv.Itoa(t.Consensus.Percent), strconv.FormatBool(t.Consensus.AllowFarMinority),
		kind, safe(r.dimension.ID), safe(r.dimension.Name.In(lang)), safe(element), safe(elementName), safe(r.group.ID), safe(words.groupName(r.group, lang)),
		c.Rated.String(), c.DontKnow.String(), c.NotApplicable.String(), c.NotAnswered.String(),
	}
	for _, figures := range [][]survey.Figure{c.Counts, c.Percent, c.Shares} {
		for _, f := range figures {
			out = append(out, f.String())
		}
	}
	mode := c.Mode.String()
	if level, shown := c.Mode.Int(); shown {
		mode = p.Matrix.Levels[level-1].ID
	}
	return append(out, safe(mode), safe(modeName(p, c, lang)), c.ModeShare.String(), c.Median.String(), c.WithinOne.String(),
		c.Agreement.String(), c.FarMinority.String(), c.Agreed.String())
}

// safe puts an apostrophe before a text that a spreadsheet would take for a formula (OWASP, "CSV Injection"): one
// that begins with =, +, -, @, their full-width forms, a tab or a line break, also after spaces.
func safe(text string) string {
	text = clean(strings.ReplaceAll(text, "\r", "\n"))
	start := strings.TrimLeft(text, " \u00a0\u3000\ufeff")
	if start != "" && strings.ContainsRune("=+-@＝＋－＠\t\n", []rune(start)[0]) {
		return "'" + text
	}
	return text
}
