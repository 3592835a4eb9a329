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

// listColumns are the headings that a list of people can have, as Outlook, Teams, Google and people
// write them. The column of names counts only where no other column says who a person is.
var listColumns = rows.Columns{Others: true, List: []rows.Column{
	{Names: []string{
		"person", "e-mail", "email", "e-mail address", "email address",
		"mail", "address", "user", "user name", "username", "member id", "handle",
		"cyfeiriad e-bost", "e-bost", "ebost", "cyfeiriad ebost", "aelod",
	}},
	{Names: []string{"role", "their role", "rôl", "eu rôl"}},
	{Names: []string{"name", "full name", "enw"}},
}}

// The columns of a list.
const (
	personColumn = iota
	roleColumn
	nameColumn
)

// readList reads a list of people, one a line, each with or without a role. People without one get
// the role of the parameter. faults names each line that cannot be read or has an unknown person or
// role.
func (h *Tools) readList(
	ctx context.Context, from chat.Place, v locale.Voice, m *matrix.Matrix, list, role string,
) (all []invitee, faults []string) {
	if utf8.RuneCountInString(list) > chat.MaxFieldText {
		return nil, []string{v.Say("invite.unreadable")}
	}
	vocabulary := matrix.NewVocabulary(m)
	lines := rows.Pasted(list)
	var at []int
	headings := 0
	if len(lines) > 0 && listColumns.Count(lines[0].Cells) > 0 {
		first := lines[0].Cells
		at, headings = listColumns.Find(first), len(first)
		lines = lines[1:]
	}
	for _, line := range lines {
		people, word := listLine(line, at, headings, vocabulary)
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

// listLine returns the people on a line of a list, and the word for their role, if there is one. A
// line has one person, and then perhaps a role; or it has several addresses, as mail programs copy
// them. Cells after the role belong to other columns. If one of those is an address, role is all of
// them together: no role has that name, so the caller reports the line. In a list with so many
// headings, at is the place of each of listColumns.
func listLine(
	line rows.Row, at []int, headings int, vocabulary *matrix.Vocabulary,
) (people []string, role string) {
	cell := func(k int) string {
		if k < 0 || k >= len(line.Cells) {
			return ""
		}
		return line.Cells[k]
	}
	if headings > 0 {
		person := cell(at[personColumn])
		if at[personColumn] < 0 {
			person = cell(max(at[nameColumn], 0))
		}
		if role = cell(at[roleColumn]); matrix.Blank(role) {
			role = ""
		}
		after := line.Cells[min(headings, len(line.Cells)):]
		if slices.ContainsFunc(after, isAddress) {
			role = strings.Join(append([]string{role}, after...), ", ")
		}
		return []string{person}, role
	}
	people, rest := []string{line.Cells[0]}, line.Cells[1:]
	for len(rest) > 0 && isAddress(rest[0]) {
		people, rest = append(people, rest[0]), rest[1:]
	}
	switch {
	case slices.ContainsFunc(rest, isAddress):
		return people, strings.Join(rest, ", ") // it is not clear whose role is whose
	case len(rest) == 0 || matrix.Blank(rest[0]):
		return people, ""
	}
	// A role's name can contain the separator, so the longest name that is a role counts.
	for n := len(rest); n > 1; n-- {
		name := strings.Join(rest[:n], ", ")
		if _, err := vocabulary.Role(name); err == nil {
			return people, name
		}
	}
	return people, rest[0]
}

// isAddress reports whether a cell is an e-mail address or a handle, and so no role.
func isAddress(cell string) bool { return strings.Contains(cell, "@") }

// address returns the e-mail address in "Ben Jones <ben@example.org>". It returns any other text
// without invisible characters and quotation marks.
func address(name string) string {
	if before, rest, ok := strings.Cut(name, "<"); ok && !strings.HasPrefix(rest, "@") {
		if inside, _, closed := strings.Cut(rest, ">"); closed && isAddress(inside) &&
			strings.TrimSpace(before) != "" {
			name = inside
		}
	}
	return strings.Trim(plaintext.Line(name), "\"'“”‘’")
}
