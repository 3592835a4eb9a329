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
)

// inLanguages lays out a card for a person whose language may not be known: what is written in a language
// stands above its buttons, so that nobody needs to pass the other one to press them.
func (b *Bot) inLanguages(langs []survey.Lang, write func(v locale.Voice, lang string) []chat.Block) chat.Card {
	var blocks []chat.Block
	for i, lang := range langs {
		if i > 0 {
			blocks = append(blocks, chat.Divider{})
		}
		blocks = append(blocks, write(b.Words.In(string(lang)), string(lang))...)
	}
	return chat.Card{Blocks: blocks}
}

// Invitation is the card that a person gets who was invited, in each of the round's languages.
func (b *Bot) Invitation(round survey.Round, m *survey.Matrix) chat.Card {
	return b.inLanguages(round.Languages, func(v locale.Voice, lang string) []chat.Block {
		return append(b.invitationText(v, round, m), row(startButtons(v, round, lang)...))
	})
}

// invitationText says who asks, what for, by when and how long it takes.
func (b *Bot) invitationText(v locale.Voice, round survey.Round, m *survey.Matrix) []chat.Block {
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
func (b *Bot) effort(v locale.Voice, round survey.Round, m *survey.Matrix) chat.Text {
	from, to := minutes(m, survey.Lang(v.Lang))
	return chat.Paragraph(v.Say("invitation.how",
		"n", len(m.Elements()), "from", from, "to", to, "closes", b.closingTime(v, round)))
}

// minutes is how long it takes to read a survey in a language, from Start to the receipt: at 240
// words a minute, and at 200.
func minutes(m *survey.Matrix, lang survey.Lang) (from, to int) {
	words := func(t survey.Text) int { return len(strings.Fields(t.In(lang))) }
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
func (b *Bot) join(ctx context.Context, e chat.Event, a roundLanguageArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.Participation(ctx, a.round, person(e.Who))
	if err != nil {
		return nil, err
	}
	if seat.Member.Status == survey.NotInvited && !ofRound(e, seat.Round) {
		return nil, survey.ErrNotTakingPart
	}
	seat, err = b.Rounds.Join(ctx, a.round, person(e.Who))
	if err == nil && a.lang != "" {
		seat, err = b.Rounds.SetLanguage(ctx, a.round, person(e.Who), a.lang)
	}
	if err != nil {
		replies, err := b.fallbackCard(ctx, e, seat, err)
		return asWhispers(replies), err
	}
	return b.newCard(ctx, e, seat)
}

// newCard shows a new card for where a person stands. A card that only they see in a channel is gone once they
// reload it, and is on no other device: so it goes to their own conversation with the bot where the
// platform lets it, and else says how to come back.
func (b *Bot) newCard(ctx context.Context, e chat.Event, seat survey.Participation) ([]chat.Reply, error) {
	replies, err := b.currentCard(ctx, e, seat)
	if err != nil || e.Private || len(replies) != 1 || !seat.Round.AcceptsAnswers(b.Now()) {
		return asWhispers(replies), err
	}
	card, ok := replies[0].(chat.Update)
	if !ok {
		return replies, nil
	}
	v := b.participantVoice(e, seat)
	back := append(slices.Clone(card.Card.Blocks), chat.Footnote(v.Say("fresh.back")))
	if !e.Direct {
		return whisper(back...), nil
	}
	return []chat.Reply{chat.Direct{Card: card.Card, Then: func(d chat.Delivered) []chat.Reply {
		if !d.Stands() {
			b.Log.Warn("no direct message: shown in the channel", "error", d.Err)
			return whisper(back...)
		}
		sent := []chat.Span{chat.Words(v.Say("fresh.sent"))}
		if d.URL != "" {
			sent = append(sent, chat.Words(" "), chat.WebLink{Text: v.Say("fresh.open"), URL: d.URL})
		}
		return whisper(chat.Heading{Text: seat.Round.Area}, chat.Text{Spans: sent}, chat.Footnote(v.Say("fresh.home")))
	}}}, nil
}

// ofRound says whether somebody acts in the workspace of a round, and is not of another: a button that was carried elsewhere lets nobody
// in. Where a platform's people are of no workspace, the place alone tells.
func ofRound(e chat.Event, r survey.Round) bool {
	home, err := chat.ParsePlace(r.Channel)
	return err == nil && home.Platform == e.Who.Platform && home.Workspace == e.Where.Workspace && (e.Who.Workspace == "" || e.Who.Workspace == home.Workspace)
}

// asWhispers turns updates into whispers, for a press on a card that everybody sees.
func asWhispers(replies []chat.Reply) []chat.Reply {
	for i, r := range replies {
		if u, ok := r.(chat.Update); ok {
			replies[i] = chat.Whisper{Card: u.Card}
		}
	}
	return replies
}

func (b *Bot) begin(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.Participation(ctx, a.round, person(e.Who))
	if err != nil {
		return nil, err
	}
	return b.currentCard(ctx, e, seat)
}

func (b *Bot) resume(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.Participation(ctx, a.round, person(e.Who))
	if err != nil {
		return nil, err
	}
	return b.newCard(ctx, e, seat)
}

// currentCard shows a person the card for where they stand, from the invitation to the last answer.
func (b *Bot) currentCard(ctx context.Context, e chat.Event, seat survey.Participation) ([]chat.Reply, error) {
	v := b.participantVoice(e, seat)
	switch {
	case seat.Member.Status == survey.NotInvited:
		return nil, survey.ErrNotTakingPart
	case !seat.Round.AcceptsAnswers(b.Now()):
		return b.closedCard(v, seat), nil
	case seat.Member.Status == survey.Withdrawn:
		return b.withdrawnCard(v, seat), nil
	case !seat.Member.TakesPart():
		if seat.Member.Language == "" && len(seat.Round.Languages) > 1 {
			return b.languageCard(seat), nil
		}
		return b.noticeCard(v, seat)
	}
	seat, resp, err := b.Rounds.Response(ctx, seat.Round.ID, seat.Member.Person)
	if err != nil {
		return nil, err
	}
	draw := b.nextCard
	if seat.Member.Role == "" || resp.Rated() == 0 {
		draw = b.profileCard("") // also when the coordinator gave a role: it is for the person to say
	}
	return b.show(ctx, e, seat, resp, nil, draw)
}

// nextCard shows the first question without an answer after the last one that has one, else the first
// without, else the review.
func (b *Bot) nextCard(
	v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response,
) ([]chat.Reply, error) {
	elements := m.Elements()
	last := len(elements) - 1
	for i, e := range elements {
		if resp.Answers[e.ID].Rating != survey.NotAnswered {
			last = i
		}
	}
	if element := openAfter(m, resp, last); element != "" {
		return b.elementCard(v, seat, m, resp, element, nil)
	}
	return b.reviewCard(v, seat, m, resp)
}

// openAfter returns the first element after the i-th that has no answer, going round to the start,
// or "" when each has one.
func openAfter(m *survey.Matrix, resp survey.Response, i int) string {
	elements := m.Elements()
	for step := range elements {
		e := elements[(i+1+step)%len(elements)]
		if resp.Answers[e.ID].Rating == survey.NotAnswered {
			return e.ID
		}
	}
	return ""
}

// closedCard is what a person meets once the survey takes no answers any more.
func (b *Bot) closedCard(v locale.Voice, seat survey.Participation) []chat.Reply {
	switch {
	case seat.Round.State == survey.Draft:
		return update(chat.Paragraph(v.Say("error.not_open")))
	case seat.Round.State == survey.Open && seat.Member.TakesPart():
		// What is kept can still be told apart, so it can still be seen and erased.
		return update(chat.Heading{Text: seat.Round.Area}, chat.Paragraph(v.Say("over.waiting", "closes", b.closingTime(v, seat.Round))),
			row(button(v.Say("button.what_kept"), chat.NewAction("kept", string(seat.Round.ID)))))
	case seat.Member.Status == survey.Finished || seat.Member.Status == survey.Started:
		return update(chat.Heading{Text: seat.Round.Area}, chat.Paragraph(v.Say("over.thanks", "closed", b.closedTime(v, seat.Round))))
	}
	return update(chat.Heading{Text: seat.Round.Area}, chat.Paragraph(v.Say("over.missed", "closed", b.closedTime(v, seat.Round))))
}

func (b *Bot) closedTime(v locale.Voice, round survey.Round) string {
	at := round.ClosesAt
	if round.State == survey.Closed {
		at = round.ClosedAt
	}
	return v.Time(at.In(round.Location()))
}

func (b *Bot) withdrawnCard(v locale.Voice, seat survey.Participation) []chat.Reply {
	blocks := []chat.Block{chat.Heading{Text: v.Say("withdrawn.title")}, chat.Paragraph(v.Say("withdrawn.body", "area", seat.Round.Area))}
	if seat.Round.AcceptsAnswers(b.Now()) {
		blocks = append(blocks, row(button(v.Say("button.rejoin"), chat.NewAction("join", string(seat.Round.ID)))))
	}
	return update(blocks...)
}

// languageCard asks which language to go on in, in both.
func (b *Bot) languageCard(seat survey.Participation) []chat.Reply {
	var lines, labels []string
	var buttons []chat.Button
	for _, lang := range seat.Round.Languages {
		v := b.Words.In(string(lang))
		lines = append(lines, v.Say("language.ask"))
		labels = append(labels, v.Say("language.name"))
		buttons = append(buttons, button(v.Say("language.name"), chat.NewAction("lang", string(seat.Round.ID), string(lang), "begin")))
	}
	return update(chat.Heading{Text: strings.Join(labels, " / ")}, chat.Paragraph(strings.Join(lines, "\n")), row(buttons...))
}

// switchLanguage changes the language and shows the same card again.
func (b *Bot) switchLanguage(ctx context.Context, e chat.Event, a languageArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.SetLanguage(ctx, a.round, person(e.Who), a.lang)
	switch {
	case err != nil && (seat.Member.Status == survey.Withdrawn || seat.Member.Status != survey.NotInvited && !seat.Round.AcceptsAnswers(b.Now())):
		return b.currentCard(ctx, e, seat)
	case err != nil:
		return nil, err
	}
	e.Action = a.then
	return b.route(ctx, e)
}

// otherLanguage is a button to see the same card in the round's other language, or none.
func (b *Bot) otherLanguage(v locale.Voice, seat survey.Participation, then chat.Action) []chat.Button {
	var buttons []chat.Button
	for _, lang := range seat.Round.Languages {
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

func (b *Bot) noticeCard(v locale.Voice, seat survey.Participation) ([]chat.Reply, error) {
	id := string(seat.Round.ID)
	m, err := b.Rounds.Matrix(seat.Round)
	if err != nil {
		return nil, err
	}
	buttons := []chat.Button{
		primary(v.Say("button.accept"), chat.NewAction("accept", id)),
		button(v.Say("button.decline"), chat.NewAction("decline", id)),
	}
	buttons = append(buttons, b.otherLanguage(v, seat, chat.NewAction("begin", id))...)
	from, to := minutes(m, survey.Lang(v.Lang))
	blocks := append([]chat.Block{
		chat.Footnote(v.Say("notice.step", "area", seat.Round.Area, "from", from, "to", to)),
	}, b.noticeBlocks(v, seat.Round)...)
	return update(append(blocks, row(buttons...))...), nil
}

// showNotice shows the notice again to somebody who is in the survey already.
func (b *Bot) showNotice(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.Participation(ctx, a.round, person(e.Who))
	switch {
	case err != nil:
		return nil, err
	case seat.Member.Status == survey.NotInvited:
		return nil, survey.ErrNotTakingPart
	}
	return whisper(b.noticeBlocks(b.participantVoice(e, seat), seat.Round)...), nil
}

func (b *Bot) accept(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.Start(ctx, a.round, person(e.Who), NoticeVersion)
	if err != nil {
		return b.fallbackCard(ctx, e, seat, err)
	}
	return b.currentCard(ctx, e, b.saveTimeZone(ctx, e, seat))
}

// saveTimeZone keeps where a person's clock is, for their reminders. They need not wait, nor be told, when it fails.
func (b *Bot) saveTimeZone(ctx context.Context, e chat.Event, seat survey.Participation) survey.Participation {
	learnt, err := b.Rounds.SetTimeZone(ctx, seat, e.TimeZone)
	if err != nil {
		b.Log.Warn("time zone not kept", "round", seat.Round.ID, "error", err)
		return seat
	}
	return learnt
}

// fallbackCard shows where a person stands when what they pressed cannot be done any more, so that an old card
// never stays behind with buttons that lead nowhere.
func (b *Bot) fallbackCard(ctx context.Context, e chat.Event, seat survey.Participation, err error) ([]chat.Reply, error) {
	switch {
	case seat.Round.ID == "" || seat.Member.Status == survey.NotInvited:
		return nil, err
	case seat.Member.Status == survey.Withdrawn, seat.Round.State != survey.Draft && !seat.Round.AcceptsAnswers(b.Now()):
		return b.currentCard(ctx, e, seat)
	case !seat.Member.TakesPart() && errors.Is(err, survey.ErrNotTakingPart):
		return b.currentCard(ctx, e, seat)
	}
	return nil, err
}

func (b *Bot) decline(ctx context.Context, e chat.Event, a roundLanguageArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.Decline(ctx, a.round, person(e.Who))
	if err != nil {
		return b.fallbackCard(ctx, e, seat, err)
	}
	if seat.Member.TakesPart() {
		return b.currentCard(ctx, e, seat)
	}
	v := b.participantVoice(e, seat)
	return update(
		chat.Heading{Text: v.Say("declined.title")},
		chat.Paragraph(v.Say("declined.body", "area", seat.Round.Area, "closes", b.closingTime(v, seat.Round))),
		row(button(v.Say("button.rejoin"), chat.NewAction("begin", string(seat.Round.ID)))),
	), nil
}

// showProfile shows "about you" to somebody in the survey.
func (b *Bot) showProfile(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, resp, err := b.Rounds.Response(ctx, a.round, person(e.Who))
	return b.show(ctx, e, seat, resp, err, b.profileCard(""))
}

// profileCard is the card of who somebody is; warn is the key of a sentence on what is missing, or empty.
func (b *Bot) profileCard(warn string) drawing {
	return func(
		v locale.Voice, seat survey.Participation, m *survey.Matrix, _ survey.Response,
	) ([]chat.Reply, error) {
		return b.profileBlocks(v, seat, m, warn), nil
	}
}

func (b *Bot) profileBlocks(v locale.Voice, seat survey.Participation, m *survey.Matrix, warn string) []chat.Reply {
	id := string(seat.Round.ID)
	lang := survey.Lang(v.Lang)
	blocks := []chat.Block{
		chat.Footnote(seat.Round.Area),
		chat.Heading{Text: v.Say("me.title")},
		chat.Paragraph(v.Say("me.role")),
	}
	options := func(roles []survey.Role) []chat.Option {
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
	blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Words(v.Say("me.chosen") + " "), chat.Bold(b.roleName(v, m, seat.Member.Role))}})
	if warn != "" {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say(warn))}})
	}
	var scopes []chat.Button
	for _, s := range survey.Scopes {
		scopes = append(scopes, chat.Button{Label: v.Say("scope." + string(s)), Action: chat.NewAction("scope", id, string(s)), Chosen: seat.Member.Scope == s})
	}
	organisation, has := v.Say("button.organisation"), "0"
	if seat.Member.Organisation != "" {
		organisation, has = v.Say("button.organisation_change"), "1"
		blocks = append(blocks, chat.Paragraph(v.Say("me.organisation", "organisation", seat.Member.Organisation)))
	}
	forward := button(v.Say("button.continue"), chat.NewAction("go", id))
	if seat.Member.Role != "" {
		forward.Style = chat.Primary
	}
	blocks = append(blocks,
		chat.Paragraph(v.Say("me.scope")), row(scopes...),
		chat.Divider{},
		chat.Footnote(v.Say("me.how")),
		row(append([]chat.Button{
			button(organisation, chat.NewAction("org", id, has, v.Lang)), forward, button(v.Say("button.kept"), chat.NewAction("kept", id)),
		}, b.otherLanguage(v, seat, chat.NewAction("me", id))...)...),
	)
	return update(blocks...)
}

