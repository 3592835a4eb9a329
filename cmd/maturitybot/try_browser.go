package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"time"

	"github.com/cli/browser"

	"maturitybot/adapters/web"
	"maturitybot/bot/chat"
	"maturitybot/bot/locale"
	"maturitybot/cmd/maturitybot/server"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
)

// openBrowser opens an address in the browser of this machine. It returns an error if there is none.
func openBrowser(address string, env func(string) string) error {
	if runtime.GOOS == "linux" && cmp.Or(
		env("DISPLAY"), env("WAYLAND_DISPLAY"), env("WSL_DISTRO_NAME"), env("BROWSER"),
	) == "" {
		return errors.New("open a browser: this session has no screen")
	}
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	return browser.OpenURL(address)
}

// browserTrial is a trial in a browser: the survey as a stakeholder sees it, and then what the bot
// posts for the coordinator.
type browserTrial struct {
	*trial
	token  string // of the link
	folder string // for the files of the results, or empty
	pages  *web.Server
	end    context.CancelFunc

	closing sync.Mutex // held while the survey is closed, which takes a moment
	posts   []chat.Post
	// last is the voice that the person had at the close, which destroys what leads to them.
	last locale.Voice
}

// Paths of the pages that only a trial has.
const (
	channelPath = "/channel"
	filesPath   = "/files/"
	endPath     = "/end"
)

// browse serves the trial on this machine alone until the person or the context ends it. It calls
// open with the address of the first page. If that fails, it serves nothing and returns false.
func (t *trial) browse(
	ctx context.Context, s system, folder string, open func(address string) error,
) (bool, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return false, fmt.Errorf("serve the pages: %w", err)
	}
	defer func() { _ = l.Close() }() // the server has closed it
	ctx, end := context.WithCancel(ctx)
	defer end()
	b := &browserTrial{trial: t, token: rand.Text() + rand.Text(), folder: folder, end: end}
	address := &url.URL{Scheme: "http", Host: l.Addr().String()}
	b.pages = b.newServer(address)
	local := &http.Server{
		Handler: b.pages, ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: time.Minute, IdleTimeout: time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- local.Serve(l) }()
	first := address.JoinPath(string(t.round), b.token)
	first.RawQuery = url.Values{"lang": {t.voice.Lang}}.Encode()
	if err := open(first.String()); err != nil {
		return false, local.Close()
	}
	_, err = fmt.Fprintf(s.out, "%s\n\n    %s\n\n%s\n",
		t.voice.Say("try.address"), first, t.voice.Say("try.ends"))
	if err != nil {
		return true, fmt.Errorf("print the address: %w", err)
	}
	select {
	case err := <-served:
		return true, fmt.Errorf("serve the pages: %w", err)
	case <-ctx.Done():
	}
	// What the person pressed last is still answered.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if local.Shutdown(ending) != nil {
		_ = local.Close() // the browser keeps a connection open
	}
	return true, nil
}

// newServer returns the pages of the survey, and those of the trial.
func (b *browserTrial) newServer(address *url.URL) *web.Server { return web.New(b.options(address)) }

func (b *browserTrial) options(address *url.URL) web.Options {
	options := server.PageOptions(address, b.bot, b)
	options.Routes = map[string]http.HandlerFunc{
		"POST " + channelPath:         b.closeAndShow,
		"GET " + channelPath:          b.showChannel,
		"GET " + filesPath + "{name}": b.serveFile,
		"POST " + endPath:             b.stop,
	}
	options.Buttons = []web.PageButton{
		{Key: "try.see_channel", Path: channelPath}, {Key: "try.end", Path: endPath},
	}
	return options
}

