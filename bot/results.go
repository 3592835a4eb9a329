package bot

import (
	"context"
	"fmt"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// showReading explains the results post. Nothing of it is looked up in a round, so it is for
// everybody.
func (h anyone) showReading(
	_ context.Context, req *request, args readingArgs,
) (chat.Card, error) {
	m, known := h.Matrices.Find(args.matrix, args.version)
	if !known {
		return chat.Card{}, errForged
	}
	return card.Reading(req.voice, m, args.minGroup, args.consensus), nil
}

// closedDestination returns the closed round that a coordinator means, and where its results go.
func (h coordinator) closedDestination(
	ctx context.Context, req *request, args destinationArgs,
) (survey.Round, destination, error) {
	r, err := h.closedTarget(ctx, req, args.targetArgs)
	if err != nil {
		return r, destination{}, err
	}
	d, err := newDestination(req, r, args)
	if err != nil {
		return r, d, fmt.Errorf("find where to post: %w", err)
	}
	return r, d, nil
}

// postResults posts the results of a closed round to its channel, or shows them where the
// coordinator chose to see them.
func (h coordinator) postResults(
	ctx context.Context, req *request, args destinationArgs,
) ([]chat.Reply, error) {
	r, d, err := h.closedDestination(ctx, req, args)
	if err != nil {
		return nil, err
	}
	v := h.roundVoice(req, r)
	p, err := h.rounds.Results(ctx, r.ID, d.auditChanges()...)
	if err != nil {
		return nil, err
	}
	posts, err := h.posts.resultPosts(ctx, r, p, v, d.action)
	if err != nil {
		return nil, err
	}
	return deliverAll(
		posts,
		d.show,
		func(o sendResult) []chat.Reply { return whispered(h.deliveryBlocks(req, v, d, o)...) },
	), nil
}

func (h coordinator) exportFiles(
	ctx context.Context, req *request, args destinationArgs,
) ([]chat.Reply, error) {
	r, d, err := h.closedDestination(ctx, req, args)
	if err != nil {
		return nil, err
	}
	v := h.roundVoice(req, r)
	p, record, err := h.rounds.Export(ctx, r.ID, d.auditChanges()...)
	if err != nil {
		return nil, err
	}
	files, err := h.Renderer.ExportFiles(p, matrix.Lang(v.Lang))
	if err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	picture, err := h.resultPicture(p, v)
	if err != nil {
		return nil, err
	}
	kept, err := h.Renderer.Record(p, record)
	if err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	card := chat.Card{
		Blocks: []chat.Block{
			chat.Heading{Text: v.Say("export.title", "area", r.Area)},
			chat.Paragraph(v.Say("export.body")),
			chat.Paragraph(v.Say("export.record")),
		},
	}
	all := []post{{card: card, files: append(files, picture, kept)}}
	return deliverAll(
		all,
		d.show,
		func(o sendResult) []chat.Reply { return whispered(h.deliveryBlocks(req, v, d, o)...) },
	), nil
}

// post is a card with files to post.
type post struct {
	card  chat.Card
	files []chat.File

	// For a queued post: then is called once it was sent, or may have been, and unreachable when the
	// channel cannot be reached. Each may be nil.
	then, unreachable func(context.Context) error
	thenRequired      bool // if then fails, the post is sent again
}

// resultPosts returns the results as cards: the summary with the picture, then the table with the
// files. Action makes the action of a button that shows the same in another language.
func (h publisher) resultPosts(
	ctx context.Context,
	r survey.Round,
	p results.Published,
	v locale.Voice,
	action func(verb, lang string) chat.Action,
) ([]post, error) {
	lang := matrix.Lang(v.Lang)
	record := h.fingerprintLine(ctx, v, r)
	if card.NothingShown(p) {
		return []post{{card: card.NoResults(v, r, p, record, action)}}, nil
	}
	picture, err := h.resultPicture(p, v)
	if err != nil {
		return nil, err
	}
	table, err := h.Renderer.Table(p, lang)
	if err != nil {
		return nil, fmt.Errorf("draw table: %w", err)
	}
	files, err := h.Renderer.ExportFiles(p, lang)
	if err != nil {
		return nil, fmt.Errorf("write sheets: %w", err)
	}
	return []post{
		{card: card.Results(v, r, p, action), files: []chat.File{picture}},
		{card: card.ResultTable(v, p, table, record), files: files},
	}, nil
}

func (h *Tools) resultPicture(p results.Published, v locale.Voice) (chat.File, error) {
	picture, alt, err := h.Renderer.Picture(p, matrix.Lang(v.Lang))
	if err != nil {
		return chat.File{}, fmt.Errorf("draw results: %w", err)
	}
	return chat.File{Name: p.FileName() + ".png", Type: "image/png", Alt: alt, Data: picture}, nil
}