// roleName is a role in words, also where none was given.
func (b *Bot) roleName(v locale.Voice, m *survey.Matrix, id string) string {
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
	return r.Name.In(survey.Lang(v.Lang))
}

func (b *Bot) pickRole(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.SetRole(ctx, a.round, person(e.Who), e.Value(chat.Picked))
	return b.show(ctx, e, seat, survey.Response{}, err, b.profileCard(""))
}

func (b *Bot) pickScope(ctx context.Context, e chat.Event, a scopeArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.SetScope(ctx, a.round, person(e.Who), survey.Scope(a.scope))
	return b.show(ctx, e, seat, survey.Response{}, err, b.profileCard(""))
}

// organisationForm makes no call when none was given before; else it is read, so that saving does not lose it.
func (b *Bot) organisationForm(ctx context.Context, e chat.Event, a organisationArgs) ([]chat.Reply, error) {
	v, had := b.Words.In(string(a.lang)), ""
	if a.has {
		seat, err := b.Rounds.Participation(ctx, a.round, person(e.Who))
		if err != nil {
			return nil, err
		}
		had = seat.Member.Organisation
	}
	return []chat.Reply{chat.OpenForm{Form: chat.Form{
		Title: v.Say("organisation.title"), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("saveorg", string(a.round)),
		Fields: []chat.Field{chat.Input{
			Label: chat.Label{ID: "organisation", Text: v.Say("organisation.label"), Hint: v.Say("organisation.hint", "limit", survey.MaxOrganisationRunes), Optional: true},
			Value: had, Max: survey.MaxOrganisationRunes,
		}},
	}}}, nil
}

