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

	"maturitybot/adapters/discord"
	"maturitybot/adapters/redis"
	"maturitybot/adapters/slack"
	"maturitybot/bot/chat"
	"maturitybot/cmd/maturitybot/server"
)

// checkCommand tries what serve would use. It takes the same flags, and changes nothing anywhere.
type checkCommand struct {
	serveCommand
	Strict bool `help:"Fail on what is only warned of, too."`
}

// level is how bad a finding is.
type level string

const (
	fine level = "ok"
	warn level = "warn"
	fail level = "FAIL"
)

// asking is how long a platform, or Redis, may take to tell everything.
const asking = 30 * time.Second

// apart is how far this machine's clock may be from Slack's, which refuses nothing and tells whole seconds; what Slack has signed is
// refused from five minutes on.
const apart = 30 * time.Second

// findings prints what is found, and counts it.
type findings struct {
	s    streams
	seen map[level]int
}

func (f *findings) say(l level, about, format string, a ...any) {
	f.seen[l]++
	text := strings.TrimSpace(fmt.Sprintf(format, a...))
	fmt.Fprintf(f.s.out, "%-4s  %-14s %s\n", l, about, strings.ReplaceAll(text, "\n", " "))
}

// Run prints a line for each thing that was tried. Its error says that something failed, which was told already.
func (c *checkCommand) Run(ctx context.Context, s streams) error {
	f := &findings{s: s, seen: map[level]int{}}
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
	if conf.slack != nil {
		c.slack(ctx, f, conf)
	}
	if conf.discord != nil {
		c.discord(ctx, f, conf)
	}
	if (&server.Config{Slack: conf.slack, Discord: conf.discord}).UsesHTTP() {
		c.door(ctx, f)
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
	ctx, cancel := context.WithTimeout(ctx, asking)
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

// slack asks Slack.
func (c *checkCommand) slack(ctx context.Context, f *findings, conf config) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	adapter, err := slack.New(ctx, slack.Options{
		Token: conf.slack.BotToken, AppToken: conf.slack.AppToken, SigningSecret: conf.slack.SigningSecret, APIURL: c.SlackAPI, Dial: c.dial,
	})
	var app slack.AppInfo
	if err == nil {
		defer func() { _ = adapter.Drain(ctx) }() // nothing was taken
		app, err = adapter.Check(ctx)
	}
	if err != nil {
		f.say(fail, "slack", "%v (SLACK_BOT_TOKEN %s)", err, masked(conf.slack.BotToken))
		return
	}
	f.say(fine, "slack", "bot %s in workspace %s (%s), SLACK_BOT_TOKEN %s", app.Bot, app.Workspace, app.Team, masked(conf.slack.BotToken))
	switch {
	case app.Untold:
		f.say(warn, "slack", "it was not told which scopes the app has: compare them with those of maturitybot manifest slack")
	case len(app.Missing) > 0:
		f.say(fail, "slack", "scopes are missing: %s. Add them at %sOAuth & Permissions, and install the app again", strings.Join(app.Missing, ", "), slackPages)
	default:
		f.say(fine, "slack", "the app has all %d scopes of the manifest", len(slack.Scopes))
	}
	if app.Ahead.Abs() > apart {
		f.say(warn, "slack", "this machine's clock is %s off that of Slack: let it be set by the network (NTP)", app.Ahead.Abs().Round(time.Second))
	}
	if !conf.slack.UsesSocket() {
		f.say(fine, "slack", "by HTTP, at /slack, SLACK_SIGNING_SECRET %s (right only if Slack's requests come to be taken)", masked(conf.slack.SigningSecret))
		return
	}
	if err := adapter.CheckSocket(ctx); err != nil {
		f.say(fail, "slack", "%v (SLACK_APP_TOKEN %s)", err, masked(conf.slack.AppToken))
		return
	}
	f.say(fine, "slack", "by Socket Mode, SLACK_APP_TOKEN %s", masked(conf.slack.AppToken))
}

// discord asks Discord.
func (c *checkCommand) discord(ctx context.Context, f *findings, conf config) {
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	spec, err := appSpec()
	if err != nil {
		f.say(fail, "discord", "%v", err)
		return
	}
	adapter, err := discord.New(ctx, discord.Options{
		Token: conf.discord.Token, PublicKey: conf.discord.PublicKey, Guilds: conf.discord.Guilds,
		APIURL: c.DiscordAPI, Dial: c.dial, Commands: spec.Commands,
	})
	if err != nil {
		f.say(fail, "discord", "%v (DISCORD_TOKEN %s)", err, masked(conf.discord.Token))
		return
	}
	defer func() { _ = adapter.Drain(ctx) }() // nothing was taken
	app, err := adapter.Check(ctx)
	f.say(fine, "discord", "application %s (%s), DISCORD_TOKEN %s", app.Application, app.ID, masked(conf.discord.Token))
	switch {
	case conf.discord.UsesGateway() && app.Endpoint == "":
		f.say(fine, "discord", "by the gateway")
	case conf.discord.UsesGateway(): // what Check failed for
	case app.Endpoint == "":
		f.say(warn, "discord", "by HTTP, and no Interactions Endpoint URL is set: once the bot serves, set its address with /discord at the end at %sGeneral Information", discordPages)
	default:
		f.say(fine, "discord", "by HTTP, at %s, and DISCORD_PUBLIC_KEY is the application's", app.Endpoint)
	}
	switch {
	case err != nil:
		f.say(fail, "discord", "%v", err)
	case app.Registered:
		f.say(fine, "discord", "the commands are there")
	default:
		f.say(warn, "discord", "the commands are not there as this version has them: serve offers them when it starts")
	}
	if app.ID != "" {
		f.say(fine, "discord", "to add it to a server: %s", discord.InviteURL(app.ID))
	}
	if app.Public && len(conf.discord.Guilds) == 0 {
		f.say(warn, "discord", "anybody can add this bot to a server and run rounds there: "+
			"set Install Link to None at %sInstallation, then switch Public Bot off under Bot, "+
			"or set DISCORD_GUILDS", discordPages)
	}
}

// door tries whether requests could be listened for.
func (c *checkCommand) door(ctx context.Context, f *findings) {
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

// masked is what of a secret may be shown, to tell it from another: its kind and its last four characters.
func masked(s chat.Secret) string {
	const shown, least = 4, 16 // of what is shorter, four would be too many
	text := string(s)
	if len(text) < least {
		return chat.Mask
	}
	kind := ""
	if strings.HasPrefix(text, "xoxb-") || strings.HasPrefix(text, "xapp-") {
		kind = text[:5]
	}
	return kind + "…" + text[len(text)-shown:]
}
