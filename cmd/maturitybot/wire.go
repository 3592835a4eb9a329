package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/adapters/results"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/bot/transcript"
	"maturitybot/reminders"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// matrixFlag adds an area's own matrix to the editions.
type matrixFlag struct {
	Matrix string `name:"matrix" placeholder:"FILE" help:"Use the matrix in this file as well as the editions that come with the program."`
}

// matrices returns the editions, with the file's matrix first when one was given. A file with the id of an
// edition takes its place.
func (f matrixFlag) matrices() ([]*survey.Matrix, error) {
	editions, err := matrix.Editions()
	if err != nil {
		return nil, fmt.Errorf("load editions: %w", err)
	}
	if f.Matrix == "" {
		return editions, nil
	}
	own, err := loadMatrix(f.Matrix)
	var faults survey.Faults
	switch {
	case errors.As(err, &faults):
		return nil, fmt.Errorf("load matrix:\n%w", err)
	case err != nil:
		return nil, err
	}
	all := []*survey.Matrix{own}
	for _, m := range editions {
		if m.ID != own.ID {
			all = append(all, m)
		}
	}
	return all, nil
}

// built is a bot on an embedded store, with what it is made of.
type built struct {
	bot      *bot.Bot
	rounds   *survey.Rounds
	store    *redis.EmbeddedStore
	words    *locale.Words
	matrices []*survey.Matrix
}

// build wires a bot on a store inside the process.
func build(matrices []*survey.Matrix, people platform, now func() time.Time, log *slog.Logger) (*built, error) {
	words, err := locale.Load()
	if err != nil {
		return nil, err
	}
	store, err := redis.Embedded()
	if err != nil {
		return nil, fmt.Errorf("start embedded store: %w", err)
	}
	store.SetTime(now())
	b := &built{store: store, words: words, matrices: matrices, rounds: survey.NewRounds(store, matrices, now)}
	b.bot = b.start(people, now, log)
	return b, nil
}

func (b *built) start(people platform, now func() time.Time, log *slog.Logger) *bot.Bot {
	return bot.New(bot.Options{
		Rounds: b.rounds, Matrices: b.matrices, Words: b.words, Renderer: results.New(b.words),
		Directory: people, Sender: people, Claims: b.store, Schedule: diary(), Log: log, Now: now,
	})
}

// diary goes by the bank holidays of England and Wales.
func diary() *reminders.Schedule { return reminders.NewSchedule(reminders.EnglandAndWales()) }

// stage is a stage for transcripts in a folder; done ends its store. People are where on says they are, given the people
// of the stage: the stage itself, when on is nil. Inside is the bot as it is now.
func stage(folder string, matrices []*survey.Matrix, log *slog.Logger, on func(*transcript.People) platform) (s transcript.Stage, inside func() chat.Responder, done func() error, err error) {
	s.Clock = transcript.NewClock(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	s.People = transcript.NewPeople()
	var people platform = s.People
	if on != nil {
		people = on(s.People)
	}
	b, err := build(matrices, people, s.Clock.Now, log)
	if err != nil {
		return s, nil, nil, err
	}
	s.Responder = b.bot
	inside = func() chat.Responder { return b.bot }
	var loop *reminders.Loop
	var planner *reminders.Planner
	clockwork := func() {
		loop = reminders.NewLoop(b.rounds, b.bot, log).InTurn()
		planner = reminders.NewPlanner(b.rounds, diary(), s.Clock.Now, log)
	}
	clockwork()
	s.Deliver = func(ctx context.Context) {
		if err := planner.Sweep(ctx); err != nil {
			log.Error("cannot read what is to be planned", "error", err)
		}
		loop.Sweep(ctx)
	}
	s.Next = func(ctx context.Context) (time.Time, bool) {
		at, ok, err := planner.Next(ctx)
		return at, ok && err == nil
	}
	s.Restart = func() chat.Responder {
		b.bot = b.start(people, s.Clock.Now, log)
		clockwork()
		return b.bot
	}
	s.Matrix = func(file string) (chat.Responder, error) {
		own, err := loadMatrix(filepath.Join(folder, filepath.Base(file)))
		if err != nil {
			return nil, err
		}
		b.matrices = []*survey.Matrix{own}
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
