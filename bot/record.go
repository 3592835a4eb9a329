package bot

import (
	"context"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
)

// showAuditLog shows who did what in a round, latest first.
func (h coordinator) showAuditLog(
	ctx context.Context, req *request, args targetArgs,
) (chat.Card, error) {
	r, err := h.target(ctx, req, args, isAny)
	if err != nil {
		return chat.Card{}, err
	}
	latest := pageArgs{coordinatorArgs: coordinatorArgs{round: r.ID, lang: args.lang}}
	return h.showAuditPage(ctx, req, latest)
}

// showAuditPage shows a page of the audit log.
func (h coordinator) showAuditPage(
	ctx context.Context, req *request, args pageArgs,
) (chat.Card, error) {
	record, err := h.rounds.AuditLog(ctx, args.round)
	if err != nil {
		return chat.Card{}, err
	}
	v := h.roundVoice(req, record.Round)
	return card.AuditLog(v, record, h.Matrices, args.top), nil
}

// fingerprintLine returns the head of a round's record for a post to the coordinator's channel. A
// person who alters the store cannot alter what was posted there. If it cannot be read, the post
// goes without it.
func (h publisher) fingerprintLine(
	ctx context.Context, v locale.Voice, r survey.Round,
) []chat.Block {
	record, err := h.published.AuditLog(ctx, r)
	if err != nil {
		h.Log.Error("post without the fingerprint of the audit log", "round", r.ID, "error", err)
		return nil
	}
	return card.AuditHead(v, record)
}
