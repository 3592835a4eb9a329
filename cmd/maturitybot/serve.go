package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"maturitybot/adapters/redis"
	"maturitybot/cmd/maturitybot/server"
	"maturitybot/reminders"
)

// serveCommand runs the bot on every platform that it has credentials for. They come from the
// environment alone, because every user of the machine can read a command line.
type serveCommand struct {
	matrixFlag
	storeFlag
	erasuresFlag
	opsFlag
	Listen    string   `env:"LISTEN" default:":8080" help:"listen"`
	WebURL    string   `name:"web-url" env:"WEB_URL" placeholder:"URL" help:"web_url"`
	WebListen string   `name:"web-listen" env:"WEB_LISTEN" placeholder:"ADDRESS" help:"web_listen"`
	Creators  []string `env:"CREATORS" placeholder:"PERSON" help:"creators"`
	// AssessmentRetention is how long assessments are kept.
	AssessmentRetention years  `env:"ASSESSMENT_RETENTION" default:"6" placeholder:"YEARS" help:"retention"`
	LogFormat           string `env:"LOG_FORMAT" enum:"text,json" default:"text" help:"text or json."`
	platformFlags
	Holidays string `name:"bank-holidays" env:"BANK_HOLIDAYS" placeholder:"FILE" help:"holidays"`

	dial func(ctx context.Context, network, address string) (net.Conn, error) // the network, but for tests
	now  func() time.Time                                                     // the clock, but for tests
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context, s system) error {
	conf, err := c.config(s.env)
	if err != nil {
		return err
	}
	var handler slog.Handler = slog.NewTextHandler(s.err, nil)
	if c.LogFormat == "json" {
		handler = slog.NewJSONHandler(s.err, nil)
	}
	log := slog.New(handler)
	slog.SetDefault(log)
	to, err := c.server(conf, log)
	if err != nil {
		return err
	}
	return server.Run(ctx, to)
}

// server returns the configuration of the server, with the files that the flags name.
func (c *serveCommand) server(conf config, log *slog.Logger) (server.Config, error) {
	to := server.Config{
		Platforms: conf.Platforms, Web: conf.Web,
		Listen: c.Listen, OpsListen: c.OpsListen,
		Schedule: defaultSchedule(), Creators: conf.creators,
		AssessmentRetention: time.Duration(c.AssessmentRetention),
		Log:                 log, Dial: c.dial, Now: c.now,
		OpenStore: func(ctx context.Context, with ...redis.Option) (*redis.Store, error) {
			return connect(ctx, string(conf.Redis), (*redis.Store).RaiseSchema, with...)
		},
	}
	if c.OpsListen == opsOff {
		to.OpsListen = ""
	}
	var err error
	if to.Matrices, err = c.matrices(); err != nil {
		return to, err
	}
	if c.Holidays != "" {
		if to.Schedule, err = loadSchedule(c.Holidays); err != nil {
			return to, err
		}
	}
	if c.Erasures != "" {
		to.KeepJournal = c.keepJournal
	}
	return to, nil
}

// years is a duration that the operator gives as a number of years.
type years time.Duration

// maxYears is the longest such duration: time.Duration ends at 292 years.
const maxYears = 50

// UnmarshalText reads a number of years from 1 to maxYears.
func (y *years) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxYears {
		return fmt.Errorf("expected a number of years from 1 to %d", maxYears)
	}
	*y = years(time.Duration(n) * 365 * 24 * time.Hour)
	return nil
}

// keepJournal makes the store write its erasures to the file, and returns the journal's name.
func (c *serveCommand) keepJournal(store *redis.Store) (name string, done func() error, err error) {
	if done, err = c.journal(store); err != nil {
		return "", nil, err
	}
	if name, err = journalName(c.Erasures); err != nil {
		return "", nil, errors.Join(err, done())
	}
	return name, done, nil
}

// loadSchedule returns a schedule with the bank holidays in a file.
func loadSchedule(path string) (*reminders.Schedule, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	calendar, err := reminders.LoadHolidays(path, f)
	if err != nil {
		return nil, fmt.Errorf("read bank holidays:\n%w", err)
	}
	return reminders.NewSchedule(calendar), nil
}
