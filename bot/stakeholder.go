package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Invitation is the card that a person gets who was invited, in each of the round's languages.
func (b *Bot) Invitation(round survey.Round, m *matrix.Matrix) chat.Card {
	return b.inLanguages(round.Languages, func(v locale.Voice, lang string) []chat.Block {
		return append(b.invitationText(v, round, m), row(startButtons(v, round, lang)...))
	})
}

// invitationText says who asks, what for, by when and how long it takes.
func (b *Bot) invitationText(v locale.Voice, round survey.Round, m *matrix.Matrix) []chat.Block {
	return []chat.Block{
		chat.Heading{Text: v.Say("invitation.title", "area", round.Area)},
		b.invitedBy(v, round),
		b.effort(v, round, m),
		chat.Footnote(v.Say("invitation.private", "min", round.MinGroup)),
	}
}

// startButtons start the survey in a language, or decline it.
func startButtons(v locale.Voice, round survey.Round, lang string) []chat.Button {
	id := string(round.ID)
	return []chat.Button{
		primary(v.Say("button.start"), chat.NewAction("lang", id, lang, "begin")),
		button(v.Say("button.decline"), chat.NewAction("decline", id, lang)),
	}
}

// invitedBy says who asks, and what for.
func (b *Bot) invitedBy(v locale.Voice, round survey.Round) chat.Text {
	return chat.Text{Spans: []chat.Span{mention(round.Coordinators[0]), chat.Words(" " + v.Say("invitation.why", "area", round.Area))}}
}

// effort says how many questions there are, how long they take, and by when to answer.
func (b *Bot) effort(v locale.Voice, round survey.Round, m *matrix.Matrix) chat.Text {
	from, to := minutes(m, matrix.Lang(v.Lang))
	return chat.Paragraph(v.Say("invitation.how",
		"n", len(m.Elements()), "from", from, "to", to, "closes", b.closingTime(v, round)))
}

// minutes is how long it takes to read a survey in a language, from Start to the receipt: at 240
// words a minute, and at 200.
func minutes(m *matrix.Matrix, lang matrix.Lang) (from, to int) {
	words := func(t matrix.Text) int { return len(strings.Fields(t.In(lang))) }
	levels := 0
	for _, l := range m.Levels {
		levels += words(l.Name) + words(l.Short)
	}
	n := 0
	for _, e := range m.Elements() {
		n += words(e.Name) + words(e.Question) + words(e.Help) + levels
		for _, d := range e.Descriptors {
			n += words(d)
		}
	}
	// The other buttons of each card, the privacy notice, About you and the review. TestReadingTime
	// counts them.
	n = n*115/100 + 300
	from, to = (n+120)/240, (n+199)/200
	return max(from, 1), max(to, from+1)
}

// closingTime is the round's closing time in words.
func (b *Bot) closingTime(v locale.Voice, round survey.Round) string {
	return v.Time(round.ClosesAt.In(round.Location()))
}

