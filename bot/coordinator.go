package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// mayCreate says whether somebody may start a round: who manages the workspace, or is named in the configuration.
func (b *Bot) mayCreate(req *request) bool { return req.Admin || slices.Contains(b.Creators, req.Who) }

// inChannel refuses to start a round in a conversation with one person: its results would reach nobody else.
func (b *Bot) inChannel(req *request) error {
	if req.Private {
		return refuse(card(chat.Paragraph(req.voice.Say("new.in_channel"))))
	}
	return nil
}

// newForm asks for what no round can do without; the rest has usual values, which the draft shows and lets one change. It
// asks the platform only whether the results can be posted in the channel.
func (b *Bot) newForm(ctx context.Context, req *request, _ generalArgs) (chat.Form, error) {
	if err := b.inChannel(req); err != nil {
		return chat.Form{}, err // first: in a conversation with one person, a platform may not tell who manages anything
	}
	if !b.mayCreate(req) {
		return chat.Form{}, errNotAllowed
	}
	v := req.voice
	if why := b.canPost(ctx, req.Where); why != nil {
		return chat.Form{}, refuse(card(cannotPost(v, v.Say("cannot_post.new"), req.Where, why)...))
	}
	r := b.defaultRound()
	r.Area = chat.Trim(req.Value("area"), survey.MaxAreaRunes) // given with the command, where a platform asks for it there
	first := b.Now().In(r.Location()).AddDate(0, 0, 21)
	r.ClosesAt = time.Date(first.Year(), first.Month(), first.Day(), 17, 0, 0, 0, r.Location())
	return b.roundForm(v, chat.NewAction("create", v.Lang), r), nil
}

// defaultRound is a round with everything as it usually is.
func (b *Bot) defaultRound() survey.Round {
	return survey.Round{
		TimeZone: survey.DefaultTimeZone, MinGroup: survey.DefaultMinGroup,
		Consensus: survey.Consensus{Percent: survey.DefaultAgreedPercent},
		Reminders: survey.DefaultReminders(), Posts: survey.DefaultPosts(),
	}
}

// roundField is a field of the forms that make a round.
func roundField(v locale.Voice, id string, optional bool) chat.Label {
	return chat.Label{ID: id, Text: v.Say("new." + id), Hint: v.Say("new." + id + "_hint"), Optional: optional}
}

// roundForm has five fields: Discord takes no more in one form.
func (b *Bot) roundForm(v locale.Voice, action chat.Action, r survey.Round) chat.Form {
	lang := matrix.Lang(v.Lang)
	var editions []chat.Option
	for _, m := range b.Matrices {
		editions = append(editions, chat.Option{Value: m.ID, Label: m.Nation.In(lang)})
	}
	edition := []string{b.Matrices[0].ID}
	if r.Matrix != "" {
		edition = []string{r.Matrix}
	}
	languages := []chat.Option{
		{Value: "en cy", Label: v.Say("new.english_welsh")}, {Value: "cy en", Label: v.Say("new.welsh_english")},
		{Value: "en", Label: v.Say("new.english")}, {Value: "cy", Label: v.Say("new.welsh")},
	}
	var chosen []string
	for _, l := range r.Languages {
		chosen = append(chosen, string(l))
	}
	spoken := []string{"en cy"}
	if len(chosen) > 0 {
		spoken = []string{strings.Join(chosen, " ")}
	}
	closes := r.ClosesAt.In(r.Location())
	return chat.Form{
		Title: v.Say("new.title"), Intro: v.Say("new.intro"), Submit: v.Say("button.continue"), Cancel: v.Say("button.cancel"), Action: action,
		Fields: []chat.Field{
			chat.Input{Label: roundField(v, "area", false), Value: r.Area, Max: survey.MaxAreaRunes},
			chat.Select{Label: roundField(v, "matrix", false), Options: editions, Chosen: edition},
			chat.Select{Label: roundField(v, "languages", false), Options: languages, Chosen: spoken},
			chat.Date{Label: roundField(v, "closes", false), Value: closes.Format(time.DateOnly)},
			chat.TimeOfDay{Label: roundField(v, "closes_time", false), Value: closes.Format("15:04")},
		},
	}
}

// readRoundForm fills in what a coordinator wrote; an *survey.InputError names the first field that cannot be read.
func (b *Bot) readRoundForm(req *request, r *survey.Round) (closes moment, err error) {
	r.Area, r.Matrix, r.Languages = req.Value("area"), req.Value("matrix"), nil
	i := slices.IndexFunc(b.Matrices, func(m *matrix.Matrix) bool { return m.ID == r.Matrix })
	if i < 0 {
		return moment{}, &survey.InputError{Field: "matrix", Reason: "unknown"}
	}
	for l := range strings.FieldsSeq(req.Value("languages")) {
		if b.Matrices[i].Has(matrix.Lang(l)) {
			r.Languages = append(r.Languages, matrix.Lang(l))
		}
	}
	if len(r.Languages) == 0 {
		// A matrix written in other languages than those offered is asked in its own.
		r.Languages = b.Matrices[i].Languages
	}
	closes, err = readTime(req.Event, "closes", "17:00", r.Location())
	r.ClosesAt = closes.Time
	return closes, err
}

// rulesForm asks for what is usually left as it is, and stands once the survey is open.
func (b *Bot) rulesForm(ctx context.Context, req *request, args coordinatorArgs) (chat.Form, error) {
	r, err := b.Rounds.Round(ctx, args.round, req.person)
	switch {
	case err != nil:
		return chat.Form{}, err
	case r.State != survey.Draft:
		return chat.Form{}, survey.ErrOpened
	}
	v, far := req.voice, "no"
	if r.Consensus.AllowFarMinority {
		far = "yes"
	}
	return chat.Form{
		Title: v.Say("new.rules"), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"), Action: chat.NewAction("saverules", string(r.ID), v.Lang),
		Fields: []chat.Field{
			chat.Input{Label: roundField(v, "min_group", false), Value: strconv.Itoa(r.MinGroup), Max: 3},
			chat.Input{Label: roundField(v, "agreed", false), Value: strconv.Itoa(r.Consensus.Percent), Max: 4},
			chat.Select{Label: roundField(v, "far", false), Options: []chat.Option{{Value: "no", Label: v.Say("new.far_no")}, {Value: "yes", Label: v.Say("new.far_yes")}}, Chosen: []string{far}},
			chat.Input{Label: roundField(v, "time_zone", false), Value: r.TimeZone, Max: 40},
		},
	}, nil
}

