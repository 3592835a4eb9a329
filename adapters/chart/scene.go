package chart

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"

	"maturitybot/survey/plaintext"
)

// scene is a picture as a list of shapes, which is then drawn in either format. The origin is at
// the top left.
type scene struct {
	faces  *faces
	shapes []any // rect, polygon, caption or hatching, in the order they are painted
	y      float64
	height float64
}

type rect struct {
	x, y, w, h float64
	fill       color.RGBA
	stroke     color.RGBA // none when it has no alpha; it is drawn inside
}

type caption struct {
	x, y  float64 // of the start of the baseline
	style style
	fill  color.RGBA
	text  string
}

type line struct{ x1, y1, x2, y2 float64 }

type point struct{ x, y float64 }

// polygon is filled between its corners.
type polygon struct {
	points []point
	fill   color.RGBA
}

// hatching is thin lines inside a rectangle.
type hatching struct {
	lines []line
	fill  color.RGBA
}

const (
	strokeWidth = 1.0
	hatchWidth  = 1.2
	hatchStep   = 8.0
)

func (s *scene) rect(r rect) { s.shapes = append(s.shapes, r) }

func (s *scene) text(c caption) {
	if c.text = plaintext.Line(c.text); c.text != "" {
		s.shapes = append(s.shapes, c)
	}
}

// paragraph writes a text over the whole width, on as many lines as it needs.
func (s *scene) paragraph(text string, st style, fill color.RGBA) {
	for _, part := range s.faces.wrap(plaintext.Clean(text), st, inner) {
		s.y += st.lineHeight()
		s.text(caption{x: margin, y: s.y - 0.28*st.size, style: st, fill: fill, text: part})
	}
}

// hatch draws the lines of a look over a rectangle, clipped at its edges.
func (s *scene) hatch(r rect, l look) {
	if l.hatch == 0 {
		return
	}
	h := hatching{fill: l.lines}
	left, right := r.x+strokeWidth, r.x+r.w-strokeWidth
	top, bottom := r.y+strokeWidth, r.y+r.h-strokeWidth
	height := bottom - top
	for at := left - height + hatchStep/2; at < right; at += hatchStep {
		// The line leaves the bottom at x = at and reaches the top at x = at + height.
		x1, x2 := max(at, left), min(at+height, right)
		if x2 <= x1 {
			continue
		}
		y1, y2 := bottom-(x1-at), bottom-(x2-at)
		if l.hatch < 0 {
			y1, y2 = top+(x1-at), top+(x2-at)
		}
		h.lines = append(h.lines, line{x1, y1, x2, y2})
	}
	if len(h.lines) > 0 {
		s.shapes = append(s.shapes, h)
	}
}

// style is the size of a text, in units, and its weight.
type style struct {
	size float64
	bold bool
}

func (s style) lineHeight() float64 { return 1.35 * s.size }

// faces are the fonts of one picture. Liberation Sans has the letters of Welsh. It has the widths
// of Arial as well, so that an SVG keeps its layout on a machine without Liberation Sans.
type faces struct {
	regular, bold *opentype.Font
	made          map[style]font.Face
}

func newFaces() (*faces, error) {
	regular, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read regular font: %w", err)
	}
	bold, err := opentype.Parse(liberationsansbold.TTF)
	if err != nil {
		return nil, fmt.Errorf("read bold font: %w", err)
	}
	return &faces{regular: regular, bold: bold, made: map[style]font.Face{}}, nil
}

// face returns the font of a style at its size in the PNG.
func (f *faces) face(st style) font.Face {
	if made, ok := f.made[st]; ok {
		return made
	}
	file := f.regular
	if st.bold {
		file = f.bold
	}
	// At 72 dots an inch a point is a pixel; NewFace reports no error for any size or hinting.
	made, _ := opentype.NewFace(file, &opentype.FaceOptions{
		Size:    st.size * pixelsPerUnit,
		DPI:     72,
		Hinting: font.HintingNone,
	})
	f.made[st] = made
	return made
}

// width returns the width of a text in units.
func (f *faces) width(text string, st style) float64 {
	return float64(font.MeasureString(f.face(st), text)) / 64 / pixelsPerUnit
}

// wrap breaks a text between words into lines that are no wider than room. It breaks a word only if
// the word alone is wider.
func (f *faces) wrap(text string, st style, room float64) []string {
	var lines []string
	current := ""
	for _, word := range strings.Fields(text) {
		joined := strings.TrimSpace(current + " " + word)
		if f.width(joined, st) <= room {
			current = joined
			continue
		}
		if current != "" {
			lines = append(lines, current)
		}
		for f.width(word, st) > room {
			runes := []rune(word)
			n := 1
			for n < len(runes)-1 && f.width(string(runes[:n+1]), st) <= room {
				n++
			}
			if n == len(runes) {
				break
			}
			lines = append(lines, string(runes[:n]))
			word = string(runes[n:])
		}
		current = word
	}
	if current != "" {
		lines = append(lines, current)
	}
	return lines
}
