package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"maturitybot/survey/results"
	"maturitybot/survey/rows"
)

// PosterRenderer draws the open link of a round.
type PosterRenderer interface {
	// Poster writes the QR code as PNG and SVG, a page to print, and the address as text.
	Poster(p card.Poster) ([]chat.File, error)
}

// showLinks shows a coordinator the links of a round.
func (h linking) showLinks(
	ctx context.Context, req *request, args targetArgs,
) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.roundVoice(req, r)
	list, err := h.linkList(ctx, r.ID)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Links(v, list, ""), nil
}

// linkList returns the links of a round that takes answers, on an installation that has links.
func (h linking) linkList(ctx context.Context, id survey.RoundID) (survey.LinkList, error) {
	list, err := h.links.Links(ctx, id)
	switch {
	case err != nil:
		return list, err
	case h.WebURL == "":
		return list, survey.ErrNoLinks
	case !list.Round.AcceptsAnswers(h.Now()):
		return list, notOpenReason(list.Round)
	}
	return list, nil
}

// linkURL returns the address of a link.
func (h *Tools) linkURL(id survey.RoundID, token string) string {
	return strings.TrimSuffix(h.WebURL, "/") + "/" + string(id) + "/" + token
}

func (h linking) makeLinksForm(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Form, error) {
	list, err := h.linkList(ctx, args.round)
	if err != nil {
		return chat.Form{}, err
	}
	m, err := h.matrix(list.Round)
	if err != nil {
		return chat.Form{}, err
	}
	return card.MakeLinksForm(req.voice, list.Round, m), nil
}

// makeLinks makes the personal links of the form, and gives them to the coordinator alone.
func (h linking) makeLinks(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	if _, err := h.linkList(ctx, args.round); err != nil {
		return nil, err
	}
	want := survey.LinkRequest{Role: req.Value("role")}
	for line := range strings.Lines(req.Value("labels")) {
		if label := plaintext.Line(line); label != "" {
			want.Labels = append(want.Labels, label)
		}
	}
	want.Count, _ = strconv.Atoi(req.Value("number")) // 0 is refused, unless there are labels
	r, made, err := h.links.MakeLinks(ctx, args.round, want)
	if err != nil {
		return nil, err
	}
	return h.sendLinks(req.voice, r, made, req.voice.Say("links.made", "n", len(made)))
}

// unfinishedLinks gives the coordinator the links with which nobody has finished.
func (h linking) unfinishedLinks(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	if _, err := h.linkList(ctx, args.round); err != nil {
		return nil, err
	}
	r, made, err := h.links.UnfinishedLinks(ctx, args.round)
	if err != nil {
		return nil, err
	}
	v := req.voice
	if len(made) == 0 {
		return whispered(chat.Paragraph(v.Say("links.due_none")), card.LinksButton(v, r)), nil
	}
	return h.sendLinks(v, r, made, v.Say("links.due", "n", len(made)))
}

// sendLinks returns the reply that gives a file with links to the coordinator alone.
func (h linking) sendLinks(
	v locale.Voice, r survey.Round, made []survey.MadeLink, said string,
) ([]chat.Reply, error) {
	file, err := h.linksFile(v, r, made)
	if err != nil {
		return nil, err
	}
	c := card.Of(
		chat.Heading{Text: v.Say("links.title", "area", r.Area)},
		chat.Paragraph(said),
		chat.Footnote(v.Say("links.holder")),
		card.LinksButton(v, r),
	)
	return []chat.Reply{h.privateFiles(v, c, file)}, nil
}

// privateFiles returns the reply that shows a card with files to the coordinator alone, and says so
// if the files did not arrive.
func (h *Tools) privateFiles(v locale.Voice, c chat.Card, files ...chat.File) chat.Reply {
	return chat.Whisper{Card: c, Files: files, Then: func(d chat.Delivered) []chat.Reply {
		if !d.Failed() && len(d.Missing) == 0 {
			return nil
		}
		h.Log.Warn("files for a coordinator not delivered", "error", d.Err)
		return whispered(chat.Paragraph(v.Say("links.not_sent")))
	}}
}

// linksFile writes links as CSV, for the coordinator's own mail merge.
func (h linking) linksFile(
	v locale.Voice, r survey.Round, made []survey.MadeLink,
) (chat.File, error) {
	m, err := h.matrix(r)
	if err != nil {
		return chat.File{}, err
	}
	records := [][]string{{"link", "label", "role", "number"}}
	for _, l := range made {
		role := ""
		if l.Role != "" {
			named, _, _ := m.Role(l.Role)
			role = named.Name.In(matrix.Lang(v.Lang))
		}
		records = append(records, []string{
			h.linkURL(r.ID, l.Token), rows.Safe(l.Label), rows.Safe(role), strconv.Itoa(l.Number),
		})
	}
	var b bytes.Buffer
	if err := rows.WriteCSV(&b, records); err != nil {
		return chat.File{}, fmt.Errorf("write links: %w", err)
	}
	return chat.File{Name: h.linkFileName("links", r) + ".csv", Type: "text/csv", Data: b.Bytes()}, nil
}

// linkFileName returns a name without an extension for a file about the links of a round.
func (h *Tools) linkFileName(what string, r survey.Round) string {
	return what + "-" + results.FileName(r.Area, h.Now().In(r.Location()), string(r.ID))
}