func (b *Bot) saveOrganisation(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.SetOrganisation(ctx, a.round, person(e.Who), e.Value("organisation"))
	return b.show(ctx, e, seat, survey.Response{}, err, b.profileCard(""))
}

func (b *Bot) proceed(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, resp, err := b.Rounds.Response(ctx, a.round, person(e.Who))
	draw := b.nextCard
	if seat.Member.Role == "" {
		draw = b.profileCard("me.role_first")
	}
	return b.show(ctx, e, seat, resp, err, draw)
}

func (b *Bot) showElement(ctx context.Context, e chat.Event, a elementArgs) ([]chat.Reply, error) {
	return b.elementOf(ctx, e, a.round, a.element)
}

// jump goes to what was picked from the list of elements.
func (b *Bot) jump(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	return b.elementOf(ctx, e, a.round, e.Value(chat.Picked))
}

func (b *Bot) elementOf(ctx context.Context, e chat.Event, round survey.RoundID, element string) ([]chat.Reply, error) {
	seat, resp, err := b.Rounds.Response(ctx, round, person(e.Who))
	return b.show(ctx, e, seat, resp, err, b.elementDrawing(element))
}

// drawing is a card of somebody in the survey.
type drawing func(v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response) ([]chat.Reply, error)

// show draws a card after a call that found a seat and a response; when the call failed, what stands in its stead.
func (b *Bot) show(ctx context.Context, e chat.Event, seat survey.Participation, resp survey.Response, err error, draw drawing) ([]chat.Reply, error) {
	if err != nil {
		return b.fallbackCard(ctx, e, seat, err)
	}
	m, err := b.Rounds.Matrix(seat.Round)
	if err != nil {
		return nil, err
	}
	seat = b.saveTimeZone(ctx, e, seat)
	replies, err := draw(b.participantVoice(e, seat), seat, m, resp)
	for i, r := range replies {
		if u, ok := r.(chat.Update); ok {
			u.Refresh = func(ctx context.Context) (chat.Update, bool) {
				return b.redrawCard(ctx, e, seat, resp, draw)
			}
			replies[i] = u
		}
	}
	return replies, err
}