// join is the button in a channel that lets in the person who presses it. A button that is written in
// one language leads on in it.
func (b *Bot) join(ctx context.Context, req *request, args roundLanguageArgs) ([]chat.Reply, error) {
	part, err := b.Rounds.Participation(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	if part.Member.Status == survey.NotInvited && !ofRound(req.Event, part.Round) {
		return nil, survey.ErrNotTakingPart
	}
	part, err = b.Rounds.Join(ctx, args.round, req.person)
	if err == nil && args.lang != "" {
		part, err = b.Rounds.SetLanguage(ctx, args.round, req.person, args.lang)
	}
	if err != nil {
		return nil, err
	}
	return b.newCard(ctx, req, part)
}

// newCard sends a participant a new copy of their current card. A card that only they see in a
// channel is gone once they reload it, and is on no other device: so it goes to their own
// conversation with the bot where the platform allows that; else it says how to come back.
func (b *Bot) newCard(
	ctx context.Context, req *request, part survey.Participation,
) ([]chat.Reply, error) {
	current, err := b.currentCard(ctx, req, part)
	if err != nil {
		return nil, err
	}
	if req.Private || !part.Round.AcceptsAnswers(b.Now()) {
		return []chat.Reply{chat.Whisper{Card: current.card}}, nil
	}
	v := b.participantVoice(req, part)
	back := append(slices.Clone(current.card.Blocks), chat.Footnote(v.Say("fresh.back")))
	if !req.Direct {
		return whispered(back...), nil
	}
	return []chat.Reply{chat.Direct{Card: current.card, Then: func(d chat.Delivered) []chat.Reply {
		if !d.Stands() {
			b.Log.Warn("no direct message: shown in the channel", "error", d.Err)
			return whispered(back...)
		}
		sent := []chat.Span{chat.Words(v.Say("fresh.sent"))}
		if d.URL != "" {
			sent = append(sent, chat.Words(" "), chat.WebLink{Text: v.Say("fresh.open"), URL: d.URL})
		}
		return whispered(chat.Heading{Text: part.Round.Area}, chat.Text{Spans: sent}, chat.Footnote(v.Say("fresh.home")))
	}}}, nil
}

// ofRound reports whether an event happened in the workspace of a round, by a person who is of no
// other workspace: a button that was carried elsewhere lets nobody in. On a platform whose people
// are of no workspace, the place alone decides.
func ofRound(e chat.Event, r survey.Round) bool {
	home, err := chat.ParsePlace(r.Channel)
	if err != nil || home.Platform != e.Who.Platform || home.Workspace != e.Where.Workspace {
		return false
	}
	return e.Who.Workspace == "" || e.Who.Workspace == home.Workspace
}

func (b *Bot) begin(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := b.Rounds.Participation(ctx, args.round, req.person)
	if err != nil {
		return view{}, err
	}
	return b.currentCard(ctx, req, part)
}

func (b *Bot) resume(ctx context.Context, req *request, args roundArgs) ([]chat.Reply, error) {
	part, err := b.Rounds.Participation(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	return b.newCard(ctx, req, part)
}

// currentCard shows a person the card for where they stand, from the invitation to the last answer.
func (b *Bot) currentCard(ctx context.Context, req *request, part survey.Participation) (view, error) {
	v := b.participantVoice(req, part)
	switch {
	case part.Member.Status == survey.NotInvited:
		return view{}, survey.ErrNotTakingPart
	case !part.Round.AcceptsAnswers(b.Now()):
		return view{card: b.closedCard(v, part)}, nil
	case part.Member.Status == survey.Withdrawn:
		return view{card: b.withdrawnCard(v, part)}, nil
	case !part.Member.TakesPart():
		if part.Member.Language == "" && len(part.Round.Languages) > 1 {
			return view{card: b.languageCard(part)}, nil
		}
		notice, err := b.noticeCard(v, part)
		return view{card: notice}, err
	}
	part, resp, err := b.Rounds.Response(ctx, part.Round.ID, part.Member.Person)
	if err != nil {
		return view{}, err
	}
	draw := drawing(b.nextCard)
	if part.Member.Role == "" || resp.Rated() == 0 {
		draw = b.profileCard("") // also when the coordinator gave a role: it is for the person to say
	}
	return b.show(ctx, req, part, resp, draw)
}

// nextCard shows the first question without an answer after the last one that has one, else the first
// without, else the review.
func (b *Bot) nextCard(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response,
) (chat.Card, error) {
	elements := m.Elements()
	last := len(elements) - 1
	for i, e := range elements {
		if resp.Answers[e.ID].Rating != matrix.NotAnswered {
			last = i
		}
	}
	if element := openAfter(m, resp, last); element != "" {
		return b.elementCard(v, part, m, resp, element, nil)
	}
	return b.reviewCard(v, part, m, resp)
}

// openAfter returns the first element after the i-th that has no answer, going round to the start,
// or "" when each has one.
func openAfter(m *matrix.Matrix, resp survey.Response, i int) string {
	elements := m.Elements()
	for step := range elements {
		e := elements[(i+1+step)%len(elements)]
		if resp.Answers[e.ID].Rating == matrix.NotAnswered {
			return e.ID
		}
	}
	return ""
}

// closedCard is what a person meets once the survey takes no answers any more.
func (b *Bot) closedCard(v locale.Voice, part survey.Participation) chat.Card {
	switch {
	case part.Round.State == survey.Draft:
		return card(chat.Paragraph(v.Say("error.not_open")))
	case part.Round.State == survey.Open && part.Member.TakesPart():
		// What is kept can still be told apart, so it can still be seen and erased.
		return card(chat.Heading{Text: part.Round.Area}, chat.Paragraph(v.Say("over.waiting", "closes", b.closingTime(v, part.Round))),
			row(button(v.Say("button.what_kept"), chat.NewAction("kept", string(part.Round.ID)))))
	case part.Member.Status == survey.Finished || part.Member.Status == survey.Started:
		return card(chat.Heading{Text: part.Round.Area}, chat.Paragraph(v.Say("over.thanks", "closed", b.closedTime(v, part.Round))))
	}
	return card(chat.Heading{Text: part.Round.Area}, chat.Paragraph(v.Say("over.missed", "closed", b.closedTime(v, part.Round))))
}

func (b *Bot) closedTime(v locale.Voice, round survey.Round) string {
	at := round.ClosesAt
	if round.State == survey.Closed {
		at = round.ClosedAt
	}
	return v.Time(at.In(round.Location()))
}

func (b *Bot) withdrawnCard(v locale.Voice, part survey.Participation) chat.Card {
	blocks := []chat.Block{chat.Heading{Text: v.Say("withdrawn.title")}, chat.Paragraph(v.Say("withdrawn.body", "area", part.Round.Area))}
	if part.Round.AcceptsAnswers(b.Now()) {
		blocks = append(blocks, row(button(v.Say("button.rejoin"), chat.NewAction("join", string(part.Round.ID)))))
	}
	return card(blocks...)
}

// languageCard asks which language to go on in, in both.
func (b *Bot) languageCard(part survey.Participation) chat.Card {
	var lines, labels []string
	var buttons []chat.Button
	for _, lang := range part.Round.Languages {
		v := b.Words.In(string(lang))
		lines = append(lines, v.Say("language.ask"))
		labels = append(labels, v.Say("language.name"))
		buttons = append(buttons, button(v.Say("language.name"), chat.NewAction("lang", string(part.Round.ID), string(lang), "begin")))
	}
	return card(chat.Heading{Text: strings.Join(labels, " / ")}, chat.Paragraph(strings.Join(lines, "\n")), row(buttons...))
}

// switchLanguage changes the language and shows the same card again.
func (b *Bot) switchLanguage(ctx context.Context, req *request, args languageArgs) ([]chat.Reply, error) {
	if _, err := b.Rounds.SetLanguage(ctx, args.round, req.person, args.lang); err != nil {
		return nil, err
	}
	same := req.Event
	same.Action = args.then
	return b.serve(ctx, b.newRequest(same))
}

// otherLanguage is a button to see the same card in the round's other language, or none.
func (b *Bot) otherLanguage(v locale.Voice, part survey.Participation, then chat.Action) []chat.Button {
	var buttons []chat.Button
	for _, lang := range part.Round.Languages {
		spoken := b.Words.In(string(lang)).Lang == string(lang)
		if string(lang) == v.Lang || !spoken || len(then.Args) == 0 {
			continue
		}
		args := append([]string{then.Args[0], string(lang), then.Verb}, then.Args[1:]...)
		buttons = append(buttons, button(b.Words.In(string(lang)).Say("language.name"), chat.NewAction("lang", args...)))
	}
	return buttons
}

func (b *Bot) noticeBlocks(v locale.Voice, round survey.Round) []chat.Block {
	kept := []chat.Span{chat.Words(v.Say("notice.kept", "until", v.Day(round.ExpiresAt().In(round.Location()))))}
	if len(round.Coordinators) > 0 { // nobody may be left in a closed round, where people can still read the notice
		kept = append(kept, chat.Words(" "+v.Say("notice.ask")+" "), mention(round.Coordinators[0]), chat.Words("."))
	}
	return []chat.Block{
		chat.Heading{Text: v.Say("notice.title")},
		chat.Paragraph(v.Say("notice.who", "min", round.MinGroup)),
		chat.Paragraph(v.Say("notice.same")),
		chat.Paragraph(v.Say("notice.when")),
		chat.Paragraph(v.Say("notice.withdraw", "closes", b.closingTime(v, round))),
		chat.Text{Spans: kept},
		chat.Footnote(v.Say("notice.names")),
	}
}

func (b *Bot) noticeCard(v locale.Voice, part survey.Participation) (chat.Card, error) {
	id := string(part.Round.ID)
	m, err := b.Rounds.Matrix(part.Round)
	if err != nil {
		return chat.Card{}, err
	}
	buttons := []chat.Button{
		primary(v.Say("button.accept"), chat.NewAction("accept", id)),
		button(v.Say("button.decline"), chat.NewAction("decline", id)),
	}
	buttons = append(buttons, b.otherLanguage(v, part, chat.NewAction("begin", id))...)
	from, to := minutes(m, matrix.Lang(v.Lang))
	blocks := append([]chat.Block{
		chat.Footnote(v.Say("notice.step", "area", part.Round.Area, "from", from, "to", to)),
	}, b.noticeBlocks(v, part.Round)...)
	return card(append(blocks, row(buttons...))...), nil
}

// showNotice shows the notice again to somebody who is in the survey already.
func (b *Bot) showNotice(ctx context.Context, req *request, args roundArgs) (chat.Card, error) {
	part, err := b.Rounds.Participation(ctx, args.round, req.person)
	switch {
	case err != nil:
		return chat.Card{}, err
	case part.Member.Status == survey.NotInvited:
		return chat.Card{}, survey.ErrNotTakingPart
	}
	return card(b.noticeBlocks(b.participantVoice(req, part), part.Round)...), nil
}

func (b *Bot) accept(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := b.Rounds.Start(ctx, args.round, req.person, NoticeVersion)
	if err != nil {
		return view{}, err
	}
	return b.currentCard(ctx, req, b.saveTimeZone(ctx, req, part))
}

// saveTimeZone keeps where a person's clock is, for their reminders. They need not wait, nor be told, when it fails.
func (b *Bot) saveTimeZone(ctx context.Context, req *request, part survey.Participation) survey.Participation {
	learnt, err := b.Rounds.SetTimeZone(ctx, part, req.TimeZone)
	if err != nil {
		b.Log.Warn("time zone not kept", "round", part.Round.ID, "error", err)
		return part
	}
	return learnt
}

// fallbackView returns the current card of a participant whose press cannot be done any more. It is
// false for a person who was not invited, for a round that has not been opened, and for a
// participant who could still do what was refused.
func (b *Bot) fallbackView(ctx context.Context, req *request) (view, bool) {
	id, ok := req.roundID()
	if !ok {
		return view{}, false
	}
	part, err := b.Rounds.Participation(ctx, id, req.person)
	if err != nil || part.Member.Status == survey.NotInvited {
		return view{}, false
	}
	over := part.Round.State != survey.Draft && !part.Round.AcceptsAnswers(b.Now())
	if !over && part.Member.TakesPart() {
		return view{}, false
	}
	current, err := b.currentCard(ctx, req, part)
	return current, err == nil
}

func (b *Bot) decline(ctx context.Context, req *request, args roundLanguageArgs) (view, error) {
	part, err := b.Rounds.Decline(ctx, args.round, req.person)
	if err != nil {
		return view{}, err
	}
	if part.Member.TakesPart() {
		return b.currentCard(ctx, req, part)
	}
	v := b.participantVoice(req, part)
	return viewOf(
		chat.Heading{Text: v.Say("declined.title")},
		chat.Paragraph(v.Say("declined.body", "area", part.Round.Area, "closes", b.closingTime(v, part.Round))),
		row(button(v.Say("button.rejoin"), chat.NewAction("begin", string(part.Round.ID)))),
	), nil
}

// showProfile shows "about you" to somebody in the survey.
func (b *Bot) showProfile(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.Response(ctx, args.round, req.person)
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.profileCard(""))
}

// profileCard is the card of who somebody is; warn is the key of a sentence on what is missing, or empty.
func (b *Bot) profileCard(warn string) drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, _ survey.Response,
	) (chat.Card, error) {
		return b.profileBlocks(v, part, m, warn), nil
	}
}