func (b *Bot) saveRules(ctx context.Context, req *request, args coordinatorArgs) (chat.Card, error) {
	r, err := b.Rounds.Redraft(ctx, args.round, req.person, func(r *survey.Round) error {
		number := func(field string, n *int) error {
			var err error
			if *n, err = strconv.Atoi(strings.TrimSuffix(strings.ReplaceAll(req.Value(field), " ", ""), "%")); err != nil {
				return &survey.InputError{Field: field, Reason: "number"}
			}
			return nil
		}
		zone, err := time.LoadLocation(req.Value("time_zone"))
		if err != nil || req.Value("time_zone") == "" {
			return &survey.InputError{Field: "time_zone", Reason: "unknown"}
		}
		// What was said in hours of the old zone is meant in hours of the new one.
		here := func(t time.Time) time.Time {
			if t.IsZero() {
				return t
			}
			t = t.In(r.Location())
			return clockTime(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), zone).Time
		}
		r.ClosesAt, r.Workshop.At, r.TimeZone = here(r.ClosesAt), here(r.Workshop.At), req.Value("time_zone")
		r.Consensus.AllowFarMinority = req.Value("far") == "yes"
		return errors.Join(number("min_group", &r.MinGroup), number("agreed", &r.Consensus.Percent))
	})
	if err != nil {
		return chat.Card{}, err
	}
	return b.draftCard(req.voice, r), nil
}

func (b *Bot) createRound(ctx context.Context, req *request, _ generalArgs) (chat.Card, error) {
	if err := b.inChannel(req); err != nil {
		return chat.Card{}, err // first: in a conversation with one person, a platform may not tell who manages anything
	}
	if !b.mayCreate(req) {
		return chat.Card{}, errNotAllowed
	}
	if why := b.canPost(ctx, req.Where); why != nil {
		v := req.voice
		return chat.Card{}, fieldErrors{"area": v.Say("cannot_post.new") + " " + reason(v, why)}
	}
	r := b.defaultRound()
	closes, err := b.readRoundForm(req, &r)
	if err != nil {
		return chat.Card{}, err
	}
	r.ID, r.Channel, r.Coordinators = newRoundID(req.ID), req.Where.String(), []survey.PersonID{req.person}
	r, err = b.Rounds.Create(ctx, r)
	if err != nil {
		return chat.Card{}, err
	}
	return b.draftCard(req.voice, r, closes.remark(req.voice)...), nil
}

// draftCard shows what was proposed, to be opened or changed, with remarks on what was just written.
func (b *Bot) draftCard(v locale.Voice, r survey.Round, remarks ...chat.Block) chat.Card {
	id := string(r.ID)
	blocks := append([]chat.Block{
		chat.Heading{Text: v.Say("draft.title", "area", r.Area)},
		chat.Text{Spans: []chat.Span{chat.Words(b.roundFacts(v, r))}},
	}, remarks...)
	return card(append(blocks,
		chat.Footnote(v.Say("draft.fixed")),
		row(primary(v.Say("button.open"), chat.NewAction("open", id, v.Lang)), button(v.Say("button.redraft"), chat.NewAction("redraft", id, v.Lang)),
			button(v.Say("button.workshop"), chat.NewAction("workshop", id, v.Lang)), button(v.Say("button.reminders"), chat.NewAction("reminders", id, v.Lang)),
			button(v.Say("button.rules"), chat.NewAction("rules", id, v.Lang))),
	)...)
}

// roundFacts is what a round was set up with, a line each.
func (b *Bot) roundFacts(v locale.Voice, r survey.Round) string {
	edition := r.Matrix
	if m, err := b.Rounds.Matrix(r); err == nil {
		edition = m.Nation.In(matrix.Lang(v.Lang))
	}
	names := make([]string, len(r.Languages))
	for i, l := range r.Languages {
		names[i] = b.languageName(l)
	}
	lines := []string{
		v.Say("facts.edition", "edition", edition, "languages", strings.Join(names, ", ")),
		v.Say("facts.closes", "closes", b.closingTime(v, r), "zone", r.TimeZone),
		v.Say("facts.workshop", "workshop", b.workshopTime(v, r)),
		v.Say("facts.min_group", "min", r.MinGroup),
		b.consensusRule(v, r),
		b.planFacts(v, r.Reminders),
	}
	return strings.Join(lines, "\n")
}

// languageName is what a language calls itself; a language of a matrix that the bot does not speak stays a code.
func (b *Bot) languageName(l matrix.Lang) string {
	if l != matrix.English && l != matrix.Welsh {
		return string(l)
	}
	return b.Words.In(string(l)).Say("language.name")
}

func (b *Bot) consensusRule(v locale.Voice, r survey.Round) string {
	key := "facts.consensus"
	if r.Consensus.AllowFarMinority {
		key = "facts.consensus_far"
	}
	return v.Say(key, "percent", r.Consensus.Percent, "far", survey.FarMinorityPercent)
}

func (b *Bot) redraftForm(ctx context.Context, req *request, args coordinatorArgs) (chat.Form, error) {
	r, err := b.Rounds.Round(ctx, args.round, req.person)
	if err != nil {
		return chat.Form{}, err
	}
	v := req.voice
	if r.State != survey.Draft {
		return chat.Form{}, refuse(card(chat.Paragraph(v.Say("draft.opened"))))
	}
	return b.roundForm(v, chat.NewAction("saveround", string(args.round), v.Lang), r), nil
}

