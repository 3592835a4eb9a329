package bot

import (
	"context"
	"errors"
	"log/slog"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/workshop"
)

// refusal is an error that brings its own card for the person.
type refusal struct{ card chat.Card }

func (r *refusal) Error() string { return "refused with a card" }

// refuse returns an error that is answered with a card, shown to the person alone.
func refuse(c chat.Card) error { return &refusal{c} }

// fieldErrors is an error that says what is wrong with a form, by field id. The form stays open.
type fieldErrors map[string]string

func (fieldErrors) Error() string { return "the form cannot be accepted" }

// errNotAllowed refuses a person who may not start rounds.
var errNotAllowed = errors.New("may not start a round")

// sentences are the errors that are answered with one sentence, by its key, without a log line.
var sentences = []struct {
	err error
	key string
}{
	{survey.ErrOpened, "draft.opened"},
	{survey.ErrNotTakingPart, "error.not_taking_part"},
	{survey.ErrWithdrawn, "error.withdrawn"},
	{survey.ErrClosed, "error.closed"},
	{survey.ErrNotOpen, "error.not_open"},
	{survey.ErrNoRound, "error.no_round"},
	{survey.ErrChanged, "error.changed"},
	{survey.ErrStillOpen, "meet.still_open"},
	{survey.ErrNoAssessment, "error.no_workshop"},
	{workshop.ErrStage, "meet.finished_already"},
	{workshop.ErrNoBallot, "meet.went_on"},
	{workshop.ErrAgain, "error.rated_often"},
	{workshop.ErrChanged, "error.agenda_changed"},
	{errElsewhere, "error.elsewhere"},
	{survey.ErrNoLinks, "links.off"},
	{survey.ErrNoLink, "links.gone"},
	{survey.ErrOldLink, "links.open_old"},
}

// explainError turns an error into what the person reads. It is the only place that does so. The
// outcome says whether the error is a refusal or a failure of the bot.
func (b *Bot) explainError(ctx context.Context, req *request, err error) ([]chat.Reply, Outcome) {
	log := b.requestLog(req)
	if errors.Is(err, errUnverified) { // the store tells such a person nothing
		log.Warn("refused", "reason", "workspace of the person unknown")
		return b.inBothLanguages("error.unverified"), Refused
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		return []chat.Reply{chat.Whisper{Card: refused.card}}, Refused
	}
	if fields, ok := errors.AsType[fieldErrors](err); ok {
		return []chat.Reply{chat.FieldErrors{Fields: fields}}, Refused
	}
	if errors.Is(err, survey.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		log.Error("store unavailable", "error", err)
		return b.inBothLanguages("error.unavailable"), Unavailable
	}
	b.useRosterLanguage(ctx, req)
	if input, ok := errors.AsType[*survey.InputError](err); ok {
		return explainInput(req, input), Refused
	}
	for _, s := range sentences {
		if errors.Is(err, s.err) {
			return sentence(req, s.key), Refused
		}
	}
	switch {
	case errors.Is(err, survey.ErrNotCoordinator) && req.route.shared:
		return sentence(req, "meet.only_coordinators"), Refused
	case errors.Is(err, survey.ErrNotCoordinator):
		log.Warn("refused", "reason", "not a coordinator")
		b.auditRefusal(ctx, req)
		return sentence(req, "error.not_coordinator"), Refused
	case errors.Is(err, errNotAllowed):
		log.Warn("refused", "reason", "cannot start rounds")
		key := communityKey(req, "error.not_allowed_workspace", "error.not_allowed_server")
		return sentence(req, key), Refused
	case errors.Is(err, errNoRoute), errors.Is(err, errForged),
		errors.Is(err, matrix.ErrNoElement), errors.Is(err, matrix.ErrNoRating):
		log.Warn("refused", "reason", "unknown button")
		return sentence(req, "error.no_action"), Refused
	}
	log.Error("event failed", "error", err)
	return b.inBothLanguages("error.inside"), Failed
}

// requestLog returns a log that names the verb of a request, and its person where the route is
// logged.
func (b *Bot) requestLog(req *request) *slog.Logger {
	log := b.Log
	if req.routed {
		log = log.With("verb", req.Action.Verb)
	}
	if req.route.logged {
		log = log.With("person", b.personHash(req.Who))
	}
	return log
}

// useRosterLanguage makes the request speak the language that the person chose in the round, unless
// its action carries one: no platform tells that a user wants Welsh.
func (b *Bot) useRosterLanguage(ctx context.Context, req *request) {
	id, ok := req.roundID()
	if !ok || req.language != "" {
		return
	}
	part, err := b.Rounds.For(req.person).Participation(ctx, id)
	if err == nil && part.Member.Language != "" {
		req.voice = b.Words.In(string(part.Member.Language))
	}
}

// explainInput says what is wrong with what the person wrote, at its field where there is a form.
func explainInput(req *request, input *survey.InputError) []chat.Reply {
	said := inputSentence(req.voice, input)
	if req.Kind == chat.Submit {
		return []chat.Reply{chat.FieldErrors{Fields: map[string]string{input.Field: said}}}
	}
	return whispered(chat.Paragraph(said))
}

// inputSentence returns what is wrong with what the person wrote.
func inputSentence(v locale.Voice, input *survey.InputError) string {
	return v.Say("input."+input.Field+"."+input.Reason, "limit", input.Limit)
}

// auditRefusal notes in the record of a round that a person who does not coordinate it tried to
// change or see it.
func (b *Bot) auditRefusal(ctx context.Context, req *request) {
	id, ok := req.roundID()
	if !ok {
		return
	}
	label := req.route.label
	if label == "" {
		label = req.Action.Verb
	}
	if err := b.Rounds.System().AuditRefused(ctx, id, req.person, label); err != nil {
		b.requestLog(req).Error("refusal not recorded", "error", err)
	}
}

// inBothLanguages whispers one sentence in both languages: after a failure of the store, nobody can
// look up which one the person chose.
func (h *Tools) inBothLanguages(key string) []chat.Reply {
	english, welsh := h.Words.In("en"), h.Words.In("cy")
	return whispered(chat.Paragraph(english.Say(key)), chat.Paragraph(welsh.Say(key)))
}

// linkSentences are sentences for people who take part by link, in place of those that tell what to
// type in chat.
var linkSentences = map[string]string{
	"error.no_action": "error.no_action_link", "error.no_round": "error.no_round_link",
}

// sentence whispers one sentence in the language of the request.
func sentence(req *request, key string) []chat.Reply {
	if other, ok := linkSentences[key]; ok && req.person.ByLink() {
		key = other
	}
	return whispered(chat.Paragraph(req.voice.Say(key)))
}

// communityKey returns the key of the sentence for a platform of workspaces, or of servers.
func communityKey(req *request, workspace, server string) string {
	if req.Community == chat.Server {
		return server
	}
	return workspace
}