func (b *Bot) profileBlocks(v locale.Voice, part survey.Participation, m *matrix.Matrix, warn string) chat.Card {
	id := string(part.Round.ID)
	lang := matrix.Lang(v.Lang)
	blocks := []chat.Block{
		chat.Footnote(part.Round.Area),
		chat.Heading{Text: v.Say("me.title")},
		chat.Paragraph(v.Say("me.role")),
	}
	options := func(roles []matrix.Role) []chat.Option {
		var all []chat.Option
		for _, r := range roles {
			all = append(all, chat.Option{Value: r.ID, Label: r.Name.In(lang)})
		}
		return all
	}
	unstated := chat.Option{Value: survey.Unstated, Label: v.Say("me.unstated")}
	if roles := m.Roles(); len(roles) < chat.MaxMenu {
		blocks = append(blocks, chat.Menu{Action: chat.NewAction("role", id), Placeholder: v.Say("me.choose"), Options: append(options(roles), unstated)})
	} else {
		for i, g := range m.RoleGroups {
			all := options(g.Roles)
			if i == len(m.RoleGroups)-1 && len(all) < chat.MaxMenu {
				all = append(all, unstated)
			}
			blocks = append(blocks, chat.Menu{Action: chat.NewAction("role", id, g.ID), Placeholder: g.Name.In(lang), Options: all})
		}
	}
	blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Words(v.Say("me.chosen") + " "), chat.Bold(b.roleName(v, m, part.Member.Role))}})
	if warn != "" {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say(warn))}})
	}
	var scopes []chat.Button
	for _, s := range survey.Scopes {
		scopes = append(scopes, chat.Button{Label: v.Say("scope." + string(s)), Action: chat.NewAction("scope", id, string(s)), Chosen: part.Member.Scope == s})
	}
	organisation, has := v.Say("button.organisation"), "0"
	if part.Member.Organisation != "" {
		organisation, has = v.Say("button.organisation_change"), "1"
		blocks = append(blocks, chat.Paragraph(v.Say("me.organisation", "organisation", part.Member.Organisation)))
	}
	forward := button(v.Say("button.continue"), chat.NewAction("go", id))
	if part.Member.Role != "" {
		forward.Style = chat.Primary
	}
	blocks = append(blocks,
		chat.Paragraph(v.Say("me.scope")), row(scopes...),
		chat.Divider{},
		chat.Footnote(v.Say("me.how")),
		row(append([]chat.Button{
			button(organisation, chat.NewAction("org", id, has, v.Lang)), forward, button(v.Say("button.kept"), chat.NewAction("kept", id)),
		}, b.otherLanguage(v, part, chat.NewAction("me", id))...)...),
	)
	return card(blocks...)
}

