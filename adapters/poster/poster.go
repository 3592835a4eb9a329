// Package poster draws the open link of a survey: as a QR code, and as a page to print. Its texts
// come with what it draws. The page is one file with nothing to load and no script.
package poster

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"maturitybot/bot/card"
	"maturitybot/bot/chat"
)

// Renderer draws posters.
type Renderer struct{}

// New returns a Renderer.
func New() Renderer { return Renderer{} }

const (
	// quiet is the width of the white border that a reader needs, in modules (ISO/IEC 18004).
	quiet = 4
	// scale is how many pixels a module of the picture has: about 600 in all, for a print of 5 cm.
	scale = 12
)

//go:embed poster.html
var pageSource string

var page = template.Must(template.New("poster").Parse(pageSource))

// Poster writes the QR code as PNG and SVG, a page to print, and the address as text.
func (Renderer) Poster(p card.Poster) ([]chat.File, error) {
	code, err := qr.Encode(p.Link, qr.M, qr.Unicode) // bytes: addresses have small letters
	if err != nil {
		return nil, fmt.Errorf("draw a QR code: %w", err)
	}
	picture, err := drawPNG(code)
	if err != nil {
		return nil, err
	}
	svg := drawSVG(code, p.Alt)
	var html bytes.Buffer
	err = page.Execute(&html, struct {
		card.Poster
		Code template.HTML
	}{p, template.HTML(svg)}) // the only text in it is escaped
	if err != nil {
		return nil, fmt.Errorf("write the poster: %w", err)
	}
	return []chat.File{
		{Name: p.Name + ".html", Type: "text/html", Data: html.Bytes()},
		{Name: p.Name + ".png", Type: "image/png", Alt: p.Alt, Data: picture},
		{Name: p.Name + ".svg", Type: "image/svg+xml", Alt: p.Alt, Data: []byte(svg)},
		{Name: p.Name + ".txt", Type: "text/plain", Data: []byte(p.Link + "\n")},
	}, nil
}

// isDark reports whether a module of a code is dark.
func isDark(code barcode.Barcode, x, y int) bool {
	r, _, _, _ := code.At(x, y).RGBA()
	return r == 0
}

// drawPNG draws a code as a picture in black and white.
func drawPNG(code barcode.Barcode) ([]byte, error) {
	modules := code.Bounds().Dx()
	side := (modules + 2*quiet) * scale
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			column, row := x/scale-quiet, y/scale-quiet
			inside := column >= 0 && row >= 0 && column < modules && row < modules
			if inside && isDark(code, column, row) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("write a picture: %w", err)
	}
	return b.Bytes(), nil
}

// drawSVG draws a code as SVG. Neighbouring modules of a row are one rectangle.
func drawSVG(code barcode.Barcode, alt string) string {
	modules := code.Bounds().Dx()
	side := modules + 2*quiet
	var path strings.Builder
	for y := range modules {
		for x := 0; x < modules; x++ {
			from := x
			for x < modules && isDark(code, x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" role="img" `+
		`shape-rendering="crispEdges"><title>%[2]s</title><path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/>`+
		`<path d="%[3]s"/></svg>`, side, template.HTMLEscapeString(alt), path.String())
}