func (b *Bot) saveRound(ctx context.Context, req *request, args coordinatorArgs) (chat.Card, error) {
	var closes moment
	r, err := b.Rounds.Redraft(ctx, args.round, req.person, func(r *survey.Round) (err error) {
		closes, err = b.readRoundForm(req, r)
		return err
	})
	if err != nil {
		return chat.Card{}, err
	}
	return b.draftCard(req.voice, r, closes.remark(req.voice)...), nil
}

func (b *Bot) openRound(ctx context.Context, req *request, args coordinatorArgs) ([]chat.Reply, error) {
	r, err := b.Rounds.Round(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	if to, why := b.canPostFor(ctx, r); why != nil && r.State == survey.Draft {
		return whispered(cannotPost(req.voice, req.voice.Say("cannot_post.open"), to, why)...), nil
	}
	r, opened, err := b.Rounds.Open(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	v, id := req.voice, string(r.ID)
	replies := updated(
		chat.Heading{Text: v.Say("opened.title", "area", r.Area)},
		chat.Paragraph(b.roundFacts(v, r)),
		chat.Paragraph(v.Say("opened.next")),
		row(primary(v.Say("button.invite"), chat.NewAction("invite", id, v.Lang)), button(v.Say("button.status"), chat.NewAction("status", id, v.Lang)), button(v.Say("button.team"), chat.NewAction("team", id, v.Lang))),
	)
	if opened && r.Posts.Enabled(survey.Opened) {
		replies = append(replies, b.toChannel(r, func(v locale.Voice) []chat.Block {
			return append(append([]chat.Block{
				chat.Heading{Text: v.Say("opened.title", "area", r.Area)},
				chat.Paragraph(v.Say("opened.posted", "closes", b.closingTime(v, r))),
			}, b.fingerprintLine(ctx, v, r)...),
				row(button(v.Say("button.invite"), chat.NewAction("invite", id, v.Lang)), button(v.Say("button.status"), chat.NewAction("status", id, v.Lang))))
		})...)
	}
	return replies, nil
}

// toChannel posts to the round's channel, in its language.
func (b *Bot) toChannel(r survey.Round, blocks func(locale.Voice) []chat.Block) []chat.Reply {
	to, err := chat.ParsePlace(r.Channel)
	if err != nil {
		b.Log.Error("round has no channel", "round", r.ID, "error", err)
		return nil
	}
	v := b.Words.In(string(r.Languages[0]))
	return []chat.Reply{chat.Post{To: to, Card: chat.Card{Blocks: blocks(v)}, Then: b.onlyOnFailure(v, to)}}
}

// target finds the round a coordinator means: the one pressed on; else the one named; else the only one of this
// channel, or of all theirs, that wanted says is fit. With several it asks which.
func (b *Bot) target(ctx context.Context, req *request, args targetArgs, wanted func(survey.Round) bool) (survey.Round, error) {
	me := req.person
	if args.round != "" {
		return b.Rounds.Round(ctx, args.round, me)
	}
	rounds, err := b.Rounds.RoundsIn(ctx, req.Where.String(), me)
	if err != nil {
		return survey.Round{}, err
	}
	fit := filter(rounds, wanted)
	if len(fit) == 0 || args.words != "" {
		parts, err := b.Rounds.RoundsOf(ctx, me)
		if err != nil {
			return survey.Round{}, err
		}
		rounds = nil
		for _, s := range parts {
			if slices.Contains(s.Round.Coordinators, me) {
				rounds = append(rounds, s.Round)
			}
		}
		fit = filter(rounds, wanted)
	}
	v := req.voice
	if args.words != "" {
		// A round that was named is that round or none: another one must never be steered in its place.
		var near []survey.Round
		fit, near = namedRounds(fit, args.words)
		if len(fit) == 0 && len(near) > 0 {
			return survey.Round{}, refuse(b.whichRound(v, req.Action.Verb, near))
		}
		if len(fit) == 0 && len(rounds) > 0 {
			return survey.Round{}, refuse(card(chat.Paragraph(v.Say("choose.unnamed", "name", chat.Trim(args.words, 60)))))
		}
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return survey.Round{}, refuse(b.whichRound(v, req.Action.Verb, fit))
	case len(rounds) > 0:
		return survey.Round{}, refuse(card(chat.Paragraph(v.Say("choose.unfit"))))
	}
	b.Log.Warn("refused", "reason", "coordinates no round", "verb", req.Action.Verb, "person", b.personHash(req.Who))
	return survey.Round{}, refuse(card(chat.Paragraph(v.Say("choose.none"))))
}

// roundChoice offers one of several rounds. Its button begins with the date, which tells two rounds of one
// area apart where a platform cuts what is long.
func (b *Bot) roundChoice(v locale.Voice, r survey.Round, action chat.Action) chat.Choice {
	closes := r.ClosesAt.In(r.Location())
	text := b.roundStatus(v, r)
	if r.State == survey.Draft {
		text = v.Say("draft.waiting")
	}
	label := v.Say("choose.button", "area", r.Area, "closes", v.ShortDay(closes))
	spoken := v.Say("choose.round", "area", r.Area, "closes", v.Day(closes))
	return chat.Choice{Title: r.Area, Text: text, Button: chat.Button{
		Label: chat.Trim(label, chat.MaxLabel), Spoken: chat.Trim(spoken, chat.MaxSpoken), Action: action,
	}}
}

// whichRound asks which of several rounds a coordinator means.
func (b *Bot) whichRound(v locale.Voice, verb string, rounds []survey.Round) chat.Card {
	blocks := []chat.Block{chat.Paragraph(v.Say("choose.which"))}
	for _, r := range rounds[:min(len(rounds), maxHome)] {
		blocks = append(blocks, b.roundChoice(v, r, chat.NewAction(verb, string(r.ID), v.Lang)))
	}
	return card(blocks...)
}

// namedRounds returns the rounds that words name: their area, also in quotes, or their id. Without any it
// returns those whose name differs in accents only, which a coordinator is asked about: in Welsh, an
// accent can tell two names apart.
func namedRounds(rounds []survey.Round, words string) (exact, near []survey.Round) {
	exact = filter(rounds, func(r survey.Round) bool {
		return plaintext.Same(r.Area, words) || plaintext.Same(string(r.ID), words)
	})
	bare := plaintext.TrimMarks(words)
	if len(exact) == 0 && bare != "" {
		exact = filter(rounds, func(r survey.Round) bool { return plaintext.Same(plaintext.TrimMarks(r.Area), bare) })
	}
	if len(exact) == 0 && bare != "" {
		near = filter(rounds, func(r survey.Round) bool {
			return plaintext.Unaccented(plaintext.TrimMarks(r.Area)) == plaintext.Unaccented(bare)
		})
	}
	return exact, near
}

func filter(rounds []survey.Round, wanted func(survey.Round) bool) []survey.Round {
	var fit []survey.Round
	for _, r := range rounds {
		if wanted(r) {
			fit = append(fit, r)
		}
	}
	return fit
}

func isOpen(r survey.Round) bool   { return r.State == survey.Open }
func isClosed(r survey.Round) bool { return r.State == survey.Closed }
func isAny(survey.Round) bool      { return true }

func (b *Bot) inviteForm(ctx context.Context, req *request, args targetArgs) (chat.Form, error) {
	r, err := b.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Form{}, err
	}
	if !r.AcceptsAnswers(b.Now()) {
		return chat.Form{}, closedOr(r)
	}
	m, err := b.Rounds.Matrix(r)
	if err != nil {
		return chat.Form{}, err
	}
	v := b.roundVoice(req, r)
	label := func(id string) chat.Label {
		return chat.Label{ID: id, Text: v.Say("invite." + id), Hint: v.Say("invite." + id + "_hint"), Optional: true}
	}
	var roles []chat.Option
	var chosen []string
	for _, role := range m.Roles() {
		if len(roles) < chat.MaxMenu {
			roles = append(roles, chat.Option{Value: role.ID, Label: role.Name.In(matrix.Lang(v.Lang))})
			if role.ID == req.Value("role") { // given with the command
				chosen = []string{role.ID}
			}
		}
	}
	return chat.Form{
		Title: v.Say("invite.title"), Intro: v.Say("invite.intro", "area", r.Area), Submit: v.Say("button.invite"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("sendinvite", string(r.ID), v.Lang),
		Fields: []chat.Field{
			chat.People{Label: label("people")},
			chat.Select{Label: label("role"), Options: roles, Chosen: chosen},
			chat.Channel{Label: label("channel")},
			chat.Input{Label: label("list"), Max: chat.MaxFieldText, Lines: true},
		},
	}, nil
}

func closedOr(r survey.Round) error {
	if r.State == survey.Draft {
		return survey.ErrNotOpen
	}
	return survey.ErrClosed
}

func (b *Bot) sendInvitations(ctx context.Context, req *request, args coordinatorArgs) (chat.Card, error) {
	r, err := b.Rounds.Round(ctx, args.round, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	m, err := b.Rounds.Matrix(r)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	role := req.Value("role")
	var people []survey.Member
	chosen := map[survey.PersonID]bool{}
	add := func(p chat.Person, role string) {
		if id := person(p); !chosen[id] {
			chosen[id] = true
			people = append(people, survey.Member{Person: id, Role: role})
		}
	}
	refused := map[string]string{}
	listed, faults := b.readList(ctx, req.Where, v, m, req.Value("list"), role)
	if len(faults) > 0 {
		refused["list"] = v.Say("invite.mend") + "\n" + strings.Join(faults[:min(len(faults), maxFaults)], "\n")
		if more := len(faults) - maxFaults; more > 0 {
			refused["list"] += "\n" + v.Count("status.more", more)
		}
	}
	for _, l := range listed {
		add(l.person, l.role)
	}
	for _, id := range req.Values["people"] {
		p, err := chat.ParsePerson(id)
		if err != nil {
			refused["people"] = v.Say("invite.unknown", "name", id)
			continue
		}
		add(p, role)
	}
	if c := req.Value("channel"); c != "" {
		members, err := b.members(ctx, c)
		if err != nil {
			b.Log.Warn("channel cannot be read", "round", r.ID, "error", err)
			refused["channel"] = v.Say("invite.no_channel")
		}
		for _, p := range members {
			add(p, role)
		}
	}
	if len(refused) == 0 && len(people) == 0 {
		refused["people"] = v.Say("invite.nobody")
	}
	if len(refused) > 0 {
		return chat.Card{}, fieldErrors(refused)
	}
	r, added, err := b.Rounds.Invite(ctx, args.round, req.person, people)
	if err != nil && len(added) == 0 {
		return chat.Card{}, err
	}
	said := v.Say("invite.nobody_new")
	if len(added) > 0 {
		said = v.Count("invite.sent", len(added))
	}
	if rest := len(people) - len(added); err != nil {
		b.Log.Error("invited in part", "round", r.ID, "added", len(added), "of", len(people), "error", err)
		said += " " + v.Say("invite.part")
	} else if rest > 0 {
		said += " " + v.Count("invite.already", rest)
	}
	return card(chat.Paragraph(said), row(button(v.Say("button.invite_more"), chat.NewAction("invite", string(r.ID), v.Lang)), button(v.Say("button.status"), chat.NewAction("status", string(r.ID), v.Lang)))), nil
}

// maxFaults is how many lines of a list are named at once.
const maxFaults = 10

func (b *Bot) members(ctx context.Context, channel string) ([]chat.Person, error) {
	place, err := chat.ParsePlace(channel)
	if err != nil {
		return nil, err
	}
	return b.Directory.Members(ctx, place)
}

// postJoinButton posts a button to the place where it is asked for; who presses it takes part.
func (b *Bot) postJoinButton(ctx context.Context, req *request, args targetArgs) ([]chat.Reply, error) {
	if req.Private {
		return whispered(chat.Paragraph(req.voice.Say("join.in_channel"))), nil
	}
	r, err := b.target(ctx, req, args, isOpen)
	if err != nil {
		return nil, err
	}
	if !ofRound(req.Event, r) {
		key := communityKey(req, "join.elsewhere_workspace", "join.elsewhere_server")
		return whispered(chat.Paragraph(b.roundVoice(req, r).Say(key))), nil
	}
	r, err = b.Rounds.AllowSelfJoin(ctx, r.ID, req.person)
	if err != nil {
		return nil, err
	}
	m, err := b.Rounds.Matrix(r)
	if err != nil {
		return nil, err
	}
	card := b.inLanguages(r.Languages, func(v locale.Voice, lang string) []chat.Block {
		return append(b.invitationText(v, r, m), row(joinButton(v, r, lang)))
	})
	v := b.roundVoice(req, r)
	return append([]chat.Reply{chat.Post{To: req.Where, Card: card, Then: b.onlyOnFailure(v, req.Where)}},
		whispered(chat.Paragraph(v.Say("join.posted")))...), nil
}

// joinButton lets in the person who presses it, and leads on in its language.
func joinButton(v locale.Voice, r survey.Round, lang string) chat.Button {
	return primary(v.Say("button.join"), chat.NewAction("join", string(r.ID), lang))
}

// maxNamed is how many people a status names; the rest are counted, so that a large round fits a message.
const maxNamed = 25

func (b *Bot) status(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := b.target(ctx, req, args, isAny)
	if err != nil {
		return chat.Card{}, err
	}
	v, id := b.roundVoice(req, r), string(r.ID)
	if r.State == survey.Draft {
		return b.draftCard(v, r), nil
	}
	s, err := b.Rounds.Progress(ctx, r.ID, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	m, err := b.Rounds.Matrix(r)
	if err != nil {
		return chat.Card{}, err
	}
	blocks := []chat.Block{
		chat.Heading{Text: v.Say("status.title", "area", r.Area)},
		chat.Footnote(b.roundStatus(v, r)),
		chat.Paragraph(b.responseRates(v, s)),
	}
	blocks = append(blocks, b.missingRoles(v, m, s)...)
	people := func(key string, all []survey.PersonID) {
		if len(all) == 0 {
			return
		}
		spans := []chat.Span{chat.Bold(v.Count(key, len(all))), chat.Words(" ")}
		for i, p := range all[:min(len(all), maxNamed)] {
			if i > 0 {
				spans = append(spans, chat.Words(", "))
			}
			spans = append(spans, mention(p))
		}
		if more := len(all) - maxNamed; more > 0 {
			spans = append(spans, chat.Words(" "+v.Count("status.more", more)))
		}
		blocks = append(blocks, chat.Text{Spans: spans})
	}
	people("status.waiting", s.Waiting)
	people("status.done", s.Done)
	people("status.lost", s.Lost)
	if r.State == survey.Open {
		var buttons []chat.Button
		if r.AcceptsAnswers(b.Now()) {
			buttons = append(buttons, b.remindButton(v, id), button(v.Say("button.invite"), chat.NewAction("invite", id, v.Lang)))
		}
		blocks = append(blocks, chat.Footnote(v.Say("status.no_totals")), row(append(buttons,
			button(v.Say("button.reminders"), chat.NewAction("reminders", id, v.Lang)),
			button(v.Say("button.extend"), chat.NewAction("extend", id, v.Lang)), button(v.Say("button.workshop"), chat.NewAction("workshop", id, v.Lang)),
			button(v.Say("button.team"), chat.NewAction("team", id, v.Lang)), button(v.Say("button.close"), chat.NewAction("close", id, v.Lang)),
			button(v.Say("button.record"), chat.NewAction("record", id, v.Lang)),
		)...))
	} else {
		blocks = append(blocks, row(button(v.Say("button.results"), chat.NewAction("results", id, v.Lang)), button(v.Say("button.export"), chat.NewAction("export", id, v.Lang)),
			button(v.Say("button.workshop"), chat.NewAction("workshop", id, v.Lang)), button(v.Say("button.record"), chat.NewAction("record", id, v.Lang))))
	}
	return card(blocks...), nil
}

// roundStatus is where the round stands, in a line.
func (b *Bot) roundStatus(v locale.Voice, r survey.Round) string {
	switch {
	case r.State == survey.Closed:
		return v.Say("status.closed", "closed", b.closedTime(v, r))
	case !r.AcceptsAnswers(b.Now()):
		return v.Say("status.late", "closes", b.closingTime(v, r))
	}
	return v.Say("status.open", "closes", b.closingTime(v, r))
}

// responseRates is the response rate: the only totals there are while a survey is open.
func (b *Bot) responseRates(v locale.Voice, s survey.Progress) string {
	lines := []string{
		v.Count("status.invited", s.Invited),
		v.Count("status.finished", s.Finished, "percent", percent(s.Finished, s.Invited)),
		v.Count("status.started", s.Started),
	}
	for _, c := range []struct {
		key string
		n   int
	}{{"status.left", s.Declined + s.Withdrawn}, {"status.unreachable", len(s.Lost)}} {
		if c.n > 0 {
			lines = append(lines, v.Count(c.key, c.n))
		}
	}
	return strings.Join(lines, "\n")
}

func percent(n, of int) int {
	if of == 0 {
		return 0
	}
	return (n*200 + of) / (2 * of)
}

// missingRoles names the roles of the edition that nobody was invited for, and those where nobody has finished.
func (b *Bot) missingRoles(v locale.Voice, m *matrix.Matrix, s survey.Progress) []chat.Block {
	var nobody, unfinished []string
	for _, c := range s.Roles {
		switch name := b.roleName(v, m, c.Role); {
		case c.Invited == 0:
			nobody = append(nobody, name)
		case c.Finished == 0:
			unfinished = append(unfinished, name)
		}
	}
	var blocks []chat.Block
	if len(nobody) > 0 {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say("status.nobody_invited")), chat.Words(" " + strings.Join(nobody, " · "))}})
	}
	if len(unfinished) > 0 {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say("status.nobody_finished")), chat.Words(" " + strings.Join(unfinished, " · "))}})
	}
	if n := s.Unstated.Invited; n > 0 {
		blocks = append(blocks, chat.Paragraph(v.Count("status.unstated", n)))
	}
	if len(blocks) == 0 {
		blocks = append(blocks, chat.Paragraph(v.Say("status.all_roles")))
	}
	return blocks
}

