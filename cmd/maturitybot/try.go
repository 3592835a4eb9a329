package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"maturitybot/adapters/terminal"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// tryCommand runs a whole survey in a browser or a terminal, on a store that ends with the program.
type tryCommand struct {
	matrixFlag
	Edition string `help:"Id of the matrix: england, wales, or that of the file." placeholder:"ID"`
	Lang    string `help:"Language to begin in: en or cy." enum:"en,cy" default:"en"`
	Auto    bool   `help:"Answer everything automatically."`
	Seed    uint64 `help:"Seed for the invented answers. The same seed gives the same answers." default:"1"`
	Others  int    `help:"How many invented people to invite besides you." default:"40"`
	Plain   bool   `help:"Answer in this terminal, not in the browser: plain lines for screen readers and scripts."`
	Out     string `help:"try_out" placeholder:"FOLDER" type:"path"`
}

const (
	tryPlatform = "terminal"
	you         = "you"
	coordinator = "coordinator"
	tryChannel  = "#coordinator"
	maxOthers   = 2000
)

func tryPerson(name string) chat.Person { return chat.Person{Platform: tryPlatform, ID: name} }

func tryPlace(channel string) chat.Place {
	return chat.Place{Platform: tryPlatform, Channel: channel}
}

// noMessenger is the messenger of a terminal, which has no people to find and cannot send messages.
type noMessenger struct{}

func (noMessenger) Find(context.Context, chat.Place, string) (chat.Person, error) {
	return chat.Person{}, chat.ErrNobody
}

func (noMessenger) Members(context.Context, chat.Place) ([]chat.Person, error) {
	return nil, chat.ErrNobody
}

func (noMessenger) CanPost(context.Context, chat.Place) error { return nil }

func (noMessenger) Send(context.Context, string, chat.Person, chat.Card) error {
	return chat.ErrUnreachable
}

func (noMessenger) Post(context.Context, string, chat.Place, chat.Card, []chat.File) error {
	return chat.ErrUnreachable
}

// trial is one run of tryCommand.
type trial struct {
	*embeddedBot
	round    survey.RoundID
	matrix   *matrix.Matrix
	voice    locale.Voice
	you      chat.Person // the stakeholder
	terminal *terminal.Terminal
	log      *slog.Logger
	now      func() time.Time
	finished bool // the person at the terminal has seen their receipt
}

