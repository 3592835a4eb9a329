package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"maturitybot/adapters/poster"
	"maturitybot/adapters/redis"
	"maturitybot/adapters/resultfiles"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/bot/transcript"
	"maturitybot/reminders"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// sentences returns what the bot says, made once: tests run hundreds of commands in one process.
var sentences = sync.OnceValue(locale.New)

// matrixFlag adds an area's own matrix to the editions.
type matrixFlag struct {
	Matrix []string `sep:"none" placeholder:"FILE" help:"matrix"`
}

// matrices returns the matrices of the files, the editions, and the editions' earlier versions.
// New rounds take the first with an id, so that a file takes the place of the edition with its id.
// Of the files with one id, the highest version comes first.
func (f matrixFlag) matrices() (matrix.List, error) {
	var all matrix.List
	for _, file := range f.Matrix {
		own, err := loadMatrix(file)
		var faults plaintext.Faults
		switch {
		case errors.As(err, &faults):
			return nil, fmt.Errorf("load matrix:\n%w", err)
		case err != nil:
			return nil, err
		}
		if _, known := all.Find(own.ID, own.Version); known {
			return nil, fmt.Errorf("load matrix %s: version %d of %q was given already",
				file, own.Version, own.ID)
		}
		all = append(all, own)
	}
	place := map[string]int{} // of an id among the files
	for i, m := range slices.Backward(all) {
		place[m.ID] = i
	}
	slices.SortFunc(all, func(a, b *matrix.Matrix) int {
		return cmp.Or(cmp.Compare(place[a.ID], place[b.ID]), cmp.Compare(b.Version, a.Version))
	})
	for _, m := range slices.Concat(matrix.Editions(), matrix.EarlierEditions()) {
		if _, known := all.Find(m.ID, m.Version); !known {
			all = append(all, m)
		}
	}
	return all, nil
}

// ownMatrix returns the flag with one file, or with none when there is no name.
func ownMatrix(file string) matrixFlag {
	if file == "" {
		return matrixFlag{}
	}
	return matrixFlag{Matrix: []string{file}}
}

// messenger finds people and sends to them.
type messenger interface {
	chat.Directory
	chat.Sender
}

// embeddedBot is a bot on a store inside the process, and its parts.
type embeddedBot struct {
	bot      *bot.Bot
	rounds   *survey.Rounds
	store    *redis.EmbeddedStore
	words    *locale.Words
	matrices matrix.List
	renderer bot.ResultRenderer
	webURL   string
	linkKeys survey.LinkKeys
}

// embeddedOptions are the options of newEmbeddedBot.
type embeddedOptions struct {
	matrices matrix.List
	people   messenger // directory and sender
	now      func() time.Time
	log      *slog.Logger
	renderer bot.ResultRenderer // nil draws with resultfiles.New
	webURL   string             // of links, or empty
	linkKeys survey.LinkKeys
}

// newEmbeddedBot returns a bot on a store inside the process.
func newEmbeddedBot(o embeddedOptions) (*embeddedBot, error) {
	if o.renderer == nil {
		o.renderer = resultfiles.New(sentences())
	}
	store, err := redis.Embedded()
	if err != nil {
		return nil, fmt.Errorf("start embedded store: %w", err)
	}
	store.SetTime(o.now())
	b := &embeddedBot{
		store: store, words: sentences(), matrices: o.matrices, renderer: o.renderer,
		webURL: o.webURL, linkKeys: o.linkKeys,
	}
	b.useRounds(o.now)
	b.bot = b.newBot(o.people, o.now, o.log)
	return b, nil
}

// useRounds makes the rounds of the store, with the bot's matrices and keys.
func (b *embeddedBot) useRounds(now func() time.Time) {
	b.rounds = survey.NewRounds(b.store, b.matrices, now)
	b.rounds.UseLinkKeys(b.linkKeys)
}

func (b *embeddedBot) newBot(people messenger, now func() time.Time, log *slog.Logger) *bot.Bot {
	return bot.New(bot.Options{Rounds: b.rounds, Tools: bot.Tools{
		Matrices: b.matrices, Words: b.words, Renderer: b.renderer, Posters: poster.New(),
		WebURL:    b.webURL,
		Directory: people, Sender: people, Claims: b.store, Schedule: defaultSchedule(),
		Log: log, Now: now,
	}})
}

// defaultSchedule returns a schedule with the bank holidays of England and Wales.
func defaultSchedule() *reminders.Schedule {
	return reminders.NewSchedule(reminders.EnglandAndWales())
}

// stageKey makes the links of transcripts, which lead nowhere.
var stageKey = []byte("the key of links in transcripts!")

// newStage returns a stage that plays transcripts on a bot with an embedded store. A transcript can
// name matrix files in the folder. The stage sets the clock of o. Messages go to the people of the
// stage, or to what messengerFor returns for them if it is not nil. current returns the bot, which a
// transcript can restart; done closes the store.
func newStage(
	folder string, o embeddedOptions, messengerFor func(*transcript.People) messenger,
) (s transcript.Stage, current func() chat.Responder, done func() error, err error) {
	s.Clock = transcript.NewClock(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	s.People = transcript.NewPeople()
	o.now = s.Clock.Now
	o.webURL, o.linkKeys = "https://survey.example/s", survey.LinkKeys{stageKey}
	o.people = s.People
	if messengerFor != nil {
		o.people = messengerFor(s.People)
	}
	b, err := newEmbeddedBot(o)
	if err != nil {
		return s, nil, nil, err
	}
	s.Responder = b.bot
	current = func() chat.Responder { return b.bot }
	var loop *reminders.Loop
	var planner *reminders.Planner
	resetReminders := func() {
		loop = reminders.NewLoop(b.rounds.System(), b.bot, o.log).InTurn()
		planner = reminders.NewPlanner(b.rounds.System(), defaultSchedule(), s.Clock.Now, o.log)
	}
	resetReminders()
	s.Deliver = func(ctx context.Context) {
		if err := planner.Sweep(ctx); err != nil {
			o.log.Error("cannot plan messages", "error", err)
		}
		loop.Sweep(ctx)
	}
	s.Next = func(ctx context.Context) (time.Time, bool) {
		at, ok, err := planner.Next(ctx)
		return at, ok && err == nil
	}
	s.Restart = func() chat.Responder {
		b.bot = b.newBot(o.people, s.Clock.Now, o.log)
		resetReminders()
		return b.bot
	}
	s.Matrix = func(file string) (chat.Responder, error) {
		own, err := loadMatrix(filepath.Join(folder, filepath.Base(file)))
		if err != nil {
			return nil, err
		}
		// Rounds that were opened with an earlier version keep its words.
		all := matrix.List{own}
		for _, m := range b.matrices {
			if m.ID == own.ID {
				all = append(all, m)
			}
		}
		b.matrices = all
		b.useRounds(s.Clock.Now)
		return s.Restart(), nil
	}
	s.Visit = func(ctx context.Context, link, operation string) (bool, error) {
		return b.visit(ctx, link, operation)
	}
	s.Sleep = func(asleep bool) {
		if asleep {
			b.store.Sleep()
		} else {
			b.store.Wake()
		}
	}
	return s, current, b.store.Close, nil
}
