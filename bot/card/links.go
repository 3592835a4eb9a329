package card

import (
	"strconv"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Links shows a coordinator the links of a round: how many there are, and never what they lead to.
// said is what was just done, or empty.
func Links(v locale.Voice, list survey.LinkList, said string) chat.Card {
	r := list.Round
	blocks := []chat.Block{chat.Heading{Text: v.Say("links.title", "area", r.Area)}}
	if said != "" {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(said)}})
	}
	blocks = append(blocks, chat.Paragraph(v.Say("links.what")))
	blocks = append(blocks, personalLinks(v, list)...)
	blocks = append(blocks, openLink(v, list.Open)...)
	return Of(append(blocks, chat.Footnote(v.Say("links.holder")), Row(linkButtons(v, list)...))...)
}

// personalLinks counts the personal links.
func personalLinks(v locale.Voice, list survey.LinkList) []chat.Block {
	if len(list.Personal) == 0 {
		return []chat.Block{chat.Paragraph(v.Say("links.personal_none"))}
	}
	finished, revoked, old := 0, 0, 0
	for _, l := range list.Personal {
		switch {
		case l.Finished:
			finished++
		case l.Revoked:
			revoked++
		}
		if l.NeedsReissue {
			old++
		}
	}
	made := len(list.Personal) - revoked
	blocks := []chat.Block{chat.Paragraph(v.Say("links.personal",
		"made", made, "finished", finished, "unfinished", made-finished))}
	if revoked > 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("links.revoked", "n", revoked)))
	}
	if old > 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("links.old", "n", old)))
	}
	return blocks
}

// openLink says whether there is an open link, and how many people came by it.
func openLink(v locale.Voice, open survey.OpenLink) []chat.Block {
	said := v.Say("links.open_off")
	switch {
	case open.On:
		said = v.Say("links.open_on",
			"used", open.Used, "maximum", open.Maximum, "finished", open.Finished)
	case open.Used > 0:
		said = v.Say("links.open_was", "used", open.Used, "finished", open.Finished)
	}
	blocks := []chat.Block{chat.Paragraph(said)}
	if open.NeedsReplace {
		blocks = append(blocks, chat.Paragraph(v.Say("links.open_old")))
	}
	return blocks
}

// linkButtons are what a coordinator can do about the links.
func linkButtons(v locale.Voice, list survey.LinkList) []chat.Button {
	r := list.Round
	buttons := []chat.Button{Button(v.Say("button.make_links"), onRound("makelinks", r, v))}
	if len(list.Personal) > 0 {
		buttons = append(buttons,
			Button(v.Say("button.due_links"), onRound("duelinks", r, v)),
			Button(v.Say("button.fix_link"), onRound("fixlink", r, v)),
		)
	}
	if !list.Open.On {
		return append(buttons, Button(v.Say("button.open_link"), onRound("openlink", r, v)))
	}
	if !list.Open.NeedsReplace {
		buttons = append(buttons, Button(v.Say("button.poster"), onRound("poster", r, v)))
	}
	return append(buttons,
		Button(v.Say("button.link_maximum"), onRound("openlink", r, v)),
		chat.Button{
			Label:  v.Say("button.replace_open"),
			Action: onRound("newopen", r, v),
			Style:  chat.Danger,
			Confirm: &chat.Confirm{
				Title: v.Say("links.replace_title"),
				Text:  v.Say("links.replace_confirm"),
				Yes:   v.Say("links.replace_yes"),
				No:    v.Say("close.no"),
			},
		},
		chat.Button{
			Label:  v.Say("button.close_open"),
			Action: onRound("shutopen", r, v),
			Style:  chat.Danger,
			Confirm: &chat.Confirm{
				Title: v.Say("links.close_title"),
				Text:  v.Say("links.close_confirm"),
				Yes:   v.Say("links.close_yes"),
				No:    v.Say("close.no"),
			},
		},
	)
}

// LinksButton leads back to the links of a round.
func LinksButton(v locale.Voice, r survey.Round) chat.Buttons {
	return Row(Button(v.Say("button.links"), onRound("links", r, v)))
}

// MakeLinksForm asks which personal links to make.
func MakeLinksForm(v locale.Voice, r survey.Round, m *matrix.Matrix) chat.Form {
	f := newForm(v, v.Say("links.make_title"), onRound("savelinks", r, v),
		chat.Input{
			Label: chat.Label{
				ID:       "number",
				Text:     v.Say("links.number"),
				Hint:     v.Say("links.number_hint", "limit", survey.MaxLinksAtOnce),
				Optional: true,
			},
			Max: 4,
		},
		chat.Select{
			Label:   optional(v, "role", "invite.role", "invite.role_hint"),
			Options: roleOptions(v, m),
		},
		chat.Input{
			Label: optional(v, "labels", "links.labels", "links.labels_hint"),
			Max:   chat.MaxFieldText,
			Lines: true,
		},
	)
	f.Intro, f.Submit = v.Say("links.make_intro", "area", r.Area), v.Say("links.make")
	return f
}