// roleName is a role in words, also where none was given.
func (b *Bot) roleName(v locale.Voice, m *matrix.Matrix, id string) string {
	switch id {
	case "":
		return v.Say("me.none")
	case survey.Unstated:
		return v.Say("me.unstated")
	}
	r, _, ok := m.Role(id)
	if !ok {
		return id
	}
	return r.Name.In(matrix.Lang(v.Lang))
}

func (b *Bot) pickRole(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := b.Rounds.SetRole(ctx, args.round, req.person, req.Value(chat.Picked))
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, survey.Response{}, b.profileCard(""))
}

func (b *Bot) pickScope(ctx context.Context, req *request, args scopeArgs) (view, error) {
	part, err := b.Rounds.SetScope(ctx, args.round, req.person, survey.Scope(args.scope))
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, survey.Response{}, b.profileCard(""))
}

// organisationForm makes no call when none was given before; else it is read, so that saving does not lose it.
func (b *Bot) organisationForm(ctx context.Context, req *request, args organisationArgs) (chat.Form, error) {
	v, had := b.Words.In(string(args.lang)), ""
	if args.has {
		part, err := b.Rounds.Participation(ctx, args.round, req.person)
		if err != nil {
			return chat.Form{}, err
		}
		had = part.Member.Organisation
	}
	return chat.Form{
		Title: v.Say("organisation.title"), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("saveorg", string(args.round)),
		Fields: []chat.Field{chat.Input{
			Label: chat.Label{ID: "organisation", Text: v.Say("organisation.label"), Hint: v.Say("organisation.hint", "limit", survey.MaxOrganisationRunes), Optional: true},
			Value: had, Max: survey.MaxOrganisationRunes,
		}},
	}, nil
}

func (b *Bot) saveOrganisation(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, err := b.Rounds.SetOrganisation(ctx, args.round, req.person, req.Value("organisation"))
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, survey.Response{}, b.profileCard(""))
}

func (b *Bot) proceed(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.Response(ctx, args.round, req.person)
	draw := drawing(b.nextCard)
	if part.Member.Role == "" {
		draw = b.profileCard("me.role_first")
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, draw)
}

func (b *Bot) showElement(ctx context.Context, req *request, args elementArgs) (view, error) {
	return b.elementOf(ctx, req, args.round, args.element)
}

// jump goes to what was picked from the list of elements.
func (b *Bot) jump(ctx context.Context, req *request, args roundArgs) (view, error) {
	return b.elementOf(ctx, req, args.round, req.Value(chat.Picked))
}

func (b *Bot) elementOf(ctx context.Context, req *request, round survey.RoundID, element string) (view, error) {
	part, resp, err := b.Rounds.Response(ctx, round, req.person)
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.elementDrawing(element))
}

// drawing is a card of somebody in the survey.
type drawing func(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response,
) (chat.Card, error)

// show draws the card of a participant.
func (b *Bot) show(
	ctx context.Context, req *request, part survey.Participation, resp survey.Response, draw drawing,
) (view, error) {
	m, err := b.Rounds.Matrix(part.Round)
	if err != nil {
		return view{}, err
	}
	part = b.saveTimeZone(ctx, req, part)
	drawn, err := draw(b.participantVoice(req, part), part, m, resp)
	if err != nil {
		return view{}, err
	}
	return view{card: drawn, refresh: func(ctx context.Context) (view, bool) {
		return b.redraw(ctx, req, part, resp, draw)
	}}, nil
}

// redraw draws a card again if what it shows has changed since it was drawn from this participation
// and response.
func (b *Bot) redraw(
	ctx context.Context, req *request, part survey.Participation, resp survey.Response, draw drawing,
) (view, bool) {
	log := b.Log.With("round", part.Round.ID)
	same, err := b.Rounds.Current(ctx, part, resp)
	if err != nil {
		log.Warn("card not compared with what is saved", "error", err)
	}
	if err != nil || same {
		return view{}, false
	}
	next, err := b.drawCurrent(ctx, req, part, draw)
	if err == nil {
		err = next.card.Check()
	}
	if err != nil {
		log.Error("card not drawn again", "error", err)
		return view{}, false
	}
	return next, true
}

// drawCurrent draws a card from the response as it is saved now. A participant for whom the survey
// has ended since gets their current card.
func (b *Bot) drawCurrent(
	ctx context.Context, req *request, part survey.Participation, draw drawing,
) (view, error) {
	part, resp, err := b.Rounds.Response(ctx, part.Round.ID, part.Member.Person)
	if err == nil {
		return b.show(ctx, req, part, resp, draw)
	}
	if isOutdated(err) {
		if current, ok := b.fallbackView(ctx, req); ok {
			return current, nil
		}
	}
	return view{}, err
}

// answer keeps a rating, and shows what comes after it.
func (b *Bot) answer(ctx context.Context, req *request, args answerArgs) (view, error) {
	g := survey.Operation{ID: req.ID, At: req.At}
	part, resp, err := b.Rounds.Answer(ctx, args.round, req.person, g, args.element, args.rating)
	if soon, ok := errors.AsType[*survey.TooSoonError](err); ok {
		return b.show(ctx, req, part, resp, b.cardAfter(soon.Before, true))
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.cardAfter(args.element, false))
}

