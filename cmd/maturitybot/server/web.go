package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"maturitybot/adapters/web"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// Web is the configuration of the pages for people who take part by link.
type Web struct {
	URL    *url.URL // public address, without a path
	Listen string   // address to listen on; empty for that of the platforms
	Keys   survey.LinkKeys
}

// Shares reports whether the pages are served at listen, the address of the platforms' requests.
func (w *Web) Shares(listen string) bool {
	return w != nil && (w.Listen == "" || w.Listen == listen)
}

// serveWeb serves the pages until the context ends.
func (v *service) serveWeb(ctx context.Context) error {
	options := PageOptions(v.Web.URL, v.bot, links{v.rounds, v.bot})
	options.Log = v.log.With("platform", survey.WebPlatform)
	pages := web.New(options)
	if v.Web.Shares(v.Listen) {
		v.mount(ctx, survey.WebPlatform, pages, "/")
		return nil
	}
	own, err := listen(ctx, v.Web.Listen, maxConnections, v.log, pages)
	if err != nil {
		return fmt.Errorf("serve pages at WEB_LISTEN: %w", err)
	}
	v.log.Info("listening for pages", "address", own.Addr)
	v.health.setConnected(survey.WebPlatform, true)
	return own.run(ctx)
}

// PageOptions returns the options of pages at an address that show a bot to people with links.
func PageOptions(address *url.URL, b *bot.Bot, l web.Links) web.Options {
	return web.Options{
		URL: address, Responder: b, Links: l,
		Pages: bot.PageVerbs(), Actions: bot.LinkVerbs(), Home: bot.HomeVerb, Last: bot.LastVerbs(),
		Say: func(lang, key string, facts ...any) string {
			return b.Words.In(lang).Say(key, facts...)
		},
		Log: b.Log, Now: b.Now,
	}
}

// links says where links lead: to people of rounds.
type links struct {
	rounds *survey.Rounds
	bot    *bot.Bot
}

var _ web.Links = links{}

// Find returns where a token leads.
func (l links) Find(ctx context.Context, round, token string) (web.Visit, error) {
	found, err := l.rounds.Visiting().Find(ctx, survey.RoundID(round), token)
	if err != nil {
		return web.Visit{}, webError(err)
	}
	m, err := l.rounds.Matrix(found.Round)
	if err != nil {
		return web.Visit{}, err
	}
	visit := web.Visit{
		Language: string(found.Member.Language), Open: found.Open, Code: found.Code,
		Closed:     found.Round.State == survey.Closed,
		ForReading: found.ForReading,
		About:      func(lang string) chat.Card { return l.bot.About(found.Round, m, lang) },
		Help:       func(lang string) chat.Card { return l.bot.Help(found.Round, lang) },
	}
	if found.Open && !found.Round.AcceptsAnswers(l.bot.Now()) {
		visit.Closed = true
	}
	if found.Member.Person != "" {
		if visit.Who, err = chat.ParsePerson(string(found.Member.Person)); err != nil {
			return web.Visit{}, err
		}
	}
	for _, lang := range found.Round.Languages {
		visit.Languages = append(visit.Languages, string(lang))
	}
	return visit, nil
}

// Enter lets a person in.
func (l links) Enter(ctx context.Context, round, token, event string) (string, error) {
	op := survey.Operation{ID: event, At: l.bot.Now()}
	entered, err := l.rounds.Visiting().Enter(ctx, survey.RoundID(round), token, op)
	return entered, webError(err)
}

// SetLanguage saves the language of a person. A language that the survey does not have changes
// nothing, and neither does one that is chosen after the end.
func (l links) SetLanguage(ctx context.Context, round string, who chat.Person, lang string) error {
	person := l.rounds.For(survey.PersonID(who.String()))
	_, err := person.SetLanguage(ctx, survey.RoundID(round), matrix.Lang(lang))
	if _, ok := errors.AsType[*survey.InputError](err); ok || errors.Is(err, survey.ErrClosed) ||
		errors.Is(err, survey.ErrWithdrawn) {
		return nil
	}
	return webError(err)
}

// webError returns the error of package web that stands for an error of package survey. A round that
// has closed in between leads nowhere new.
func webError(err error) error {
	switch {
	case errors.Is(err, survey.ErrNoLink), errors.Is(err, survey.ErrNoRound):
		return web.ErrNoLink
	case errors.Is(err, survey.ErrLinkFull):
		return web.ErrFull
	case errors.Is(err, survey.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", web.ErrUnavailable, err)
	}
	return err
}
