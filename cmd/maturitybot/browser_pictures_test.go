package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var pictureFolder = flag.String("pictures", "", "a folder to write pictures of the pages to")

// browserPictures are the pictures of pages in .github/pictures.
var browserPictures = []string{"web-question", "web-receipt", "web-channel"}

// TestBrowserPictures draws pictures of the pages, for the documents. .github/pictures/draw runs it.
func TestBrowserPictures(t *testing.T) {
	if *pictureFolder == "" {
		t.Skip("-pictures FOLDER draws pictures of the pages")
	}
	s := newBrowserSurvey(t, "england", "en")
	p := s.newTab(t, chromium(t), "en", viewport{375, 760})
	p.run(media("", "prefers-color-scheme", "light"))
	draw := func(name string, height int64) {
		t.Helper()
		p.run(chromedp.EmulateViewport(375, height, chromedp.EmulateScale(1.5)))
		picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(*pictureFolder, name+".png"), picture, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w := walker{p, s, "en"}
	w.enter(s.token)
	w.press(w.level(2))
	draw(browserPictures[0], 1000)
	w.detail()
	w.answer()
	w.press(w.level(1)) // the question that was skipped
	w.press(w.say("button.submit"))
	w.wants(w.say("receipt.title"))
	draw(browserPictures[1], 1000)
	w.press(w.say("try.see_channel"))
	draw(browserPictures[2], 1000)
}