// redrawCard draws a card once more when what it shows has changed since it was drawn from this seat and
// response.
func (b *Bot) redrawCard(
	ctx context.Context, e chat.Event, seat survey.Participation, resp survey.Response, draw drawing,
) (chat.Update, bool) {
	same, err := b.Rounds.Current(ctx, seat, resp)
	if err != nil {
		b.Log.Warn("card not compared with what is saved", "round", seat.Round.ID, "error", err)
	}
	if err != nil || same {
		return chat.Update{}, false
	}
	seat, resp, err = b.Rounds.Response(ctx, seat.Round.ID, seat.Member.Person)
	replies, err := b.show(ctx, e, seat, resp, err, draw)
	if err != nil || len(replies) != 1 || checkReply(replies[0]) != nil {
		b.Log.Error("card not drawn again", "round", seat.Round.ID, "error", err)
		return chat.Update{}, false
	}
	u, ok := replies[0].(chat.Update)
	return u, ok
}

// answer keeps a rating, and shows what comes after it.
func (b *Bot) answer(ctx context.Context, e chat.Event, a answerArgs) ([]chat.Reply, error) {
	g := survey.Operation{ID: e.ID, At: e.At}
	seat, resp, err := b.Rounds.Answer(ctx, a.round, person(e.Who), g, a.element, a.rating)
	if soon, ok := errors.AsType[*survey.TooSoonError](err); ok {
		return b.show(ctx, e, seat, resp, nil, b.cardAfter(soon.Before, true))
	}
	return b.show(ctx, e, seat, resp, err, b.cardAfter(a.element, false))
}

