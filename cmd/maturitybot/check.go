package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"maturitybot/adapters/platform"
	"maturitybot/adapters/redis"
	"maturitybot/bot"
	"maturitybot/cmd/maturitybot/server"
	"maturitybot/survey"
)

// checkCommand checks everything that serve would use. It takes the same flags, and changes nothing.
type checkCommand struct {
	serveCommand
	Strict bool `help:"Also fail on warnings."`
}

// The levels of a finding.
const (
	fine = platform.OK
	warn = platform.Warn
	fail = platform.Fail
)

// checkTimeout bounds the check of Redis, and of each platform.
const checkTimeout = 30 * time.Second

// findings prints findings, and counts them by level.
type findings struct {
	s    system
	seen map[platform.Level]int
}

// say prints a finding about a part of the configuration, in one line.
func (f *findings) say(l platform.Level, about, format string, args ...any) {
	f.seen[l]++
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	fmt.Fprintf(f.s.out, "%-4s  %-14s %s\n", l, about, strings.ReplaceAll(text, "\n", " "))
}

// Run prints a line for each check, and returns errReported if one failed.
func (c *checkCommand) Run(ctx context.Context, s system) error {
	f := &findings{s: s, seen: map[platform.Level]int{}}
	conf, err := c.config(s.env)
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
	if conf.Web != nil {
		c.web(ctx, f, conf.Web)
	}
	shared := conf.Web.Shares(c.Listen)
	if server.UsesHTTP(conf.Platforms) || shared {
		checkListen(ctx, f, "LISTEN", c.Listen)
	}
	if conf.Web != nil && !shared {
		checkListen(ctx, f, "WEB_LISTEN", conf.Web.Listen)
	}
	if c.OpsListen != "" && c.OpsListen != opsOff {
		checkListen(ctx, f, "OPS_LISTEN", c.OpsListen)
	}
	f.summary()
	if f.seen[fail] > 0 || c.Strict && f.seen[warn] > 0 {
		return errReported
	}
	return nil
}

// files checks the data that comes with the program, and the files that replace it.
func (c *checkCommand) files(f *findings) {
	c.matrixFiles(f)
	if c.Holidays == "" {
		f.say(fine, "bank holidays", "the built-in list for England and Wales")
	} else if _, err := loadSchedule(c.Holidays); err != nil {
		f.say(fail, "bank holidays", "%v", err)
	} else {
		f.say(fine, "bank holidays", "the list in the file")
	}
	c.erasuresFile(f)
	for _, zone := range []string{"Europe/London", "Asia/Tokyo"} {
		if _, err := time.LoadLocation(zone); err != nil {
			f.say(fail, "time zones", "%v", err)
			return
		}
	}
	now := time.Now().UTC().Format("2006-01-02 15:04:05 MST")
	f.say(fine, "time zones", "known; now it is %s", now)
}

// matrixFiles checks the matrices.
func (c *checkCommand) matrixFiles(f *findings) {
	if all, err := c.matrices(); err != nil {
		f.say(fail, "matrix", "%v", err)
	} else {
		var ids []string
		for _, m := range all {
			ids = append(ids, fmt.Sprintf("%s (version %d)", m.ID, m.Version))
		}
		f.say(fine, "matrix", "%s", strings.Join(ids, ", "))
	}
}

// erasuresFile checks whether serve can write to the journal of erasures.
func (c *checkCommand) erasuresFile(f *findings) {
	if c.Erasures == "" {
		f.say(warn, "erasures", "%s", server.NoErasuresAdvice)
		return
	}
	folder := filepath.Dir(c.Erasures)
	file, err := os.OpenFile(c.Erasures, os.O_WRONLY|os.O_APPEND, 0)
	switch {
	case err == nil:
		_ = file.Close() // nothing was written
		f.say(fine, "erasures", "the file can be written")
	case errors.Is(err, os.ErrNotExist) && missing(folder):
		f.say(fail, "erasures",
			"there is no folder %s: create it, so that only the bot can write to it", folder)
	case errors.Is(err, os.ErrNotExist):
		f.say(warn, "erasures",
			"there is no file yet: the bot creates it when it starts, if it can write to the folder")
	default:
		f.say(fail, "erasures", "ERASURES: %v", err)
	}
}

// missing reports whether a file or folder does not exist.
func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

// redis checks the store.
func (c *checkCommand) redis(ctx context.Context, f *findings, conf config) {
	if conf.Redis == "" {
		return // already reported as a fault of the configuration
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	store, err := redis.Open(ctx, string(conf.Redis))
	if err != nil {
		f.say(fail, "redis", "%v", err)
		return
	}
	defer func() { _ = store.Close() }() // nothing was written
	lines, warnings, err := store.Describe(ctx)
	for _, line := range lines {
		f.say(fine, "redis", "%s", line)
	}
	for _, w := range warnings {
		f.say(warn, "redis", "%s", w)
	}
	if err == nil {
		err = store.CheckSchema(ctx)
	}
	if err != nil {
		f.say(fail, "redis", "%v", err)
		return
	}
	if all, err := c.matrices(); err == nil { // a faulty file is already reported
		if err := survey.NewRounds(store, all, time.Now).System().CheckMatrices(ctx); err != nil {
			f.say(fail, "matrix", "%v", err)
		}
	}
}

// platform checks a platform.
func (c *checkCommand) platform(ctx context.Context, f *findings, p server.Platform) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	say := func(l platform.Level, format string, args ...any) {
		f.say(l, p.Name, format, args...)
	}
	p.Check(ctx, platform.Bot{Spec: bot.AppSpec(sentences()), Dial: c.dial}, say)
}

// web checks the pages for people with links: the keys, and whether their public address answers.
func (c *checkCommand) web(ctx context.Context, f *findings, w *server.Web) {
	f.say(fine, "web", "link keys: %d; the first makes new links", len(w.Keys))
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL.JoinPath("robots.txt").String(), nil)
	if err != nil {
		f.say(fail, "web", "WEB_URL: %v", err)
		return
	}
	answer, err := platform.NewHTTPClient(c.dial, checkTimeout).Do(r)
	if err != nil {
		f.say(warn, "web", "%s does not answer: %v. People with links need it: check DNS, the "+
			"certificate and the proxy in front of the bot", w.URL.Host, platform.NewRedactor().Error(err))
		return
	}
	_ = answer.Body.Close() // only the headers are looked at
	if answer.Header.Get("X-Robots-Tag") == "" {
		f.say(warn, "web", "%s answers, but not with the bot's pages: the bot is not running, or the "+
			"proxy leads elsewhere", w.URL.Host)
		return
	}
	f.say(fine, "web", "%s answers with the bot's pages", w.URL.Host)
}

// checkListen checks whether serve could listen at the address in a setting.
func checkListen(ctx context.Context, f *findings, setting, address string) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		f.say(warn, "listen", "%s: %v: another program uses the address, perhaps maturitybot serve", setting, err)
	case err != nil:
		f.say(fail, "listen", "%s: %v", setting, err)
	default:
		_ = l.Close() // it has accepted no connection
		f.say(fine, "listen", "%s: %s is free", setting, address)
	}
}

// summary prints how many findings there are of each level.
func (f *findings) summary() {
	fmt.Fprintf(f.s.out, "%d ok, %d warn, %d FAIL\n", f.seen[fine], f.seen[warn], f.seen[fail])
}
