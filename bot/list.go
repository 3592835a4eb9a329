package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/rows"
)

// invitee is a person of a list, with their role or none.
type invitee struct {
	person chat.Person
	role   string
}

// listColumns are the headings that a list of people can have, as Outlook, Teams, Google and hands
// write them.
var listColumns = rows.Columns{Others: true, List: []rows.Column{
	{Names: []string{
		"person", "e-mail", "email", "e-mail address", "email address",
		"mail", "address", "user", "user name", "username", "member id", "handle",
		"cyfeiriad e-bost", "e-bost", "ebost", "cyfeiriad ebost", "aelod",
	}},
	{Names: []string{"role", "their role", "rôl", "eu rôl"}},
	{
		Names: []string{"name", "full name", "enw"},
	}, // where it is the only column that tells people apart
}}

// The columns of a list.
const (
	personColumn = iota
	roleColumn
	nameColumn
)

// readList reads a list of people, one a line, each with a role or without one; role is that of
// people without. Every line that cannot stand is named, and none is passed over in silence.
func (h *Tools) readList(
	ctx context.Context, from chat.Place, v locale.Voice, m *matrix.Matrix, list, role string,
) (all []invitee, faults []string) {
	if utf8.RuneCountInString(list) > chat.MaxFieldText {
		return nil, []string{v.Say("invite.unreadable")}
	}
	vocabulary := matrix.NewVocabulary(m)
	lines := rows.Pasted(list)
	var at []int
	width := 0                                                   // of the heading
	if len(lines) > 0 && listColumns.Count(lines[0].Cells) > 0 { // a line that names the columns
		at, width, lines = listColumns.Find(lines[0].Cells), len(lines[0].Cells), lines[1:]
	}
	for _, line := range lines {
		people, word := listLine(line, at, width, vocabulary)
		given := role
		if word != "" {
			id, err := vocabulary.Role(word)
			if err != nil {
				faults = append(faults,
					v.Say("invite.line_role", "line", line.Line, "role", chat.Trim(word, 40)),
				)
			}
			given = id
		}
		for _, name := range people {
			p, err := h.Directory.Find(ctx, from, address(name))
			switch {
			case errors.Is(err, chat.ErrNobody):
				faults = append(faults,
					v.Say("invite.line_person", "line", line.Line, "name", chat.Trim(name, 60)),
				)
			case err != nil:
				h.Log.Error("directory failed", "error", err)
				return nil, append(faults, v.Say("invite.directory"))
			default:
				all = append(all, invitee{p, given})
			}
		}
	}
	return all, faults
}

// listLine returns the people on a line of a list, and the word for their role, or none. A line
// has one person, and then perhaps a role; or it has several addresses, as mail programs copy
// them. Cells behind the role are those of other columns; where one is an address, all of them are
// the role, which nobody has, so that the line is named. Below a heading of some width, at says
// where each of listColumns is.
func listLine(
	line rows.Row, at []int, width int, vocabulary *matrix.Vocabulary,
) (people []string, role string) {
	cell := func(k int) string {
		if k < 0 || k >= len(line.Cells) {
			return ""
		}
		return line.Cells[k]
	}
	if width > 0 {
		person := cell(at[personColumn])
		if at[personColumn] < 0 {
			person = cell(max(at[nameColumn], 0))
		}
		if role = cell(at[roleColumn]); matrix.Blank(role) {
			role = ""
		}
		if behind := line.Cells[min(width, len(line.Cells)):]; slices.ContainsFunc(
			behind,
			isAddress,
		) {
			role = strings.Join(append([]string{role}, behind...), ", ")
		}
		return []string{person}, role
	}
	people, rest := []string{line.Cells[0]}, line.Cells[1:]
	for len(rest) > 0 && isAddress(rest[0]) {
		people, rest = append(people, rest[0]), rest[1:]
	}
	switch {
	case slices.ContainsFunc(rest, isAddress):
		return people, strings.Join(rest, ", ") // which role is whose cannot be told
	case len(rest) == 0 || matrix.Blank(rest[0]):
		return people, ""
	}
	// A role's name can hold the separator: the most cells that are one count.
	for n := len(rest); n > 1; n-- {
		name := strings.Join(rest[:n], ", ")
		if _, err := vocabulary.Role(name); err == nil {
			return people, name
		}
	}
	return people, rest[0]
}

// isAddress says whether a cell is an e-mail address or a handle, and so no role.
func isAddress(cell string) bool { return strings.Contains(cell, "@") }

// address returns the e-mail address in "Ben Jones <ben@example.org>", or else the text itself
// without what cannot be seen.
func address(name string) string {
	if before, rest, ok := strings.Cut(name, "<"); ok && !strings.HasPrefix(rest, "@") {
		if inside, _, closed := strings.Cut(rest, ">"); closed && isAddress(inside) &&
			strings.TrimSpace(before) != "" {
			name = inside
		}
	}
	return strings.Trim(plaintext.Line(name), "\"'“”‘’")
}