// cardAfter shows what comes after the answer to an element: the next question that is still open, or
// the review when none is. Its first line says what was saved, and the buttons beside it lead back
// to that answer. With tooSoon it also says that a press on the new card was not taken, since it
// came too soon after that answer.
func (b *Bot) cardAfter(element string, tooSoon bool) drawing {
	return func(
		v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response,
	) (chat.Card, error) {
		_, i, ok := m.Element(element)
		if !ok {
			return chat.Card{}, matrix.ErrNoElement
		}
		// Nothing is said to be saved where nothing is.
		if resp.Answers[element].Rating == matrix.NotAnswered {
			return b.elementCard(v, part, m, resp, element, nil)
		}
		top := b.savedBlocks(v, part, m, resp, element, tooSoon)
		if open := openAfter(m, resp, i); open != "" {
			return b.elementCard(v, part, m, resp, open, top)
		}
		review, err := b.reviewCard(v, part, m, resp)
		review.Blocks = slices.Concat(top, review.Blocks)
		return review, err
	}
}

// savedBlocks says what is saved for an element, with buttons to change it and to add detail to it.
func (b *Bot) savedBlocks(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response,
	element string, tooSoon bool,
) []chat.Block {
	el, _, _ := m.Element(element)
	given, id, lang := resp.Answers[element], string(part.Round.ID), matrix.Lang(v.Lang)
	answer := b.ratingName(v, m, given.Rating)
	if given.Rating > 0 && int(given.Rating) <= len(m.Levels) {
		answer = m.Levels[given.Rating-1].Name.In(lang)
	}
	key := "saved.answer"
	if !given.Detail.IsZero() {
		key = "saved.with_detail"
	}
	spans := []chat.Span{chat.Words(v.Say(key, "answer", answer, "element", el.Name.In(lang)))}
	if tooSoon {
		spans = append(spans, chat.Words("\n"), chat.Bold(v.Say("saved.too_soon")))
	}
	return []chat.Block{
		chat.Text{Spans: spans},
		row(
			button(v.Say("button.change_answer"), chat.NewAction("change", id, element)),
			b.detailButton(v, id, m, element, given.Detail),
		),
	}
}

// detailButton opens the form for what may be added to an element.
func (b *Bot) detailButton(
	v locale.Voice, round string, m *matrix.Matrix, element string, had survey.Detail,
) chat.Button {
	label, has := v.Say("button.detail"), "0"
	if !had.IsZero() {
		label, has = v.Say("button.detail_change"), "1"
	}
	return button(label, chat.NewAction("detail", round, element, has, m.ID, v.Lang))
}

// elementDrawing is one element.
func (b *Bot) elementDrawing(element string) drawing {
	return func(v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response) (chat.Card, error) {
		return b.elementCard(v, part, m, resp, element, nil)
	}
}

// elementCard is the card of one element, below the blocks of top.
func (b *Bot) elementCard(
	v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response,
	element string, top []chat.Block,
) (chat.Card, error) {
	el, i, ok := m.Element(element)
	if !ok {
		return chat.Card{}, matrix.ErrNoElement
	}
	id, lang, elements := string(part.Round.ID), matrix.Lang(v.Lang), m.Elements()
	given := resp.Answers[element]
	state := v.Say("element.open")
	if given.Rating != matrix.NotAnswered {
		state = v.Say("element.saved")
	}
	step := v.Say("element.step", "i", i+1, "n", len(elements))
	blocks := append(slices.Clone(top),
		chat.Note{Spans: []chat.Span{
			chat.Words(part.Round.Area + " · "), chat.Bold(m.DimensionOf(element).Name.In(lang)), chat.Words(" · " + step + " · " + state + " "),
			chat.Meter{Done: i + 1, Total: len(elements)},
		}},
		chat.Heading{Text: el.Name.In(lang)},
		chat.Paragraph(el.Question.In(lang)),
		chat.Footnote(el.Help.In(lang)),
	)
	for k, level := range m.Levels {
		rating := matrix.Rating(k + 1)
		chosen := given.Rating == rating
		blocks = append(blocks, chat.Choice{
			Title: level.Name.In(lang), Text: el.Descriptors[k].In(lang),
			Button: b.ratingButton(v, id, element, rating, level.Short.In(lang), chosen, level.Name.In(lang)+", "+step),
		})
	}
	blocks = append(blocks, row(
		b.ratingButton(v, id, element, matrix.DontKnow, v.Say("answer.dont_know"), given.Rating == matrix.DontKnow, v.Say("answer.dont_know")+", "+step),
		b.ratingButton(v, id, element, matrix.NotApplicable, v.Say("answer.not_applicable"), given.Rating == matrix.NotApplicable, v.Say("answer.not_applicable")+", "+step),
	))
	back := chat.NewAction("me", id)
	if i > 0 {
		back = chat.NewAction("at", id, elements[i-1].ID)
	}
	others := append([]chat.Button{
		button(v.Say("button.list"), chat.NewAction("list", id)),
		button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, b.otherLanguage(v, part, chat.NewAction("at", id, element))...)
	toBack := button(v.Say("button.back"), back)
	forward, open := chat.NewAction("review", id), openAfter(m, resp, i)
	if given.Rating == matrix.NotAnswered {
		if _, at, ok := m.Element(open); ok && at > i { // what was skipped before is not asked again now
			forward = chat.NewAction("at", id, open)
		}
		// Detail is for what was answered, and one tap away once it is.
		blocks = append(blocks, chat.Divider{},
			row(append([]chat.Button{toBack, button(v.Say("button.skip"), forward)}, others...)...))
		return card(blocks...), nil
	}
	if !given.Detail.IsZero() {
		blocks = append(blocks, chat.Footnote(b.detailLine(v, m, given.Detail)))
	}
	next := v.Say("button.to_review")
	if open != "" {
		next, forward = v.Say("button.next"), chat.NewAction("at", id, open)
	}
	blocks = append(blocks, chat.Divider{},
		row(toBack, b.detailButton(v, id, m, element, given.Detail), primary(next, forward)),
		row(others...))
	return card(blocks...), nil
}

// ratingButton is a button that gives a rating.
func (b *Bot) ratingButton(v locale.Voice, round, element string, r matrix.Rating, label string, chosen bool, spoken string) chat.Button {
	style := chat.Plain
	if chosen {
		style = chat.Primary
		spoken = v.Say("answer.chosen") + ": " + spoken
	}
	return chat.Button{Label: label, Action: chat.NewAction("answer", round, element, ratingWord(r)), Chosen: chosen, Style: style, Spoken: chat.Trim(spoken, chat.MaxSpoken)}
}

// detailLine says what was added to an element.
func (b *Bot) detailLine(v locale.Voice, m *matrix.Matrix, d survey.Detail) string {
	var parts []string
	if n := len(d.Information); n > 0 {
		names := make([]string, n)
		for i, id := range d.Information {
			k, _ := m.InformationType(id)
			names[i] = k.Name.In(matrix.Lang(v.Lang))
		}
		parts = append(parts, v.Say("detail.information", "list", strings.Join(names, "; ")))
	}
	if d.Note != "" {
		parts = append(parts, v.Say("detail.note", "text", d.Note))
	}
	if d.Barrier != "" {
		parts = append(parts, v.Say("detail.barrier", "text", d.Barrier))
	}
	return strings.Join(parts, "\n")
}

// detailForm opens without any call when nothing was added before; else what was added is read first, so that
// nobody writes it twice.
func (b *Bot) detailForm(ctx context.Context, req *request, args detailArgs) (chat.Form, error) {
	i := slices.IndexFunc(b.Matrices, func(m *matrix.Matrix) bool { return m.ID == args.matrix })
	if i < 0 {
		return chat.Form{}, errForged
	}
	m, v := b.Matrices[i], b.Words.In(string(args.lang))
	el, _, ok := m.Element(args.element)
	if !ok {
		return chat.Form{}, matrix.ErrNoElement
	}
	var had survey.Detail
	if args.has {
		_, resp, err := b.Rounds.Response(ctx, args.round, req.person)
		if err != nil {
			return chat.Form{}, err
		}
		had = resp.Answers[args.element].Detail
	}
	var kinds []chat.Option
	for _, k := range m.Information {
		kinds = append(kinds, chat.Option{Value: k.ID, Label: k.Name.In(args.lang)})
	}
	fields := []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: v.Say("detail.note_label"), Hint: v.Say("detail.note_hint", "limit", matrix.MaxNoteRunes), Optional: true}, Value: had.Note, Max: matrix.MaxNoteRunes, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: v.Say("detail.barrier_label"), Hint: v.Say("detail.barrier_hint", "limit", matrix.MaxBarrierRunes), Optional: true}, Value: had.Barrier, Max: matrix.MaxBarrierRunes, Lines: true},
	}
	if len(kinds) > 0 {
		fields = append([]chat.Field{chat.Select{Label: chat.Label{ID: "information", Text: v.Say("detail.information_label"), Hint: v.Say("detail.information_hint"), Optional: true}, Options: kinds, Many: true, Chosen: had.Information}}, fields...)
	}
	title := v.Say("detail.title")
	if args.has {
		title = v.Say("detail.title_change")
	}
	return chat.Form{
		Title: title, Intro: el.Name.In(args.lang), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("keep", string(args.round), args.element), Fields: fields,
	}, nil
}