func (b *Bot) remind(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := b.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Card{}, err
	}
	at, ok := b.Schedule.SendWindow(r, survey.Member{}, survey.Nudge, b.Now())
	if !ok && r.AcceptsAnswers(b.Now()) {
		return card(chat.Paragraph(b.roundVoice(req, r).Say("remind.too_late", "closes", b.closingTime(b.roundVoice(req, r), r)))), nil
	}
	r, due, err := b.Rounds.Remind(ctx, r.ID, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	if due == 0 {
		return card(chat.Paragraph(b.roundVoice(req, r).Say("remind.nobody"))), nil
	}
	v := b.roundVoice(req, r)
	said := v.Count("remind.sent", due)
	if at.After(b.Now()) {
		said = v.Count("remind.waits", due, "when", v.Time(at.In(r.Location())))
	}
	return card(chat.Paragraph(said)), nil
}

func (b *Bot) extendForm(ctx context.Context, req *request, args targetArgs) (chat.Form, error) {
	r, err := b.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Form{}, err
	}
	if r.State != survey.Open {
		return chat.Form{}, closedOr(r)
	}
	v := b.roundVoice(req, r)
	at := r.ClosesAt.In(r.Location())
	return chat.Form{
		Title: v.Say("extend.title"), Intro: v.Say("extend.intro", "area", r.Area, "closes", b.closingTime(v, r)), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("saveextend", string(r.ID), v.Lang),
		Fields: []chat.Field{
			chat.Date{Label: chat.Label{ID: "closes", Text: v.Say("new.closes"), Hint: v.Say("extend.hint")}, Value: at.AddDate(0, 0, 7).Format(time.DateOnly)},
			chat.TimeOfDay{Label: chat.Label{ID: "closes_time", Text: v.Say("new.closes_time")}, Value: at.Format("15:04")},
		},
	}, nil
}