// Run plays the survey to its end.
func (c tryCommand) Run(ctx context.Context, s system) error {
	if c.Others < 0 || c.Others > maxOthers {
		return fmt.Errorf("--others %d: want 0 to %d", c.Others, maxOthers)
	}
	m, err := c.choose(c.Edition)
	if err != nil {
		return err
	}
	now := time.Now
	if c.Auto {
		// Two runs with the same seed print the same on every day.
		fixed := time.Date(2027, 1, 11, 9, 0, 0, 0, time.UTC)
		now = func() time.Time { return fixed }
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	b, err := newEmbeddedBot(embeddedOptions{
		matrices: matrix.List{m}, people: noMessenger{}, now: now, log: log,
	})
	if err != nil {
		return err
	}
	defer func() { _ = b.store.Close() }() // its content is not kept
	t := &trial{
		embeddedBot: b, matrix: m, voice: b.words.In(c.Lang), now: now, log: log, you: tryPerson(you),
	}
	options := terminal.Options{Words: t.terminalWords, Done: t.done}
	if terminal.IsTerminal(s.in) {
		options.Now = time.Now
	}
	t.terminal = terminal.New(s.in, s.out, options)
	interactive := !c.Plain && !c.Auto && terminal.IsTerminal(s.in)
	if interactive {
		t.you.Platform = survey.WebPlatform // as people with a link
	}
	if err := t.prepare(ctx, c); err != nil {
		return err
	}
	if interactive {
		open := func(address string) error { return openBrowser(address, s.env) }
		if browsed, err := t.browse(ctx, s, c.Out, open); browsed || err != nil {
			return err
		}
	}
	err = t.say(t.voice.Say("try.title"), t.voice.Say("try.intro"), t.voice.Say("try.nothing_kept"))
	if err != nil {
		return err
	}
	if c.Auto {
		err = t.answerAlone(ctx, c.Seed)
	} else {
		err = t.terminal.Converse(ctx, t.invited(ctx), chat.Event{
			ID: inviteEvent, Kind: chat.Message, Who: t.you, Where: tryPlace("@" + you), Locale: c.Lang,
		})
	}
	if err != nil || !c.Auto && !t.finished {
		return err
	}
	return t.close(ctx, c.Out, s.out)
}

// say prints a card with a heading and paragraphs.
func (t *trial) say(heading string, paragraphs ...string) error {
	card := chat.Card{Blocks: []chat.Block{chat.Heading{Text: heading}}}
	for _, p := range paragraphs {
		card.Blocks = append(card.Blocks, chat.Paragraph(p))
	}
	return t.terminal.Show(card)
}

// participation returns the participation of the person at the terminal.
func (t *trial) participation(ctx context.Context) (survey.Participation, error) {
	return t.rounds.For(survey.PersonID(t.you.String())).Participation(ctx, t.round)
}

// yourVoice returns the voice in the language that the person at the terminal has chosen.
func (t *trial) yourVoice(ctx context.Context) locale.Voice {
	p, err := t.participation(ctx)
	if err == nil && p.Member.Language != "" {
		return t.words.In(string(p.Member.Language))
	}
	return t.voice
}

func (t *trial) terminalWords(ctx context.Context) terminal.Words {
	v := t.yourVoice(ctx)
	return terminal.Words{
		Leave:    v.Say("terminal.leave"),
		Left:     v.Say("terminal.left"),
		Earlier:  v.Say("terminal.earlier"),
		Chosen:   v.Say("terminal.chosen"),
		Optional: v.Say("terminal.optional"),
		DateForm: v.Say("terminal.date_form"),
		TimeForm: v.Say("terminal.time_form"),
		IDs:      v.Say("terminal.ids"),
		Missing:  v.Say("terminal.missing"),
		TooLong:  v.Say("terminal.too_long"),
		BadDate:  v.Say("terminal.bad_date"),
		BadTime:  v.Say("terminal.bad_time"),
		Prompt:   v.Say("terminal.prompt"),
		Number:   v.Say("terminal.number"),
		Several:  v.Say("terminal.several"),
		KeepLine: v.Say("terminal.keep_line"),
		Lines:    v.Say("terminal.lines"),
		Many:     v.Say("terminal.more_than_one"), // "many" is a plural form in a locale file
	}
}

// done reports whether a card is the receipt.
func (t *trial) done(card chat.Card) bool {
	heading, _ := card.Blocks[0].(chat.Heading)
	isReceipt := heading.Text == t.words.In("en").Say("receipt.title") ||
		heading.Text == t.words.In("cy").Say("receipt.title")
	t.finished = t.finished || isReceipt
	return isReceipt
}

// prepare creates the round, and lets the invented people answer.
func (t *trial) prepare(ctx context.Context, c tryCommand) error {
	lead := survey.PersonID(tryPerson(coordinator).String())
	closes := t.now().AddDate(0, 0, 21)
	languages := slices.Clone(t.matrix.Languages)
	if i := slices.Index(languages, matrix.Lang(c.Lang)); i >= 0 { // it comes first
		languages = slices.Insert(slices.Delete(languages, i, i+1), 0, matrix.Lang(c.Lang))
	}
	r, err := t.rounds.AsCreator(lead).Create(ctx, survey.Round{
		ID:           "try2345672",
		Area:         t.voice.Say("try.area"),
		Matrix:       t.matrix.ID,
		Languages:    languages,
		TimeZone:     survey.DefaultTimeZone,
		ClosesAt:     time.Date(closes.Year(), closes.Month(), closes.Day(), 17, 0, 0, 0, time.UTC),
		Channel:      chat.Place{Platform: tryPlatform, Channel: tryChannel}.String(),
		Coordinators: []survey.PersonID{lead},
		MinGroup:     results.DefaultMinGroup,
		Consensus:    results.Consensus{Percent: results.DefaultConsensusPercent},
	})
	if err != nil {
		return fmt.Errorf("make a round to try: %w", err)
	}
	t.round = r.ID
	if _, _, err := t.rounds.As(lead).Open(ctx, r.ID); err != nil {
		return fmt.Errorf("open the round: %w", err)
	}
	if err := t.inviteYou(ctx, lead); err != nil {
		return fmt.Errorf("invite you: %w", err)
	}
	return invent(ctx, t, c.Seed, c.Others, lead)
}

// inviteYou puts the person at the terminal on the roster. In a browser they are a person with a link.
func (t *trial) inviteYou(ctx context.Context, lead survey.PersonID) error {
	if t.you.Platform != survey.WebPlatform {
		member := survey.Member{Person: survey.PersonID(t.you.String())}
		_, _, err := t.rounds.As(lead).Invite(ctx, t.round, []survey.Member{member})
		return err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never returns an error
	keys, err := survey.ParseLinkKeys(base64.StdEncoding.EncodeToString(secret))
	if err != nil {
		return err
	}
	t.rounds.UseLinkKeys(keys)
	_, made, err := t.rounds.LinksAs(lead).MakeLinks(ctx, t.round, survey.LinkRequest{Count: 1})
	if err != nil {
		return err
	}
	visit, err := t.rounds.Visiting().Find(ctx, t.round, made[0].Token)
	if err != nil {
		return err
	}
	t.you, err = chat.ParsePerson(string(visit.Member.Person))
	return err
}

// inviteEvent is the id of the first event of the conversation. The answer to it is the invitation.
const inviteEvent = "try-invitation"

// opening answers the first event with the invitation, and passes all other events to the bot.
type opening struct {
	chat.Responder
	card chat.Card
}

func (o opening) Handle(ctx context.Context, e chat.Event) []chat.Reply {
	if e.ID == inviteEvent {
		return []chat.Reply{chat.Whisper{Card: o.card}}
	}
	return o.Responder.Handle(ctx, e)
}

// invited returns a responder that begins with the invitation.
func (t *trial) invited(ctx context.Context) chat.Responder {
	p, err := t.participation(ctx)
	if err != nil {
		return t.bot // its answer to the first event says what is wrong
	}
	return opening{t.bot, t.bot.Invitation(p.Round, t.matrix)}
}

// close closes the round as its coordinator, and shows what the bot posts in the channel. It writes
// the files to the folder, or to a temporary folder if none is given, and their paths to out.
func (t *trial) close(ctx context.Context, folder string, out io.Writer) error {
	voice := t.yourVoice(ctx)
	if err := t.say(voice.Say("try.channel"), voice.Say("try.channel_intro")); err != nil {
		return err
	}
	posts, err := t.closeRound(ctx, voice)
	if err != nil {
		return err
	}
	for _, post := range posts {
		if err := t.terminal.Show(post.Card); err != nil {
			return err
		}
	}
	if folder == "" {
		if folder, err = os.MkdirTemp("", "maturitybot-try-"); err != nil {
			return fmt.Errorf("make a folder for the files: %w", err)
		}
	}
	written, err := writeFiles(folder, posts)
	if err != nil {
		return err
	}
	if err := t.say(voice.Say("try.files")); err != nil {
		return err
	}
	// Not in a card, because a card breaks long lines, and a user copies the paths.
	for _, path := range written {
		if _, err := fmt.Fprintln(out, path); err != nil {
			return fmt.Errorf("name the files: %w", err)
		}
	}
	return t.terminal.Show(chat.Card{Blocks: []chat.Block{chat.Paragraph(voice.Say("try.bye"))}})
}

// closeRound closes the round as its coordinator, and returns what the bot posts in the channel.
func (t *trial) closeRound(ctx context.Context, voice locale.Voice) ([]chat.Post, error) {
	replies := t.bot.Handle(ctx, chat.Event{
		ID: "try-close", Kind: chat.Press,
		Who: tryPerson(coordinator), Where: tryPlace(tryChannel),
		Action: chat.NewAction("closenow", string(t.round), voice.Lang),
	})
	var posts []chat.Post
	files := 0
	for _, reply := range replies {
		if post, ok := reply.(chat.Post); ok {
			posts = append(posts, post)
			files += len(post.Files)
		}
	}
	if files == 0 {
		return nil, errors.New("the bot posted no results")
	}
	return posts, nil
}

// writeFiles writes the files of posts to a folder, and returns their paths.
func writeFiles(folder string, posts []chat.Post) ([]string, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("make a folder for the files: %w", err)
	}
	var written []string
	for _, post := range posts {
		for _, f := range post.Files {
			path := filepath.Join(folder, f.Name)
			if err := os.WriteFile(path, f.Data, 0o600); err != nil {
				return nil, fmt.Errorf("write a file of the results: %w", err)
			}
			written = append(written, path)
		}
	}
	return written, nil
}
