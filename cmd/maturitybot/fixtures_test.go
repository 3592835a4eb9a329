package main

import (
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"maturitybot/adapters/resultfiles"
	"maturitybot/bot"
	"maturitybot/bot/chat"
	"maturitybot/survey"
	"maturitybot/survey/matrix"
	"maturitybot/survey/results"
)

// editions returns the matrices that come with the program, the same ones each time: cachedRenderer
// tells matrices apart by their addresses.
var editions = sync.OnceValue(matrix.Editions)

// renderer returns one that draws the same results once. The tests of this package share it.
var renderer = sync.OnceValue(func() bot.ResultRenderer {
	return &cachedRenderer{
		ResultRenderer: resultfiles.New(sentences()),
		pictures:       map[drawing]picture{}, files: map[drawing][]chat.File{},
	}
})

// testOptions returns what a bot of the tests is built from.
func testOptions(matrices matrix.List, log *slog.Logger) embeddedOptions {
	return embeddedOptions{matrices: matrices, log: log, renderer: renderer()}
}

// buildForTest is newEmbeddedBot with what the tests share.
func buildForTest(
	matrices matrix.List, people messenger, now func() time.Time, log *slog.Logger,
) (*embeddedBot, error) {
	o := testOptions(matrices, log)
	o.people, o.now = people, now
	o.webURL, o.linkKeys = "https://survey.example/s", survey.LinkKeys{stageKey}
	return newEmbeddedBot(o)
}

// cachedRenderer draws the picture and the files of the same results once. Drawing takes most of the
// time of a test that asks for results often, and adapters/chart, adapters/table and
// adapters/resultfiles test what is drawn.
type cachedRenderer struct {
	bot.ResultRenderer
	mu       sync.Mutex
	pictures map[drawing]picture
	files    map[drawing][]chat.File
}

// drawing says what is drawn: the results as JSON have the matrix by its id alone.
type drawing struct {
	matrix *matrix.Matrix
	sum    [sha256.Size]byte
}

func drawingOf(p results.Published, lang matrix.Lang) (drawing, error) {
	raw, err := json.Marshal([]any{lang, p, p.Context})
	return drawing{p.Matrix, sha256.Sum256(raw)}, err
}

type picture struct {
	png []byte
	alt string
}

func (c *cachedRenderer) Picture(p results.Published, lang matrix.Lang) ([]byte, string, error) {
	key, err := drawingOf(p, lang)
	if err != nil {
		return nil, "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if drawn, ok := c.pictures[key]; ok {
		return drawn.png, drawn.alt, nil
	}
	png, alt, err := c.ResultRenderer.Picture(p, lang)
	if err == nil {
		c.pictures[key] = picture{png, alt}
	}
	return png, alt, err
}

func (c *cachedRenderer) ExportFiles(p results.Published, lang matrix.Lang) ([]chat.File, error) {
	key, err := drawingOf(p, lang)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if written, ok := c.files[key]; ok {
		return slices.Clone(written), nil
	}
	files, err := c.ResultRenderer.ExportFiles(p, lang)
	if err == nil {
		c.files[key] = slices.Clone(files)
	}
	return files, err
}