// cardAfter shows what comes after the answer to an element: the next question that is still open, or
// the review when none is. Its first line says what was saved, and the buttons beside it lead back
// to that answer. With tooSoon it also says that a press on the new card was not taken, since it
// came too soon after that answer.
func (b *Bot) cardAfter(element string, tooSoon bool) drawing {
	return func(
		v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response,
	) ([]chat.Reply, error) {
		_, i, ok := m.Element(element)
		if !ok {
			return nil, survey.ErrNoElement
		}
		// Nothing is said to be saved where nothing is.
		if resp.Answers[element].Rating == survey.NotAnswered {
			return b.elementCard(v, seat, m, resp, element, nil)
		}
		top := b.savedBlocks(v, seat, m, resp, element, tooSoon)
		if open := openAfter(m, resp, i); open != "" {
			return b.elementCard(v, seat, m, resp, open, top)
		}
		replies, err := b.reviewCard(v, seat, m, resp)
		return onTop(top, replies), err
	}
}

// onTop puts blocks above those of a card.
func onTop(top []chat.Block, replies []chat.Reply) []chat.Reply {
	for i, r := range replies {
		if u, ok := r.(chat.Update); ok {
			replies[i] = chat.Update{Card: chat.Card{Blocks: slices.Concat(top, u.Card.Blocks)}}
		}
	}
	return replies
}

// savedBlocks says what is saved for an element, with buttons to change it and to add detail to it.
func (b *Bot) savedBlocks(
	v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response,
	element string, tooSoon bool,
) []chat.Block {
	el, _, _ := m.Element(element)
	given, id, lang := resp.Answers[element], string(seat.Round.ID), survey.Lang(v.Lang)
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
	v locale.Voice, round string, m *survey.Matrix, element string, had survey.Detail,
) chat.Button {
	label, has := v.Say("button.detail"), "0"
	if !had.IsZero() {
		label, has = v.Say("button.detail_change"), "1"
	}
	return button(label, chat.NewAction("detail", round, element, has, m.ID, v.Lang))
}

// elementDrawing is one element.
func (b *Bot) elementDrawing(element string) drawing {
	return func(v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response) ([]chat.Reply, error) {
		return b.elementCard(v, seat, m, resp, element, nil)
	}
}