func (b *Bot) keepDetail(ctx context.Context, req *request, args elementArgs) (view, error) {
	d := survey.Detail{Information: req.Values["information"], Note: req.Value("note"), Barrier: req.Value("barrier")}
	part, resp, err := b.Rounds.Detail(ctx, args.round, req.person, survey.Operation{ID: req.ID, At: req.At}, args.element, d)
	var input *survey.InputError
	if errors.As(err, &input) {
		v := b.participantVoice(req, part)
		return view{}, fieldErrors{input.Field: v.Say("input."+input.Field+"."+input.Reason, "limit", input.Limit)}
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.cardAfter(args.element, false))
}

// ratingName is how an answer shows in a list.
func (b *Bot) ratingName(v locale.Voice, m *matrix.Matrix, r matrix.Rating) string {
	switch {
	case r == matrix.DontKnow:
		return v.Say("answer.dont_know")
	case r == matrix.NotApplicable:
		return v.Say("answer.not_applicable")
	case r == matrix.NotAnswered || int(r) > len(m.Levels):
		return v.Say("answer.none")
	}
	return m.Levels[r-1].Short.In(matrix.Lang(v.Lang))
}

// answerBlocks lists what was said, by dimension; when that would not fit a card, only how many of each dimension.
func (b *Bot) answerBlocks(v locale.Voice, m *matrix.Matrix, resp survey.Response) []chat.Block {
	lang := matrix.Lang(v.Lang)
	var full, brief []chat.Block
	size := 0
	for _, d := range m.Dimensions {
		lines, done := []chat.Span{chat.Bold(d.Name.In(lang))}, 0
		for _, e := range d.Elements() {
			r := resp.Answers[e.ID].Rating
			sign := "○ "
			if r != matrix.NotAnswered {
				sign = "● "
				done++
			}
			line := "\n" + sign + e.Name.In(lang) + ": " + b.ratingName(v, m, r)
			if !resp.Answers[e.ID].Detail.IsZero() {
				line += " + " + v.Say("answer.detail")
			}
			size += len(line)
			lines = append(lines, chat.Words(line))
		}
		full = append(full, chat.Text{Spans: lines})
		brief = append(brief, chat.Text{Spans: []chat.Span{lines[0], chat.Words(": " + v.Say("answers.some", "done", done, "n", len(d.Elements())))}})
	}
	if size > chat.MaxCardText-1000 { // room for the rest of the card
		return brief
	}
	return full
}

// elementMenus are menus to go to any element, one a dimension.
func (b *Bot) elementMenus(v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response) []chat.Block {
	lang := matrix.Lang(v.Lang)
	var menus []chat.Block
	for _, d := range m.Dimensions {
		var options []chat.Option
		for _, e := range d.Elements() {
			state := " (" + v.Say("list.open") + ")"
			if resp.Answers[e.ID].Rating != matrix.NotAnswered {
				state = " (" + v.Say("list.answered") + ")"
			}
			name := chat.Trim(e.Name.In(lang), chat.MaxOption-utf8.RuneCountInString(state))
			options = append(options, chat.Option{Value: e.ID, Label: name + state})
		}
		menus = append(menus, chat.Menu{Action: chat.NewAction("jump", string(part.Round.ID), d.ID), Placeholder: v.Say("list.go", "dimension", d.Name.In(lang)), Options: options})
	}
	return menus
}