func (b *Bot) saveExtension(ctx context.Context, req *request, args coordinatorArgs) ([]chat.Reply, error) {
	r, err := b.Rounds.Round(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	closes, err := readTime(req.Event, "closes", r.ClosesAt.In(r.Location()).Format("15:04"), r.Location())
	if err != nil {
		return nil, err
	}
	r, extended, err := b.Rounds.Extend(ctx, args.round, req.person, closes.Time)
	if err != nil {
		return nil, err
	}
	v := req.voice
	said := append([]chat.Block{chat.Paragraph(v.Say("extend.done", "closes", b.closingTime(v, r)))}, closes.remark(v)...)
	if at := r.Workshop.At; !at.IsZero() && at.Before(r.ClosesAt) {
		said = append(said, chat.Paragraph(v.Say("workshop.before", "workshop", v.Time(at.In(r.Location())))))
	}
	replies := whispered(append(said, row(button(v.Say("button.status"), chat.NewAction("status", string(r.ID), v.Lang))))...)
	if extended {
		replies = append(replies, b.toChannel(r, func(v locale.Voice) []chat.Block {
			return []chat.Block{chat.Heading{Text: r.Area}, chat.Paragraph(v.Say("extend.posted", "closes", b.closingTime(v, r)))}
		})...)
	}
	return replies, nil
}

func (b *Bot) workshopForm(ctx context.Context, req *request, args targetArgs) (chat.Form, error) {
	r, err := b.target(ctx, req, args, func(r survey.Round) bool {
		return r.State != survey.Closed || r.Workshop.At.IsZero() || b.Now().Before(r.Workshop.At)
	})
	if err != nil {
		return chat.Form{}, err
	}
	v := b.roundVoice(req, r)
	day, clock := "", ""
	if at := r.Workshop.At.In(r.Location()); !r.Workshop.At.IsZero() {
		day, clock = at.Format(time.DateOnly), at.Format("15:04")
	}
	label := func(id string) chat.Label {
		return chat.Label{ID: id, Text: v.Say("new." + id), Hint: v.Say("new." + id + "_hint"), Optional: true}
	}
	return chat.Form{
		Title: v.Say("workshop.title"), Intro: v.Say("workshop.intro", "area", r.Area), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("saveplace", string(r.ID), v.Lang),
		Fields: []chat.Field{
			chat.Date{Label: label("workshop"), Value: day}, chat.TimeOfDay{Label: label("workshop_time"), Value: clock},
			chat.Input{Label: label("place"), Value: r.Workshop.Place, Max: survey.MaxPlaceRunes},
		},
	}, nil
}

func (b *Bot) saveWorkshop(ctx context.Context, req *request, args coordinatorArgs) ([]chat.Reply, error) {
	r, err := b.Rounds.Round(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	w, at, err := readWorkshop(req.Event, r.Location())
	if err != nil {
		return nil, err
	}
	was := r.Workshop
	r, err = b.Rounds.SetWorkshop(ctx, args.round, req.person, w)
	if err != nil {
		return nil, err
	}
	v := req.voice
	if r.State == survey.Draft {
		return []chat.Reply{chat.Update{Card: b.draftCard(v, r, at.remark(v)...)}}, nil
	}
	said := append([]chat.Block{chat.Paragraph(v.Say("workshop.done", "workshop", b.workshopTime(v, r)))}, at.remark(v)...)
	if !r.Workshop.At.Equal(was.At) || r.Workshop.Place != was.Place {
		said = append(said, chat.Paragraph(b.nextWorkshopReminder(v, r)))
	}
	return whispered(said...), nil
}

// nextWorkshopReminder is when people next hear of the workshop: whoever moves it must know whom they still have to tell.
func (b *Bot) nextWorkshopReminder(v locale.Voice, r survey.Round) string {
	for _, m := range b.Schedule.Reminders(r, nil, b.Now()) {
		if m.Kind.Base() == survey.WorkshopSoon {
			return v.Say("workshop.heard", "when", v.Time(m.At.In(r.Location())))
		}
	}
	return v.Say("workshop.unheard")
}

// readWorkshop reads the workshop's fields of a form; without a day it has no time.
func readWorkshop(e chat.Event, loc *time.Location) (w survey.Workshop, at moment, err error) {
	w.Place = e.Value("place")
	if e.Value("workshop") != "" {
		at, err = readTime(e, "workshop", "10:00", loc)
		w.At = at.Time
	}
	return w, at, err
}

// workshopTime is when and where it is, in words.
func (b *Bot) workshopTime(v locale.Voice, r survey.Round) string {
	if r.Workshop.At.IsZero() {
		return v.Say("facts.no_workshop")
	}
	when := v.Time(r.Workshop.At.In(r.Location()))
	if r.Workshop.Place != "" {
		when += ", " + r.Workshop.Place
	}
	return when
}

func (b *Bot) teamForm(ctx context.Context, req *request, args targetArgs) (chat.Form, error) {
	r, err := b.target(ctx, req, args, func(r survey.Round) bool { return r.State != survey.Closed })
	if err != nil {
		_, refused := errors.AsType[*refusal](err)
		if !refused || !b.mayCreate(req) {
			return chat.Form{}, err
		}
		offered, offerErr := b.offerTeam(ctx, req, args)
		switch {
		case offerErr != nil:
			return chat.Form{}, offerErr
		case len(offered.Blocks) == 0:
			return chat.Form{}, err
		}
		return chat.Form{}, refuse(offered)
	}
	v := b.roundVoice(req, r)
	return chat.Form{
		Title: v.Say("team.title"), Intro: v.Say("team.intro", "area", r.Area), Submit: v.Say("button.save"), Cancel: v.Say("button.cancel"),
		Action: chat.NewAction("saveteam", string(r.ID), v.Lang),
		Fields: []chat.Field{chat.People{Label: chat.Label{ID: "people", Text: v.Say("team.people"), Hint: v.Say("team.hint")}}},
	}, nil
}

// offerTeam offers a person who may start rounds to become a coordinator of the rounds that they named, or that are of this channel.
// The card is empty where there are none.
func (b *Bot) offerTeam(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	var found []survey.Round
	err := b.Rounds.All(ctx, func(r survey.Round) error {
		named := plaintext.Same(r.Area, args.words) || string(r.ID) == strings.ToLower(args.words)
		if args.words == "" {
			named = r.Channel == req.Where.String()
		}
		known := slices.ContainsFunc(found, func(f survey.Round) bool { return f.ID == r.ID }) // the scan may meet one twice
		if named && !known && ofRound(req.Event, r) && !slices.Contains(r.Coordinators, req.person) {
			found = append(found, r)
		}
		return nil
	})
	if err != nil {
		return chat.Card{}, err
	}
	if len(found) == 0 {
		return chat.Card{}, nil
	}
	slices.SortFunc(found, func(a, b survey.Round) int { return b.ClosesAt.Compare(a.ClosesAt) }) // the newest first
	v := req.voice
	var blocks []chat.Block
	for _, r := range found[:min(len(found), maxHome)] {
		blocks = append(blocks, chat.Heading{Text: r.Area}, chat.Footnote(b.roundStatus(v, r)), chat.Paragraph(v.Say("team.offer")),
			row(chat.Button{Label: v.Say("button.take_on"), Action: chat.NewAction("takeon", string(r.ID), v.Lang), Confirm: &chat.Confirm{
				Title: v.Say("team.offer_title"), Text: v.Say("team.offer_confirm"), Yes: v.Say("button.take_on"), No: v.Say("close.no"),
			}}))
	}
	return card(blocks...), nil
}

// takeOn makes a person who may start rounds a coordinator of a round of their workspace.
func (b *Bot) takeOn(ctx context.Context, req *request, args coordinatorArgs) (chat.Card, error) {
	part, err := b.Rounds.Participation(ctx, args.round, "")
	if err != nil {
		return chat.Card{}, err
	}
	if !b.mayCreate(req) || !ofRound(req.Event, part.Round) {
		return chat.Card{}, errNotAllowed
	}
	r, _, err := b.Rounds.AddCoordinator(ctx, args.round, req.person, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	return card(chat.Heading{Text: r.Area}, chat.Paragraph(v.Say("team.joined")),
		row(button(v.Say("button.status"), chat.NewAction("status", string(r.ID), v.Lang)))), nil
}

func (b *Bot) saveTeam(ctx context.Context, req *request, args coordinatorArgs) (chat.Card, error) {
	v := req.voice
	var people []survey.PersonID
	for _, id := range req.Values["people"] {
		p, err := chat.ParsePerson(id)
		if err != nil {
			return chat.Card{}, fieldErrors{"people": v.Say("invite.unknown", "name", id)}
		}
		people = append(people, person(p))
	}
	r, err := b.Rounds.AddCoordinators(ctx, args.round, req.person, people)
	if err != nil {
		return chat.Card{}, err
	}
	spans := []chat.Span{chat.Words(v.Say("team.done", "area", r.Area) + " ")}
	for i, c := range r.Coordinators {
		if i > 0 {
			spans = append(spans, chat.Words(", "))
		}
		spans = append(spans, mention(c))
	}
	return card(chat.Text{Spans: spans}), nil
}

// askToClose says what closing means before it can be done.
func (b *Bot) askToClose(ctx context.Context, req *request, args targetArgs) (chat.Card, error) {
	r, err := b.target(ctx, req, args, isOpen)
	if err != nil {
		return chat.Card{}, err
	}
	v := b.roundVoice(req, r)
	if r.State != survey.Open {
		return card(chat.Paragraph(v.Say("close.already"))), nil
	}
	to, why := b.canPostFor(ctx, r)
	blocks, err := b.closeBlocks(ctx, req, v, r, to, why)
	if err != nil {
		return chat.Card{}, err
	}
	return card(blocks...), nil
}

// closeBlocks asks whether to close the survey. Where its channel takes no results, it says so, and the button closes without posting them.
func (b *Bot) closeBlocks(
	ctx context.Context, req *request, v locale.Voice, r survey.Round, to chat.Place, why *chat.CannotPostError,
) ([]chat.Block, error) {
	s, err := b.Rounds.Progress(ctx, r.ID, req.person)
	if err != nil {
		return nil, err
	}
	blocks := []chat.Block{chat.Heading{Text: v.Say("close.title", "area", r.Area)}, chat.Paragraph(v.Say("close.means"))}
	verb, confirm := "closenow", v.Say("close.confirm")
	if why == nil {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Link{Place: to}, chat.Words(": " + v.Say("close.posts"))}})
	} else {
		verb, confirm = "closeonly", v.Say("close.confirm_only")
		blocks = append(blocks, cannotPost(v, v.Say("cannot_post.close"), to, why)...)
		blocks = append(blocks, chat.Paragraph(v.Say("close.anyway")))
	}
	if r.AcceptsAnswers(b.Now()) {
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(v.Say("close.early", "closes", b.closingTime(v, r)))}})
	}
	return append(blocks, chat.Paragraph(b.responseRates(v, s)),
		row(
			chat.Button{Label: v.Say("button.close_now"), Action: chat.NewAction(verb, string(r.ID), v.Lang), Style: chat.Danger, Confirm: &chat.Confirm{
				Title: v.Say("close.confirm_title"), Text: confirm, Yes: v.Say("close.yes"), No: v.Say("close.no"),
			}},
			button(v.Say("button.extend"), chat.NewAction("extend", string(r.ID), v.Lang)),
		)), nil
}

