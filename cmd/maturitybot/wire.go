package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

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

// matrixFlag adds an area's own matrix to the editions.
type matrixFlag struct {
	Matrix string `name:"matrix" placeholder:"FILE" help:"Use the matrix in this file as well as the editions that come with the program."`
}

// matrices returns the editions, with the file's matrix first when one was given. A file with the id of an
// edition takes its place.
func (f matrixFlag) matrices() ([]*matrix.Matrix, error) {
	editions, err := matrix.Editions()
	if err != nil {
		return nil, fmt.Errorf("load editions: %w", err)
	}
	if f.Matrix == "" {
		return editions, nil
	}
	own, err := loadMatrix(f.Matrix)
	var faults plaintext.Faults
	switch {
	case errors.As(err, &faults):
		return nil, fmt.Errorf("load matrix:\n%w", err)
	case err != nil:
		return nil, err
	}
	all := []*matrix.Matrix{own}
	for _, m := range editions {
		if m.ID != own.ID {
			all = append(all, m)
		}
	}
	return all, nil
}

// messenger finds people and sends to them.
type messenger interface {
	chat.Directory
	chat.Sender
}

// embeddedBot is a bot on an embedded store, with what it is made of.
type embeddedBot struct {
	bot      *bot.Bot
	rounds   *survey.Rounds
	store    *redis.EmbeddedStore
	words    *locale.Words
	matrices []*matrix.Matrix
	renderer bot.ResultRenderer
}

// embeddedOptions is what a bot on an embedded store is built from.
type embeddedOptions struct {
	matrices []*matrix.Matrix
	people   messenger        // its directory and sender
	now      func() time.Time // its clock
	log      *slog.Logger
	words    *locale.Words      // nil loads them
	renderer bot.ResultRenderer // nil draws with resultfiles.New
}

// newEmbeddedBot returns a bot on a store inside the process.
func newEmbeddedBot(o embeddedOptions) (*embeddedBot, error) {
	if o.words == nil {
		var err error
		if o.words, err = locale.Load(); err != nil {
			return nil, err
		}
	}
	if o.renderer == nil {
		o.renderer = resultfiles.New(o.words)
	}
	store, err := redis.Embedded()
	if err != nil {
		return nil, fmt.Errorf("start embedded store: %w", err)
	}
	store.SetTime(o.now())
	b := &embeddedBot{
		store: store, words: o.words, matrices: o.matrices, renderer: o.renderer,
		rounds: survey.NewRounds(store, o.matrices, o.now),
	}
	b.bot = b.newBot(o.people, o.now, o.log)
	return b, nil
}

func (b *embeddedBot) newBot(people messenger, now func() time.Time, log *slog.Logger) *bot.Bot {
	return bot.New(bot.Options{Rounds: b.rounds, Tools: bot.Tools{
		Matrices: b.matrices, Words: b.words, Renderer: b.renderer,
		Directory: people, Sender: people, Claims: b.store, Schedule: defaultSchedule(),
		Log: log, Now: now,
	}})
}

// defaultSchedule goes by the bank holidays of England and Wales.
func defaultSchedule() *reminders.Schedule { return reminders.NewSchedule(reminders.EnglandAndWales()) }

// newStage returns a stage for transcripts whose matrices are in a folder. People are where on says they are,
// given the people of the stage: the stage itself, when on is nil. Of o it sets the clock and, without on,
// the people. The function inside returns the bot as it is now; done closes the store.
func newStage(
	folder string, o embeddedOptions, on func(*transcript.People) messenger,
) (s transcript.Stage, inside func() chat.Responder, done func() error, err error) {
	s.Clock = transcript.NewClock(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	s.People = transcript.NewPeople()
	o.people, o.now = s.People, s.Clock.Now
	if on != nil {
		o.people = on(s.People)
	}
	b, err := newEmbeddedBot(o)
	if err != nil {
		return s, nil, nil, err
	}
	s.Responder = b.bot
	inside = func() chat.Responder { return b.bot }
	var loop *reminders.Loop
	var planner *reminders.Planner
	clockwork := func() {
		loop = reminders.NewLoop(b.rounds.System(), b.bot, o.log).InTurn()
		planner = reminders.NewPlanner(b.rounds.System(), defaultSchedule(), s.Clock.Now, o.log)
	}
	clockwork()
	s.Deliver = func(ctx context.Context) {
		if err := planner.Sweep(ctx); err != nil {
			o.log.Error("cannot read what is to be planned", "error", err)
		}
		loop.Sweep(ctx)
	}
	s.Next = func(ctx context.Context) (time.Time, bool) {
		at, ok, err := planner.Next(ctx)
		return at, ok && err == nil
	}
	s.Restart = func() chat.Responder {
		b.bot = b.newBot(o.people, s.Clock.Now, o.log)
		clockwork()
		return b.bot
	}
	s.Matrix = func(file string) (chat.Responder, error) {
		own, err := loadMatrix(filepath.Join(folder, filepath.Base(file)))
		if err != nil {
			return nil, err
		}
		b.matrices = []*matrix.Matrix{own}
		b.rounds = survey.NewRounds(b.store, b.matrices, s.Clock.Now)
		return s.Restart(), nil
	}
	s.Sleep = func(asleep bool) {
		if asleep {
			b.store.Sleep()
		} else {
			b.store.Wake()
		}
	}
	return s, inside, b.store.Close, nil
}