func (b *Bot) showList(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.Response(ctx, args.round, req.person)
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.listCard)
}

func (b *Bot) listCard(v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response) (chat.Card, error) {
	id := string(part.Round.ID)
	blocks := []chat.Block{
		chat.Footnote(part.Round.Area),
		chat.Heading{Text: v.Say("list.title")},
		chat.Footnote(v.Say("list.body", "done", resp.Rated(), "n", len(m.Elements()))),
	}
	blocks = append(blocks, b.elementMenus(v, part, m, resp)...)
	blocks = append(blocks, row(append([]chat.Button{
		primary(v.Say("button.continue"), chat.NewAction("go", id)),
		button(v.Say("button.me"), chat.NewAction("me", id)),
		button(v.Say("button.review"), chat.NewAction("review", id)),
		button(v.Say("button.levels"), chat.NewAction("levels", id)),
		button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, b.otherLanguage(v, part, chat.NewAction("list", id))...)...))
	return card(blocks...), nil
}

// showLevels says what each level means in general, beside the descriptors that say it of one element.
func (b *Bot) showLevels(ctx context.Context, req *request, args roundArgs) (chat.Card, error) {
	part, err := b.Rounds.Participation(ctx, args.round, req.person)
	switch {
	case err != nil:
		return chat.Card{}, err
	case part.Member.Status == survey.NotInvited:
		return chat.Card{}, survey.ErrNotTakingPart
	}
	m, err := b.Rounds.Matrix(part.Round)
	if err != nil {
		return chat.Card{}, err
	}
	v := b.participantVoice(req, part)
	lang := matrix.Lang(v.Lang)
	blocks := []chat.Block{chat.Heading{Text: v.Say("levels.title")}}
	for _, l := range m.Levels {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(l.Name.In(lang)), chat.Words(": " + l.Meaning.In(lang))}})
	}
	return card(append(blocks, chat.Paragraph(v.Say("me.how")), chat.Footnote(m.About.In(lang)))...), nil
}

func (b *Bot) showReview(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.Response(ctx, args.round, req.person)
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.reviewCard)
}

func (b *Bot) reviewCard(v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response) (chat.Card, error) {
	id := string(part.Round.ID)
	missing := len(m.Elements()) - resp.Rated()
	blocks := []chat.Block{chat.Footnote(part.Round.Area), chat.Heading{Text: v.Say("review.title")}}
	if missing > 0 {
		blocks = append(blocks, chat.Paragraph(v.Count("review.missing", missing)))
	} else {
		blocks = append(blocks, chat.Paragraph(v.Say("review.complete")))
	}
	blocks = append(blocks, b.answerBlocks(v, m, resp)...)
	submit := primary(v.Say("button.submit"), chat.NewAction("submit", id))
	if part.Member.Status == survey.Finished {
		submit.Label = v.Say("button.submit_again")
	}
	blocks = append(blocks, chat.Footnote(v.Say("review.later", "closes", b.closingTime(v, part.Round))),
		row(append([]chat.Button{submit, button(v.Say("button.list"), chat.NewAction("list", id)), button(v.Say("button.kept"), chat.NewAction("kept", id))}, b.otherLanguage(v, part, chat.NewAction("review", id))...)...))
	return card(blocks...), nil
}

func (b *Bot) submit(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.Submit(ctx, args.round, req.person)
	var input *survey.InputError
	if errors.As(err, &input) {
		return view{}, refuse(card(chat.Paragraph(b.participantVoice(req, part).Say("input.answers.empty"))))
	}
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.receiptCard)
}

// receiptCard thanks somebody who has finished, with their answers.
func (b *Bot) receiptCard(v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response) (chat.Card, error) {
	id := string(part.Round.ID)
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("receipt.title")},
		chat.Paragraph(v.Say("receipt.thanks", "area", part.Round.Area)),
		chat.Footnote(v.Count("receipt.answered", resp.Rated(), "of", len(m.Elements()))),
	}
	blocks = append(blocks, b.answerBlocks(v, m, resp)...)
	next := v.Say("receipt.results")
	if !part.Round.Workshop.At.IsZero() {
		next = v.Say("receipt.workshop", "when", v.Time(part.Round.Workshop.At.In(part.Round.Location())), "place", part.Round.Workshop.Place)
	}
	blocks = append(blocks, chat.Paragraph(next), chat.Footnote(v.Say("review.later", "closes", b.closingTime(v, part.Round))),
		row(button(v.Say("button.change"), chat.NewAction("list", id)), button(v.Say("button.kept"), chat.NewAction("kept", id))))
	return card(blocks...), nil
}

// showPersonalData shows a person everything the bot keeps about them in this round.
func (b *Bot) showPersonalData(ctx context.Context, req *request, args roundArgs) (view, error) {
	part, resp, err := b.Rounds.PersonalData(ctx, args.round, req.person)
	if err != nil {
		return view{}, err
	}
	return b.show(ctx, req, part, resp, b.personalDataCard)
}

