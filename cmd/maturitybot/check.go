package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"maturitybot/adapters/platform"
	"maturitybot/adapters/redis"
	"maturitybot/cmd/maturitybot/server"
)

// checkCommand tries what serve would use. It takes the same flags, and changes nothing anywhere.
type checkCommand struct {
	serveCommand
	Strict bool `help:"Fail on what is only warned of, too."`
}

// How serious a finding is.
const (
	fine = platform.OK
	warn = platform.Warn
	fail = platform.Fail
)

// checkTimeout bounds the check of a platform, and of Redis.
const checkTimeout = 30 * time.Second

// findings prints what is found, and counts it.
type findings struct {
	s    streams
	seen map[platform.Level]int
}

func (f *findings) say(l platform.Level, about, format string, a ...any) {
	f.seen[l]++
	text := strings.TrimSpace(fmt.Sprintf(format, a...))
	fmt.Fprintf(f.s.out, "%-4s  %-14s %s\n", l, about, strings.ReplaceAll(text, "\n", " "))
}

// Run prints a line for each thing that was tried. Its error says that something failed, which was told already.
func (c *checkCommand) Run(ctx context.Context, s streams) error {
	f := &findings{s: s, seen: map[platform.Level]int{}}
	conf, err := c.config()
	if wrong, ok := errors.AsType[faults](err); ok {
		for _, w := range wrong {
			f.say(fail, "configuration", "%s", w)
		}
	} else {
		f.say(fine, "configuration", "complete")
	}
	c.files(f)
	c.redis(ctx, f, conf)
	for _, p := range conf.Platforms {
		c.platform(ctx, f, p)
	}
	if server.UsesHTTP(conf.Platforms) {
		c.checkListen(ctx, f)
	}
	f.summary()
	if f.seen[fail] > 0 || c.Strict && f.seen[warn] > 0 {
		return errReported
	}
	return nil
}

// files looks at what comes with the program, and at the files that take its place.
func (c *checkCommand) files(f *findings) {
	if all, err := c.matrices(); err != nil {
		f.say(fail, "matrix", "%v", err)
	} else {
		var ids []string
		for _, m := range all {
			ids = append(ids, m.ID)
		}
		f.say(fine, "matrix", "%s", strings.Join(ids, ", "))
	}
	if c.Holidays == "" {
		f.say(fine, "bank holidays", "those known for England and Wales")
	} else if _, err := loadSchedule(c.Holidays); err != nil {
		f.say(fail, "bank holidays", "%v", err)
	} else {
		f.say(fine, "bank holidays", "those of the file")
	}
	if c.Erasures == "" {
		f.say(warn, "erasures", "%s", server.NoErasuresAdvice)
	} else {
		switch file, err := os.OpenFile(c.Erasures, os.O_WRONLY|os.O_APPEND, 0); {
		case err == nil:
			_ = file.Close() // nothing was written
			f.say(fine, "erasures", "the file can be added to")
		case errors.Is(err, os.ErrNotExist) && missing(filepath.Dir(c.Erasures)):
			f.say(fail, "erasures", "there is no folder %s: make it, writable by the bot alone", filepath.Dir(c.Erasures))
		case errors.Is(err, os.ErrNotExist):
			f.say(warn, "erasures", "there is no file yet: it is made when the bot starts, if its folder lets the bot")
		default:
			f.say(fail, "erasures", "ERASURES: %v", err)
		}
	}
	for _, zone := range []string{"Europe/London", "Asia/Tokyo"} {
		if _, err := time.LoadLocation(zone); err != nil {
			f.say(fail, "time zones", "%v", err)
			return
		}
	}
	f.say(fine, "time zones", "known; now it is %s", time.Now().UTC().Format("2006-01-02 15:04:05 MST"))
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

// redis looks at the store.
func (c *checkCommand) redis(ctx context.Context, f *findings, conf config) {
	if conf.Redis == "" {
		return // told as a fault of the configuration
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	store, err := redis.Open(ctx, string(conf.Redis))
	if err != nil {
		f.say(fail, "redis", "%v", err)
		return
	}
	defer func() { _ = store.Close() }() // nothing was written
	if err := store.CheckSchema(ctx); err != nil {
		f.say(fail, "redis", "%v", err)
	}
	lines, warnings, err := store.Describe(ctx)
	for _, line := range lines {
		f.say(fine, "redis", "%s", line)
	}
	if err != nil {
		f.say(fail, "redis", "%v", err)
	}
	for _, w := range warnings {
		f.say(warn, "redis", "%s", w)
	}
}

// platform asks a platform.
func (c *checkCommand) platform(ctx context.Context, f *findings, p server.Platform) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	spec, err := appSpec()
	if err != nil {
		f.say(fail, p.Name, "%v", err)
		return
	}
	p.Check(ctx, platform.Bot{Spec: spec, Dial: c.dial}, func(l platform.Level, format string, args ...any) {
		f.say(l, p.Name, format, args...)
	})
}

// checkListen tries whether requests could be listened for.
func (c *checkCommand) checkListen(ctx context.Context, f *findings) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		f.say(warn, "listen", "%v: another program is there, which may be maturitybot serve", err)
		return
	}
	_ = l.Close() // nobody came
	f.say(fine, "listen", "%s is free", c.Listen)
}

// summary ends the list.
func (f *findings) summary() {
	fmt.Fprintf(f.s.out, "%d ok, %d warn, %d FAIL\n", f.seen[fine], f.seen[warn], f.seen[fail])
}