// elementCard is the card of one element, below the blocks of top.
func (b *Bot) elementCard(
	v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response,
	element string, top []chat.Block,
) ([]chat.Reply, error) {
	el, i, ok := m.Element(element)
	if !ok {
		return nil, survey.ErrNoElement
	}
	id, lang, elements := string(seat.Round.ID), survey.Lang(v.Lang), m.Elements()
	given := resp.Answers[element]
	state := v.Say("element.open")
	if given.Rating != survey.NotAnswered {
		state = v.Say("element.saved")
	}
	step := v.Say("element.step", "i", i+1, "n", len(elements))
	blocks := append(slices.Clone(top),
		chat.Note{Spans: []chat.Span{
			chat.Words(seat.Round.Area + " · "), chat.Bold(m.DimensionOf(element).Name.In(lang)), chat.Words(" · " + step + " · " + state + " "),
			chat.Meter{Done: i + 1, Total: len(elements)},
		}},
		chat.Heading{Text: el.Name.In(lang)},
		chat.Paragraph(el.Question.In(lang)),
		chat.Footnote(el.Help.In(lang)),
	)
	for k, level := range m.Levels {
		rating := survey.Rating(k + 1)
		chosen := given.Rating == rating
		blocks = append(blocks, chat.Choice{
			Title: level.Name.In(lang), Text: el.Descriptors[k].In(lang),
			Button: b.ratingButton(v, id, element, rating, level.Short.In(lang), chosen, level.Name.In(lang)+", "+step),
		})
	}
	blocks = append(blocks, row(
		b.ratingButton(v, id, element, survey.DontKnow, v.Say("answer.dont_know"), given.Rating == survey.DontKnow, v.Say("answer.dont_know")+", "+step),
		b.ratingButton(v, id, element, survey.NotApplicable, v.Say("answer.not_applicable"), given.Rating == survey.NotApplicable, v.Say("answer.not_applicable")+", "+step),
	))
	back := chat.NewAction("me", id)
	if i > 0 {
		back = chat.NewAction("at", id, elements[i-1].ID)
	}
	others := append([]chat.Button{
		button(v.Say("button.list"), chat.NewAction("list", id)),
		button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, b.otherLanguage(v, seat, chat.NewAction("at", id, element))...)
	toBack := button(v.Say("button.back"), back)
	forward, open := chat.NewAction("review", id), openAfter(m, resp, i)
	if given.Rating == survey.NotAnswered {
		if _, at, ok := m.Element(open); ok && at > i { // what was skipped before is not asked again now
			forward = chat.NewAction("at", id, open)
		}
		// Detail is for what was answered, and one tap away once it is.
		blocks = append(blocks, chat.Divider{},
			row(append([]chat.Button{toBack, button(v.Say("button.skip"), forward)}, others...)...))
		return update(blocks...), nil
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
	return update(blocks...), nil
}

// ratingButton is a button that gives a rating.
func (b *Bot) ratingButton(v locale.Voice, round, element string, r survey.Rating, label string, chosen bool, spoken string) chat.Button {
	style := chat.Plain
	if chosen {
		style = chat.Primary
		spoken = v.Say("answer.chosen") + ": " + spoken
	}
	return chat.Button{Label: label, Action: chat.NewAction("answer", round, element, ratingWord(r)), Chosen: chosen, Style: style, Spoken: chat.Trim(spoken, chat.MaxSpoken)}
}

// detailLine says what was added to an element.
func (b *Bot) detailLine(v locale.Voice, m *survey.Matrix, d survey.Detail) string {
	var parts []string
	if n := len(d.Information); n > 0 {
		names := make([]string, n)
		for i, id := range d.Information {
			k, _ := m.Kind(id)
			names[i] = k.Name.In(survey.Lang(v.Lang))
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
func (b *Bot) detailForm(ctx context.Context, e chat.Event, a detailArgs) ([]chat.Reply, error) {
	i := slices.IndexFunc(b.Matrices, func(m *survey.Matrix) bool { return m.ID == a.matrix })
	if i < 0 {
		return nil, errForged
	}
	m, v := b.Matrices[i], b.Words.In(string(a.lang))
	el, _, ok := m.Element(a.element)
	if !ok {
		return nil, survey.ErrNoElement
	}
	var had survey.Detail
	if a.has {
		seat, resp, err := b.Rounds.Response(ctx, a.round, person(e.Who))
		if err != nil {
			return b.fallbackCard(ctx, e, seat, err)
		}
		had = resp.Answers[a.element].Detail
	}
	var kinds []chat.Option
	for _, k := range m.Information {
		kinds = append(kinds, chat.Option{Value: k.ID, Label: k.Name.In(a.lang)})
	}
	fields := []chat.Field{
		chat.Input{Label: chat.Label{ID: "note", Text: v.Say("detail.note_label"), Hint: v.Say("detail.note_hint", "limit", survey.MaxNoteRunes), Optional: true}, Value: had.Note, Max: survey.MaxNoteRunes, Lines: true},
		chat.Input{Label: chat.Label{ID: "barrier", Text: v.Say("detail.barrier_label"), Hint: v.Say("detail.barrier_hint", "limit", survey.MaxBarrierRunes), Optional: true}, Value: had.Barrier, Max: survey.MaxBarrierRunes, Lines: true},
	}
	if len(kinds) > 0 {
		fields = append([]chat.Field{chat.Select{Label: chat.Label{ID: "information", Text: v.Say("detail.information_label"), Hint: v.Say("detail.information_hint"), Optional: true}, Options: kinds, Many: true, Chosen: had.Information}}, fields...)
	}
	title := v.Say("detail.title")
	if a.has {
		title = v.Say("detail.title_change")
	}
	return []chat.Reply{chat.OpenForm{Form: chat.Form{
		Title: title, Intro: el.Name.In(a.lang), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("keep", string(a.round), a.element), Fields: fields,
	}}}, nil
}

func (b *Bot) keepDetail(ctx context.Context, e chat.Event, a elementArgs) ([]chat.Reply, error) {
	d := survey.Detail{Information: e.Values["information"], Note: e.Value("note"), Barrier: e.Value("barrier")}
	seat, resp, err := b.Rounds.Detail(ctx, a.round, person(e.Who), survey.Operation{ID: e.ID, At: e.At}, a.element, d)
	var input *survey.InputError
	if errors.As(err, &input) {
		v := b.participantVoice(e, seat)
		return []chat.Reply{chat.FieldErrors{Fields: map[string]string{input.Field: v.Say("input."+input.Field+"."+input.Reason, "limit", input.Limit)}}}, nil
	}
	return b.show(ctx, e, seat, resp, err, b.cardAfter(a.element, false))
}

// ratingName is how an answer shows in a list.
func (b *Bot) ratingName(v locale.Voice, m *survey.Matrix, r survey.Rating) string {
	switch {
	case r == survey.DontKnow:
		return v.Say("answer.dont_know")
	case r == survey.NotApplicable:
		return v.Say("answer.not_applicable")
	case r == survey.NotAnswered || int(r) > len(m.Levels):
		return v.Say("answer.none")
	}
	return m.Levels[r-1].Short.In(survey.Lang(v.Lang))
}

// answerBlocks lists what was said, by dimension; when that would not fit a card, only how many of each dimension.
func (b *Bot) answerBlocks(v locale.Voice, m *survey.Matrix, resp survey.Response) []chat.Block {
	lang := survey.Lang(v.Lang)
	var full, brief []chat.Block
	size := 0
	for _, d := range m.Dimensions {
		lines, done := []chat.Span{chat.Bold(d.Name.In(lang))}, 0
		for _, e := range d.Elements() {
			r := resp.Answers[e.ID].Rating
			sign := "○ "
			if r != survey.NotAnswered {
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
func (b *Bot) elementMenus(v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response) []chat.Block {
	lang := survey.Lang(v.Lang)
	var menus []chat.Block
	for _, d := range m.Dimensions {
		var options []chat.Option
		for _, e := range d.Elements() {
			state := " (" + v.Say("list.open") + ")"
			if resp.Answers[e.ID].Rating != survey.NotAnswered {
				state = " (" + v.Say("list.answered") + ")"
			}
			name := chat.Trim(e.Name.In(lang), chat.MaxOption-utf8.RuneCountInString(state))
			options = append(options, chat.Option{Value: e.ID, Label: name + state})
		}
		menus = append(menus, chat.Menu{Action: chat.NewAction("jump", string(seat.Round.ID), d.ID), Placeholder: v.Say("list.go", "dimension", d.Name.In(lang)), Options: options})
	}
	return menus
}

func (b *Bot) showList(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, resp, err := b.Rounds.Response(ctx, a.round, person(e.Who))
	return b.show(ctx, e, seat, resp, err, b.listCard)
}

func (b *Bot) listCard(v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response) ([]chat.Reply, error) {
	id := string(seat.Round.ID)
	blocks := []chat.Block{
		chat.Footnote(seat.Round.Area),
		chat.Heading{Text: v.Say("list.title")},
		chat.Footnote(v.Say("list.body", "done", resp.Rated(), "n", len(m.Elements()))),
	}
	blocks = append(blocks, b.elementMenus(v, seat, m, resp)...)
	blocks = append(blocks, row(append([]chat.Button{
		primary(v.Say("button.continue"), chat.NewAction("go", id)),
		button(v.Say("button.me"), chat.NewAction("me", id)),
		button(v.Say("button.review"), chat.NewAction("review", id)),
		button(v.Say("button.levels"), chat.NewAction("levels", id)),
		button(v.Say("button.kept"), chat.NewAction("kept", id)),
	}, b.otherLanguage(v, seat, chat.NewAction("list", id))...)...))
	return update(blocks...), nil
}

// showLevels says what each level means in general, beside the descriptors that say it of one element.
func (b *Bot) showLevels(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, err := b.Rounds.Participation(ctx, a.round, person(e.Who))
	switch {
	case err != nil:
		return nil, err
	case seat.Member.Status == survey.NotInvited:
		return nil, survey.ErrNotTakingPart
	}
	m, err := b.Rounds.Matrix(seat.Round)
	if err != nil {
		return nil, err
	}
	v := b.participantVoice(e, seat)
	lang := survey.Lang(v.Lang)
	blocks := []chat.Block{chat.Heading{Text: v.Say("levels.title")}}
	for _, l := range m.Levels {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(l.Name.In(lang)), chat.Words(": " + l.Meaning.In(lang))}})
	}
	return whisper(append(blocks, chat.Paragraph(v.Say("me.how")), chat.Footnote(m.About.In(lang)))...), nil
}

func (b *Bot) showReview(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, resp, err := b.Rounds.Response(ctx, a.round, person(e.Who))
	return b.show(ctx, e, seat, resp, err, b.reviewCard)
}

func (b *Bot) reviewCard(v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response) ([]chat.Reply, error) {
	id := string(seat.Round.ID)
	missing := len(m.Elements()) - resp.Rated()
	blocks := []chat.Block{chat.Footnote(seat.Round.Area), chat.Heading{Text: v.Say("review.title")}}
	if missing > 0 {
		blocks = append(blocks, chat.Paragraph(v.Count("review.missing", missing)))
	} else {
		blocks = append(blocks, chat.Paragraph(v.Say("review.complete")))
	}
	blocks = append(blocks, b.answerBlocks(v, m, resp)...)
	submit := primary(v.Say("button.submit"), chat.NewAction("submit", id))
	if seat.Member.Status == survey.Finished {
		submit.Label = v.Say("button.submit_again")
	}
	blocks = append(blocks, chat.Footnote(v.Say("review.later", "closes", b.closingTime(v, seat.Round))),
		row(append([]chat.Button{submit, button(v.Say("button.list"), chat.NewAction("list", id)), button(v.Say("button.kept"), chat.NewAction("kept", id))}, b.otherLanguage(v, seat, chat.NewAction("review", id))...)...))
	return update(blocks...), nil
}

func (b *Bot) submit(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, resp, err := b.Rounds.Submit(ctx, a.round, person(e.Who))
	var input *survey.InputError
	if errors.As(err, &input) {
		return whisper(chat.Paragraph(b.participantVoice(e, seat).Say("input.answers.empty"))), nil
	}
	return b.show(ctx, e, seat, resp, err, b.receiptCard)
}

// receiptCard thanks somebody who has finished, with their answers.
func (b *Bot) receiptCard(v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response) ([]chat.Reply, error) {
	id := string(seat.Round.ID)
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("receipt.title")},
		chat.Paragraph(v.Say("receipt.thanks", "area", seat.Round.Area)),
		chat.Footnote(v.Count("receipt.answered", resp.Rated(), "of", len(m.Elements()))),
	}
	blocks = append(blocks, b.answerBlocks(v, m, resp)...)
	next := v.Say("receipt.results")
	if !seat.Round.Workshop.At.IsZero() {
		next = v.Say("receipt.workshop", "when", v.Time(seat.Round.Workshop.At.In(seat.Round.Location())), "place", seat.Round.Workshop.Place)
	}
	blocks = append(blocks, chat.Paragraph(next), chat.Footnote(v.Say("review.later", "closes", b.closingTime(v, seat.Round))),
		row(button(v.Say("button.change"), chat.NewAction("list", id)), button(v.Say("button.kept"), chat.NewAction("kept", id))))
	return update(blocks...), nil
}

// showPersonalData shows a person everything the bot keeps about them in this round.
func (b *Bot) showPersonalData(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	seat, resp, err := b.Rounds.PersonalData(ctx, a.round, person(e.Who))
	return b.show(ctx, e, seat, resp, err, b.personalDataCard)
}

func (b *Bot) personalDataCard(v locale.Voice, seat survey.Participation, m *survey.Matrix, resp survey.Response) ([]chat.Reply, error) {
	id, member := string(seat.Round.ID), seat.Member
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
		chat.Heading{Text: v.Say("kept.title", "area", seat.Round.Area)},
		chat.Paragraph(v.Say("kept.pause")),
		chat.Text{Spans: []chat.Span{
			chat.Bold(v.Say("kept.roster")),
			line("kept.role", b.roleName(v, m, member.Role)), line("kept.organisation", member.Organisation), line("kept.scope", scope),
			line("kept.language", b.Words.In(v.Lang).Say("language.name")),
			line("kept.time_zone", member.TimeZone), line("kept.reminders", reminders), line("kept.reminded", last),
			line("kept.notice", v.Say("kept.notice_on", "version", member.Notice, "when", v.Time(member.NoticeAt.In(seat.Round.Location())))),
		}},
		chat.Text{Spans: []chat.Span{
			chat.Bold(v.Say("kept.response")),
			chat.Words("\n" + v.Count("kept.answers", resp.Rated()) + " " + v.Count("kept.details", details)),
		}},
		chat.Footnote(v.Say("kept.until", "until", v.Day(seat.Round.ExpiresAt().In(seat.Round.Location())))),
	}
	buttons := []chat.Button{button(v.Say("button.notice"), chat.NewAction("notice", id))}
	var others []chat.Button
	if seat.Round.AcceptsAnswers(b.Now()) {
		buttons = append([]chat.Button{primary(v.Say("button.continue"), chat.NewAction("go", id))}, buttons...)
		others = b.otherLanguage(v, seat, chat.NewAction("kept", id))
	}
	blocks = append(blocks, row(append(buttons, wish, chat.Button{Label: v.Say("button.erase"), Action: chat.NewAction("erase", id), Style: chat.Danger, Confirm: &chat.Confirm{
		Title: v.Say("erase.title"), Text: v.Say("erase.ask", "area", seat.Round.Area), Yes: v.Say("erase.yes"), No: v.Say("erase.no"),
	}})...))
	if len(others) > 0 {
		blocks = append(blocks, row(others...))
	}
	return update(blocks...), nil
}

func (b *Bot) withdraw(ctx context.Context, e chat.Event, a roundArgs) ([]chat.Reply, error) {
	before, err := b.Rounds.Participation(ctx, a.round, person(e.Who))
	if err != nil {
		return nil, err
	}
	v := b.participantVoice(e, before) // the chosen language is erased with the rest
	seat, err := b.Rounds.Withdraw(ctx, a.round, person(e.Who))
	if err != nil {
		return b.fallbackCard(ctx, e, seat, err)
	}
	return b.withdrawnCard(v, seat), nil
}

// home shows what of a person's is here: their surveys, and the rounds they coordinate.
func (b *Bot) home(ctx context.Context, e chat.Event, a generalArgs) ([]chat.Reply, error) {
	seats, err := b.Rounds.RoundsOf(ctx, person(e.Who))
	if err != nil {
		return nil, err
	}
	v := b.voice(e)
	for _, seat := range seats { // the language chosen last, unless they ask in one
		if seat.Member.Language != "" && a.lang == "" {
			v = b.Words.In(string(seat.Member.Language))
			break
		}
	}
	blocks := []chat.Block{chat.Heading{Text: v.Say("home.title")}}
	shown := 0
	for _, seat := range seats {
		if seat.Member.Status == survey.NotInvited || shown == maxHome {
			continue
		}
		shown++
		line, key := "", "button.continue"
		switch open := seat.Round.AcceptsAnswers(b.Now()); {
		case !open && seat.Round.State == survey.Open && seat.Member.TakesPart():
			line, key = v.Say("over.waiting", "closes", b.closingTime(v, seat.Round)), "button.what_kept"
		case !open:
			line, key = v.Say("home.closed", "closed", b.closedTime(v, seat.Round)), ""
		case seat.Member.Status == survey.Finished:
			line, key = v.Say("home.finished", "closes", b.closingTime(v, seat.Round)), "button.change"
		case seat.Member.Status == survey.Started:
			if line, err = b.progress(ctx, v, seat); err != nil {
				return nil, err
			}
		case seat.Member.Status == survey.Withdrawn:
			line, key = v.Say("withdrawn.body", "area", seat.Round.Area), ""
		default:
			line, key = v.Say("home.invited", "closes", b.closingTime(v, seat.Round)), "button.start"
		}
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(seat.Round.Area), chat.Words("\n" + line)}})
		if key != "" {
			buttons := []chat.Button{primary(v.Say(key), chat.NewAction("resume", string(seat.Round.ID)))}
			if seat.Member.RemindersOff {
				buttons = append(buttons, button(v.Say("button.again"), chat.NewAction("again", string(seat.Round.ID))))
			}
			blocks = append(blocks, row(buttons...))
		}
	}
	coordinated, err := b.coordinatedRounds(ctx, v, e, seats)
	if err != nil {
		return nil, err
	}
	if len(coordinated) > 0 {
		blocks = append(blocks, chat.Divider{})
		blocks = append(blocks, coordinated...)
	}
	if len(blocks) == 1 {
		blocks = append(blocks, chat.Paragraph(v.Say("home.nothing")))
	}
	if e.Kind == chat.Home {
		// What is pressed here shows elsewhere, and the page itself stays as it is.
		switch {
		case shown > 0:
			blocks = slices.Insert(blocks, 1, chat.Block(chat.Footnote(v.Say("home.messages"))))
		case len(coordinated) > 0:
			blocks = slices.Insert(blocks, 1, chat.Block(chat.Footnote(v.Say("home.messages_only"))))
		}
		return update(blocks...), nil
	}
	return whisper(blocks...), nil
}

// progress says how far somebody is who has started.
func (b *Bot) progress(ctx context.Context, v locale.Voice, seat survey.Participation) (string, error) {
	m, err := b.Rounds.Matrix(seat.Round)
	if err != nil {
		return "", err
	}
	_, resp, err := b.Rounds.Response(ctx, seat.Round.ID, seat.Member.Person)
	switch {
	case errors.Is(err, survey.ErrClosed), errors.Is(err, survey.ErrWithdrawn), errors.Is(err, survey.ErrNotTakingPart): // since the seat was read
		return "", nil
	case err != nil:
		return "", err
	}
	return v.Say("home.started", "done", resp.Rated(), "n", len(m.Elements()), "closes", b.closingTime(v, seat.Round)), nil
}

// maxHome is how many surveys, and how many rounds, one card lists: the newest, since a message has room for no
// more (chat.MaxComponents).
const maxHome = 5