func (b *Bot) personalDataCard(v locale.Voice, part survey.Participation, m *matrix.Matrix, resp survey.Response) (chat.Card, error) {
	id, member := string(part.Round.ID), part.Member
	line := func(key, value string) chat.Span {
		if value == "" {
			value = v.Say("me.none")
		}
		return chat.Words("\n" + v.Say(key) + ": " + value)
	}
	scope := ""
	if member.Scope != "" {
		scope = v.Say("scope." + string(member.Scope))
	}
	details := 0
	for _, ans := range resp.Answers {
		if !ans.Detail.IsZero() {
			details++
		}
	}
	reminders, wish := v.Say("kept.wanted"), button(v.Say("button.stop"), chat.NewAction("stop", id))
	if member.RemindersOff {
		reminders, wish = v.Say("kept.unwanted"), button(v.Say("button.again"), chat.NewAction("again", id))
	}
	if day, err := time.Parse(time.DateOnly, member.RemindOnDate); err == nil {
		reminders = v.Say("kept.asked", "day", v.Day(day))
	}
	last := v.Say("kept.never")
	if day, err := time.Parse(time.DateOnly, member.LastRemindedDate); err == nil {
		last = v.Day(day)
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("kept.title", "area", part.Round.Area)},
		chat.Paragraph(v.Say("kept.pause")),
		chat.Text{Spans: []chat.Span{
			chat.Bold(v.Say("kept.roster")),
			line("kept.role", b.roleName(v, m, member.Role)), line("kept.organisation", member.Organisation), line("kept.scope", scope),
			line("kept.language", b.Words.In(v.Lang).Say("language.name")),
			line("kept.time_zone", member.TimeZone), line("kept.reminders", reminders), line("kept.reminded", last),
			line("kept.notice", v.Say("kept.notice_on", "version", member.Notice, "when", v.Time(member.NoticeAt.In(part.Round.Location())))),
		}},
		chat.Text{Spans: []chat.Span{
			chat.Bold(v.Say("kept.response")),
			chat.Words("\n" + v.Count("kept.answers", resp.Rated()) + " " + v.Count("kept.details", details)),
		}},
		chat.Footnote(v.Say("kept.until", "until", v.Day(part.Round.ExpiresAt().In(part.Round.Location())))),
	}
	buttons := []chat.Button{button(v.Say("button.notice"), chat.NewAction("notice", id))}
	var others []chat.Button
	if part.Round.AcceptsAnswers(b.Now()) {
		buttons = append([]chat.Button{primary(v.Say("button.continue"), chat.NewAction("go", id))}, buttons...)
		others = b.otherLanguage(v, part, chat.NewAction("kept", id))
	}
	blocks = append(blocks, row(append(buttons, wish, chat.Button{Label: v.Say("button.erase"), Action: chat.NewAction("erase", id), Style: chat.Danger, Confirm: &chat.Confirm{
		Title: v.Say("erase.title"), Text: v.Say("erase.ask", "area", part.Round.Area), Yes: v.Say("erase.yes"), No: v.Say("erase.no"),
	}})...))
	if len(others) > 0 {
		blocks = append(blocks, row(others...))
	}
	return card(blocks...), nil
}

func (b *Bot) withdraw(ctx context.Context, req *request, args roundArgs) (chat.Card, error) {
	before, err := b.Rounds.Participation(ctx, args.round, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	v := b.participantVoice(req, before) // the chosen language is erased with the rest
	part, err := b.Rounds.Withdraw(ctx, args.round, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	return b.withdrawnCard(v, part), nil
}

// home shows what of a person's is here: their surveys, and the rounds they coordinate.
func (b *Bot) home(ctx context.Context, req *request, args generalArgs) (chat.Card, error) {
	parts, err := b.Rounds.RoundsOf(ctx, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	for _, part := range parts { // the language chosen last, unless they ask in one
		if part.Member.Language != "" && args.lang == "" {
			v = b.Words.In(string(part.Member.Language))
			break
		}
	}
	blocks := []chat.Block{chat.Heading{Text: v.Say("home.title")}}
	shown := 0
	for _, part := range parts {
		if part.Member.Status == survey.NotInvited || shown == maxHome {
			continue
		}
		shown++
		line, key := "", "button.continue"
		switch open := part.Round.AcceptsAnswers(b.Now()); {
		case !open && part.Round.State == survey.Open && part.Member.TakesPart():
			line, key = v.Say("over.waiting", "closes", b.closingTime(v, part.Round)), "button.what_kept"
		case !open:
			line, key = v.Say("home.closed", "closed", b.closedTime(v, part.Round)), ""
		case part.Member.Status == survey.Finished:
			line, key = v.Say("home.finished", "closes", b.closingTime(v, part.Round)), "button.change"
		case part.Member.Status == survey.Started:
			if line, err = b.progress(ctx, v, part); err != nil {
				return chat.Card{}, err
			}
		case part.Member.Status == survey.Withdrawn:
			line, key = v.Say("withdrawn.body", "area", part.Round.Area), ""
		default:
			line, key = v.Say("home.invited", "closes", b.closingTime(v, part.Round)), "button.start"
		}
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(part.Round.Area), chat.Words("\n" + line)}})
		if key != "" {
			buttons := []chat.Button{primary(v.Say(key), chat.NewAction("resume", string(part.Round.ID)))}
			if part.Member.RemindersOff {
				buttons = append(buttons, button(v.Say("button.again"), chat.NewAction("again", string(part.Round.ID))))
			}
			blocks = append(blocks, row(buttons...))
		}
	}
	coordinated, err := b.coordinatedRounds(ctx, v, req, parts)
	if err != nil {
		return chat.Card{}, err
	}
	if len(coordinated) > 0 {
		blocks = append(blocks, chat.Divider{})
		blocks = append(blocks, coordinated...)
	}
	if len(blocks) == 1 {
		blocks = append(blocks, chat.Paragraph(v.Say("home.nothing")))
	}
	if req.Kind == chat.Home {
		// What is pressed here shows elsewhere, and the page itself stays as it is.
		switch {
		case shown > 0:
			blocks = slices.Insert(blocks, 1, chat.Block(chat.Footnote(v.Say("home.messages"))))
		case len(coordinated) > 0:
			blocks = slices.Insert(blocks, 1, chat.Block(chat.Footnote(v.Say("home.messages_only"))))
		}
		return card(blocks...), nil
	}
	return card(blocks...), nil
}

// progress says how far somebody is who has started.
func (b *Bot) progress(ctx context.Context, v locale.Voice, part survey.Participation) (string, error) {
	m, err := b.Rounds.Matrix(part.Round)
	if err != nil {
		return "", err
	}
	_, resp, err := b.Rounds.Response(ctx, part.Round.ID, part.Member.Person)
	switch {
	case errors.Is(err, survey.ErrClosed), errors.Is(err, survey.ErrWithdrawn), errors.Is(err, survey.ErrNotTakingPart): // since the part was read
		return "", nil
	case err != nil:
		return "", err
	}
	return v.Say("home.started", "done", resp.Rated(), "n", len(m.Elements()), "closes", b.closingTime(v, part.Round)), nil
}

// maxHome is how many surveys, and how many rounds, one card lists: the newest, since a message has room for no
// more (chat.MaxComponents).
const maxHome = 5