func (h linking) openLinkForm(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Form, error) {
	list, err := h.linkList(ctx, args.round)
	if err != nil {
		return chat.Form{}, err
	}
	return card.OpenLinkForm(req.voice, list.Round, list.Open), nil
}

// saveOpenLink makes the open link, or changes how many people it lets in.
func (h linking) saveOpenLink(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	if _, err := h.linkList(ctx, args.round); err != nil {
		return nil, err
	}
	maximum, _ := strconv.Atoi(req.Value("maximum")) // 0 is refused
	r, err := h.links.AllowOpenLink(ctx, args.round, maximum)
	if err != nil {
		return nil, err
	}
	said := req.voice.Say("links.open_made", "maximum", maximum)
	replies, err := h.sendPoster(ctx, req.voice, args.round, said)
	if errors.Is(err, survey.ErrOldLink) { // only its maximum was changed
		return whispered(chat.Paragraph(req.voice.Say("links.open_old")),
			card.LinksButton(req.voice, r)), nil
	}
	return replies, err
}

// showPoster gives the coordinator the QR code and the poster of the open link again.
func (h linking) showPoster(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	if _, err := h.linkList(ctx, args.round); err != nil {
		return nil, err
	}
	return h.sendPoster(ctx, req.voice, args.round, req.voice.Say("links.poster"))
}

// replaceOpenLink makes a new open link in place of the old one.
func (h linking) replaceOpenLink(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	if _, err := h.linkList(ctx, args.round); err != nil {
		return nil, err
	}
	if err := h.links.ReplaceOpenLink(ctx, args.round); err != nil {
		return nil, err
	}
	return h.sendPoster(ctx, req.voice, args.round, req.voice.Say("links.open_replaced"))
}

// closeOpenLink closes the open link and shows the links as they are then.
func (h linking) closeOpenLink(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Card, error) {
	if err := h.links.CloseOpenLink(ctx, args.round); err != nil {
		return chat.Card{}, err
	}
	list, err := h.linkList(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	return card.Links(req.voice, list, req.voice.Say("links.open_closed")), nil
}

// sendPoster returns the reply that gives the QR code and the poster to the coordinator alone.
func (h linking) sendPoster(
	ctx context.Context, v locale.Voice, id survey.RoundID, said string,
) ([]chat.Reply, error) {
	r, token, err := h.links.OpenLinkToken(ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := h.matrix(r)
	if err != nil {
		return nil, err
	}
	poster := card.NewPoster(v, h.Words, r, m, h.linkURL(r.ID, token), h.linkFileName("poster", r))
	files, err := h.Posters.Poster(poster)
	if err != nil {
		return nil, fmt.Errorf("draw poster: %w", err)
	}
	c := card.Of(
		chat.Heading{Text: v.Say("links.title", "area", r.Area)},
		chat.Paragraph(said),
		chat.Footnote(v.Say("links.anyone")),
		card.LinksButton(v, r),
	)
	return []chat.Reply{h.privateFiles(v, c, files...)}, nil
}

func (h linking) fixLinkForm(
	ctx context.Context, req *request, args coordinatorArgs,
) (chat.Form, error) {
	list, err := h.linkList(ctx, args.round)
	if err != nil {
		return chat.Form{}, err
	}
	return card.FixLinkForm(req.voice, list.Round), nil
}

// fixLink replaces or revokes the personal link that the form names.
func (h linking) fixLink(
	ctx context.Context, req *request, args coordinatorArgs,
) ([]chat.Reply, error) {
	list, err := h.linkList(ctx, args.round)
	if err != nil {
		return nil, err
	}
	v := req.voice
	number, err := linkNumber(v, list, req.Value("link"))
	if err != nil {
		return nil, err
	}
	switch req.Value("deed") {
	case card.RevokeLink:
		r, err := h.links.RevokeLink(ctx, args.round, number)
		if err != nil {
			return nil, err
		}
		said := v.Say("links.revoked_one", "n", number)
		return whispered(chat.Paragraph(said), card.LinksButton(v, r)), nil
	case card.ReissueLink:
		r, made, err := h.links.ReissueLink(ctx, args.round, number)
		if err != nil {
			return nil, err
		}
		said := v.Say("links.reissued_one", "n", number)
		return h.sendLinks(v, r, []survey.MadeLink{made}, said)
	}
	return nil, errForged
}

// linkNumber returns the number of the link that a coordinator named by its number or its label, or
// fieldErrors.
func linkNumber(v locale.Voice, list survey.LinkList, word string) (int, error) {
	var labelled []int
	for _, l := range list.Personal {
		if strconv.Itoa(l.Number) == word {
			return l.Number, nil
		}
		if l.Label != "" && plaintext.Same(l.Label, word) {
			labelled = append(labelled, l.Number)
		}
	}
	switch len(labelled) {
	case 0:
		return 0, fieldErrors{"link": v.Say("links.unknown")}
	case 1:
		return labelled[0], nil
	}
	return 0, fieldErrors{"link": v.Say("links.several")}
}

// linkStatus says how far the people who take part by link have come, or nothing where there are no
// links.
func (h linking) linkStatus(
	ctx context.Context, v locale.Voice, m *matrix.Matrix, r survey.Round,
) ([]chat.Block, error) {
	if h.WebURL == "" || r.State != survey.Open {
		return nil, nil
	}
	list, err := h.links.Links(ctx, r.ID)
	if errors.Is(err, survey.ErrNoLinks) {
		return nil, nil
	}
	return card.LinkStatus(v, m, list), err
}