// Find knows one link, which is the person's own.
func (b *browserTrial) Find(ctx context.Context, round, token string) (web.Visit, error) {
	if round != string(b.round) || subtle.ConstantTimeCompare([]byte(token), []byte(b.token)) != 1 {
		return web.Visit{}, web.ErrNoLink
	}
	p, err := b.participation(ctx)
	if err != nil {
		return web.Visit{}, err
	}
	visit := web.Visit{
		Who: b.you, Language: string(p.Member.Language), Closed: !p.Round.AcceptsAnswers(b.now()),
		About: func(lang string) chat.Card { return b.bot.About(p.Round, b.matrix, lang) },
		Help:  func(lang string) chat.Card { return b.bot.Help(p.Round, lang) },
	}
	b.closing.Lock()
	if b.posts != nil {
		visit.Language = b.last.Lang
	}
	b.closing.Unlock()
	for _, lang := range p.Round.Languages {
		visit.Languages = append(visit.Languages, string(lang))
	}
	return visit, nil
}

// Enter returns the token of the link.
func (b *browserTrial) Enter(_ context.Context, _, token, _ string) (string, error) {
	return token, nil
}

// SetLanguage saves the language of the person.
func (b *browserTrial) SetLanguage(
	ctx context.Context, _ string, who chat.Person, lang string,
) error {
	person := survey.PersonID(who.String())
	_, err := b.rounds.For(person).SetLanguage(ctx, b.round, matrix.Lang(lang))
	return err
}

// closeAndShow closes the survey, and leads to what the bot posts.
func (b *browserTrial) closeAndShow(w http.ResponseWriter, r *http.Request) {
	b.closing.Lock()
	defer b.closing.Unlock()
	if err := b.closeAndWrite(context.WithoutCancel(r.Context())); err != nil {
		b.log.Error("the results were not shown", "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, channelPath, http.StatusSeeOther)
}

// closeAndWrite closes the survey, once, and writes the files of the results to the folder.
func (b *browserTrial) closeAndWrite(ctx context.Context) error {
	if b.posts == nil {
		b.last = b.yourVoice(ctx)
		posts, err := b.closeRound(ctx, b.last)
		if err != nil {
			return err
		}
		b.posts = posts
	}
	if b.folder == "" {
		return nil
	}
	_, err := writeFiles(b.folder, b.posts)
	return err
}

// showChannel shows what is in the coordinator's channel, or leads to the survey while it is open.
func (b *browserTrial) showChannel(w http.ResponseWriter, r *http.Request) {
	b.closing.Lock()
	posts, voice := b.posts, b.last
	b.closing.Unlock()
	if posts == nil {
		http.Redirect(w, r, "/survey", http.StatusSeeOther)
		return
	}
	var cards []chat.Card
	var shown []web.PageFile
	for _, post := range posts {
		cards = append(cards, post.Card)
		for _, f := range post.Files {
			shown = append(shown, web.PageFile{
				Name: f.Name, URL: filesPath + url.PathEscape(f.Name),
				Picture: f.Type == "image/png", Alt: f.Alt,
			})
		}
	}
	b.pages.ShowCards(w, r, voice.Lang, voice.Say("try.channel"), voice.Say("try.channel_intro"),
		cards, shown)
}

// serveFile serves a file of the results.
func (b *browserTrial) serveFile(w http.ResponseWriter, r *http.Request) {
	b.closing.Lock()
	posts := b.posts
	b.closing.Unlock()
	for _, post := range posts {
		for _, f := range post.Files {
			if f.Name == r.PathValue("name") {
				w.Header().Set("Content-Type", f.Type)
				_, _ = w.Write(f.Data) // the browser may have gone
				return
			}
		}
	}
	http.NotFound(w, r)
}

// stop says goodbye, and ends the program.
func (b *browserTrial) stop(w http.ResponseWriter, r *http.Request) {
	b.closing.Lock()
	voice := b.last
	if b.posts == nil {
		voice = b.yourVoice(r.Context())
	}
	b.closing.Unlock()
	b.pages.ShowCards(w, r, voice.Lang, voice.Say("try.ended"), voice.Say("try.ended_body"), nil, nil)
	b.end()
}
