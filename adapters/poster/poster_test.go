package poster

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
)

// folder is where the files are written to be looked at, if it is given.
var folder = flag.String("files", "", "folder to write the files to")

// bilingual returns a poster in two languages, with an area of every awkward character.
func bilingual() card.Poster {
	return card.Poster{
		Link: "https://survey.northshire-and-district.example.gov.uk/s/abcdefgh23/61_9JjwxCRq_Ax324jBPI-SMu-u5B2G3RIPa6q2WqbM",
		Name: "poster-x", Alt: `QR code that opens the survey of <North> & "Shire"`,
		Texts: []card.PosterText{
			{
				Lang: "en", Title: `Maternity and early years in <North> & "Shire": your view`,
				Lines: []string{
					"How well do services for pregnancy and young children work together here? Tell us in a short survey on the web. You do not need an account.",
					"It takes 15 to 18 minutes. You can answer until 5pm on Friday 11 December 2026.", "The results never name anyone.",
				},
				Scan: "Scan the code with your phone, or open this address:",
			},
			{
				Lang: "cy", Title: `Mamolaeth a'r blynyddoedd cynnar – <North> & "Shire": eich barn chi`,
				Lines: []string{
					"Pa mor dda mae gwasanaethau beichiogrwydd a phlant bach yn gweithio gyda'i gilydd yma? Rhowch eich barn mewn arolwg byr ar y we. Does dim angen cyfrif.",
					"Mae'n cymryd 15 i 18 munud. Gallwch chi ateb tan 5yp ddydd Gwener 11 Rhagfyr 2026.", "Dydy'r canlyniadau byth yn enwi neb.",
				},
				Scan: "Sganiwch y cod â'ch ffôn, neu agorwch y cyfeiriad hwn:",
			},
		},
	}
}

// files draws a poster.
func files(t *testing.T, p card.Poster) map[string]chat.File {
	t.Helper()
	all, err := New().Poster(p)
	if err != nil {
		t.Fatal(err)
	}
	byEnding := map[string]chat.File{}
	for _, f := range all {
		byEnding[filepath.Ext(f.Name)] = f
		if *folder != "" {
			if err := os.WriteFile(filepath.Join(*folder, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return byEnding
}

// TestPage checks that the page says everything in each language, loads nothing and runs nothing.
func TestPage(t *testing.T) {
	p := bilingual()
	all := files(t, p)
	html := string(all[".html"].Data)
	for _, want := range []string{
		`<html lang="en">`, `<section lang="cy">`, "15 to 18 minutes", "Rhagfyr 2026", "&lt;North&gt; &amp; &#34;Shire&#34;",
		`<a href="` + p.Link + `">` + p.Link + `</a>`, "<title>QR code that opens the survey", "@page",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	loads := regexp.MustCompile(`(?i)<script|<link|<img|@import|url\(|src=|<North>| on\w+=`)
	if found := loads.FindString(html); found != "" {
		t.Errorf("the page has %q", found)
	}
	if got := string(all[".txt"].Data); got != p.Link+"\n" {
		t.Errorf("the address is %q", got)
	}
	p.Name, p.Texts = "poster-one", p.Texts[1:]
	if html := string(files(t, p)[".html"].Data); !strings.Contains(html, `<html lang="cy">`) || strings.Contains(html, `lang="en"`) || strings.Contains(html, "<h2>") {
		t.Error("a poster in Welsh alone is in another language")
	}
}

// TestPicturesAgree checks that the PNG and the SVG have the same dark modules, inside a white border.
func TestPicturesAgree(t *testing.T) {
	all := files(t, bilingual())
	picture, err := png.Decode(bytes.NewReader(all[".png"].Data))
	if err != nil {
		t.Fatal(err)
	}
	side := picture.Bounds().Dx() / scale
	drawn := 0
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1`).FindAllStringSubmatch(string(all[".svg"].Data), -1) {
		x, y, width := number(m[1]), number(m[2]), number(m[3])
		if x < quiet || y < quiet || x+width > side-quiet || y >= side-quiet {
			t.Errorf("%s is in the border", m[0])
		}
		for i := range width {
			if r, _, _, _ := picture.At((x+i)*scale+scale/2, y*scale+scale/2).RGBA(); r != 0 {
				t.Errorf("the module at %d, %d is white in the PNG", x+i, y)
			}
		}
		drawn += width
	}
	dark := 0
	for y := range side {
		for x := range side {
			if r, _, _, _ := picture.At(x*scale, y*scale).RGBA(); r == 0 {
				dark++
			}
		}
	}
	if drawn != dark || dark < 100 {
		t.Errorf("%d modules are dark in the SVG, %d in the PNG", drawn, dark)
	}
	for _, ending := range []string{".png", ".svg"} {
		if all[ending].Alt == "" {
			t.Errorf("%s has no description", ending)
		}
	}
}

func number(digits string) (n int) {
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}

// TestLinkTooLong checks that an address that fits no code is an error.
func TestLinkTooLong(t *testing.T) {
	p := bilingual()
	p.Link = strings.Repeat("x", 5000)
	if _, err := New().Poster(p); err == nil {
		t.Error("it is drawn")
	}
}