// roleOptions offers the roles of the matrix, as many as fit a form.
func roleOptions(v locale.Voice, m *matrix.Matrix) []chat.Option {
	var roles []chat.Option
	for _, offered := range m.Roles() {
		if len(roles) == chat.MaxMenu {
			break
		}
		name := offered.Name.In(matrix.Lang(v.Lang))
		roles = append(roles, chat.Option{Value: offered.ID, Label: name})
	}
	return roles
}

// OpenLinkForm asks how many people the open link may let in.
func OpenLinkForm(v locale.Voice, r survey.Round, open survey.OpenLink) chat.Form {
	maximum := survey.DefaultByOpenLink
	if open.On {
		maximum = open.Maximum
	}
	f := newForm(v, v.Say("links.open_title"), onRound("saveopen", r, v),
		chat.Input{
			Label: chat.Label{
				ID:   "maximum",
				Text: v.Say("links.maximum"),
				Hint: v.Say("links.maximum_hint", "limit", survey.MaxByOpenLink),
			},
			Value: strconv.Itoa(maximum),
			Max:   4,
		},
	)
	f.Intro = v.Say("links.open_intro", "area", r.Area)
	return f
}

// What a coordinator can do about one link, as FixLinkForm sends it.
const (
	ReissueLink = "reissue"
	RevokeLink  = "revoke"
)

// FixLinkForm asks for a personal link, and whether to replace or to revoke it.
func FixLinkForm(v locale.Voice, r survey.Round) chat.Form {
	f := newForm(v, v.Say("links.fix_title"), onRound("savefix", r, v),
		chat.Input{
			Label: required(v, "link", "links.which", "links.which_hint"),
			Max:   survey.MaxLabelRunes,
		},
		chat.Select{
			Label: chat.Label{ID: "deed", Text: v.Say("links.deed")},
			Options: []chat.Option{
				{Value: ReissueLink, Label: v.Say("links.reissue")},
				{Value: RevokeLink, Label: v.Say("links.revoke")},
			},
			Chosen: []string{ReissueLink},
		},
	)
	f.Intro = v.Say("links.fix_intro", "area", r.Area)
	return f
}

// maxLinkLines is how many labels a status lists.
const maxLinkLines = 20

// linkLinesRoom is how many characters these lines may take.
const linkLinesRoom = 700

// LinkStatus says for each label, or role, how many links were made and with how many somebody has
// finished, and the same of the open link. It is empty where there are no links.
func LinkStatus(v locale.Voice, m *matrix.Matrix, list survey.LinkList) []chat.Block {
	type count struct{ made, finished int }
	counts := map[string]*count{}
	var names []string // in the order of the first link of each
	for _, l := range list.Personal {
		if l.Revoked && !l.Finished {
			continue
		}
		name := l.Label
		switch {
		case name != "":
		case l.Role != "":
			name = roleName(v, m, l.Role)
		default:
			name = v.Say("status.no_label")
		}
		if counts[name] == nil {
			counts[name] = &count{}
			names = append(names, name)
		}
		counts[name].made++
		if l.Finished {
			counts[name].finished++
		}
	}
	var lines []string
	for _, name := range names {
		lines = append(lines, v.Say("status.link",
			"label", name, "finished", counts[name].finished, "made", counts[name].made))
	}
	var blocks []chat.Block
	if len(lines) > 0 {
		blocks = append(blocks, linkLines(v, lines))
	}
	if list.Open.On || list.Open.Used > 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("status.open_link",
			"used", list.Open.Used, "finished", list.Open.Finished)))
	}
	return blocks
}

// linkLines lists lines under a label, as far as there is room.
func linkLines(v locale.Voice, lines []string) chat.Text {
	shown := fitting(lines[:min(len(lines), maxLinkLines)], linkLinesRoom)
	spans := []chat.Span{chat.Bold(v.Say("status.by_link"))}
	for _, line := range shown {
		spans = append(spans, chat.Words("\n• "+line))
	}
	if more := len(lines) - len(shown); more > 0 {
		spans = append(spans, chat.Words("\n"+v.Count("status.more", more)))
	}
	return chat.Text{Spans: spans}
}