// closeNow closes the survey and posts its results, unless its channel takes none: then nothing has happened yet.
func (b *Bot) closeNow(ctx context.Context, req *request, args coordinatorArgs) ([]chat.Reply, error) {
	r, err := b.Rounds.Round(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	v := req.voice
	if to, why := b.canPostFor(ctx, r); why != nil && r.State == survey.Open {
		blocks, err := b.closeBlocks(ctx, req, v, r, to, why)
		if err != nil {
			return nil, err
		}
		return updated(blocks...), nil
	}
	r, closed, err := b.Rounds.Close(ctx, args.round, req.person)
	if err != nil {
		return nil, err
	}
	if !closed {
		return updated(chat.Paragraph(v.Say("close.already"))), nil
	}
	heading := chat.Heading{Text: r.Area}
	d, err := b.newDestination(req, r, destinationArgs{})
	d.verb = "results"
	var posts []post
	if err == nil {
		var p survey.Published
		if p, err = b.Rounds.SystemResults(ctx, r.ID); err == nil {
			posts, err = b.resultPosts(ctx, r, p, b.Words.In(string(r.Languages[0])), d.action)
		}
	}
	if err != nil {
		// The round is closed and stays closed; the results can be asked for again.
		b.Log.Error("results after close", "round", r.ID, "error", err)
		return updated(heading, chat.Paragraph(v.Say("close.no_results"))), nil
	}
	return deliverAll(posts, d.show, func(o outcome) []chat.Reply {
		return updated(append([]chat.Block{heading, chat.Paragraph(v.Say("close.done"))}, b.deliveryBlocks(req, v, d, o)...)...)
	}), nil
}

// closeOnly closes a survey whose channel takes no results, which the coordinator was told.
func (b *Bot) closeOnly(ctx context.Context, req *request, args coordinatorArgs) (chat.Card, error) {
	r, closed, err := b.Rounds.Close(ctx, args.round, req.person)
	if err != nil {
		return chat.Card{}, err
	}
	v := req.voice
	if !closed {
		return card(chat.Paragraph(v.Say("close.already"))), nil
	}
	return card(append([]chat.Block{chat.Heading{Text: r.Area}, chat.Paragraph(v.Say("close.unposted"))}, b.otherDestinations(req.Event, v, r, "results")...)...), nil
}

// help says what a person can do here; to somebody who coordinates, the commands.
func (b *Bot) help(_ context.Context, req *request, args generalArgs) (chat.Card, error) {
	v := req.voice
	var blocks []chat.Block
	if args.unknown {
		said := v.Say("help.unknown")
		if args.meant != "" {
			command := "/maturity "
			if commands[args.meant].lang == "cy" {
				command = "/aeddfedrwydd "
			}
			said += " " + v.Say("help.meant", "command", command+args.meant)
		}
		blocks = append(blocks, chat.Text{Spans: []chat.Span{chat.Bold(said)}})
	}
	return card(append(blocks,
		chat.Heading{Text: v.Say("help.title")},
		chat.Paragraph(v.Say("help.stakeholder")),
		chat.Paragraph(v.Say("help.coordinator")),
		chat.Footnote(v.Say("help.language")),
		row(primary(v.Say("button.home"), chat.NewAction("home", v.Lang))),
	)...), nil
}

// coordinatedRounds lists the rounds a person coordinates, with their response rates, for their home.
func (b *Bot) coordinatedRounds(ctx context.Context, v locale.Voice, req *request, parts []survey.Participation) ([]chat.Block, error) {
	var blocks []chat.Block
	for _, s := range parts {
		if !slices.Contains(s.Round.Coordinators, req.person) || len(blocks) >= 2*maxHome {
			continue
		}
		line := v.Say("draft.waiting")
		if s.Round.State != survey.Draft {
			status, err := b.Rounds.Progress(ctx, s.Round.ID, req.person)
			if err != nil {
				return nil, err
			}
			line = b.roundStatus(v, s.Round) + "\n" + v.Count("status.invited", status.Invited) + " · " +
				v.Count("status.finished", status.Finished, "percent", percent(status.Finished, status.Invited))
		}
		blocks = append(blocks,
			chat.Text{Spans: []chat.Span{chat.Bold(v.Say("home.coordinator", "area", s.Round.Area)), chat.Words("\n" + line)}},
			row(button(v.Say("button.status"), chat.NewAction("status", string(s.Round.ID), v.Lang))))
	}
	if b.mayCreate(req) && !req.Private {
		blocks = append(blocks, row(button(v.Say("button.new"), chat.NewAction("new", v.Lang))))
	}
	return blocks, nil
}
