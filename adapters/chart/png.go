package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// png paints the scene in pixels.
func (s *scene) png() ([]byte, error) {
	c := newCanvas(width*pixelsPerUnit, int(math.Ceil(s.height*pixelsPerUnit)))
	for _, shape := range s.shapes {
		switch v := shape.(type) {
		case rect:
			paintRect(c, v)
		case polygon:
			paintPolygon(c, v)
		case hatching:
			paintHatching(c, v)
		case caption:
			paintCaption(c, v, s.faces.face(v.style))
		}
	}
	var b bytes.Buffer
	// A picture of few colours is hardly smaller at a higher level, which takes five times as long.
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, c.image()); err != nil {
		return nil, fmt.Errorf("draw PNG: %w", err)
	}
	return b.Bytes(), nil
}

// paintRect fills whole pixels: the edges of bars are sharp, and neighbours share the edge between
// them.
func paintRect(c *canvas, r rect) {
	outer := image.Rect(pixel(r.x), pixel(r.y), pixel(r.x+r.w), pixel(r.y+r.h))
	if r.stroke.A != 0 {
		c.fill(outer, r.stroke)
		outer = outer.Inset(pixel(strokeWidth))
	}
	c.fill(outer, r.fill)
}

func pixel(units float64) int { return int(math.Round(units * pixelsPerUnit)) }

func paintPolygon(c *canvas, p polygon) {
	var box image.Rectangle
	for _, at := range p.points {
		x, y := pixel(at.x), pixel(at.y)
		box = box.Union(image.Rect(x-1, y-1, x+2, y+2))
	}
	box = box.Intersect(c.bounds())
	if box.Empty() {
		return
	}
	z := vector.NewRasterizer(box.Dx(), box.Dy())
	for i, at := range p.points {
		x := float32(at.x*pixelsPerUnit - float64(box.Min.X))
		y := float32(at.y*pixelsPerUnit - float64(box.Min.Y))
		if i == 0 {
			z.MoveTo(x, y)
			continue
		}
		z.LineTo(x, y)
	}
	z.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	z.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	c.blend(box, mask, image.Point{}, p.fill)
}

// paintHatching paints all lines at once: they do not cross.
func paintHatching(c *canvas, h hatching) {
	var box image.Rectangle
	for _, l := range h.lines {
		box = box.Union(image.Rect(
			pixel(l.x1)-2, pixel(min(l.y1, l.y2))-2, pixel(l.x2)+2, pixel(max(l.y1, l.y2))+2,
		))
	}
	box = box.Intersect(c.bounds())
	if box.Empty() {
		return
	}
	z := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, l := range h.lines {
		x1, y1 := l.x1*pixelsPerUnit-float64(box.Min.X), l.y1*pixelsPerUnit-float64(box.Min.Y)
		x2, y2 := l.x2*pixelsPerUnit-float64(box.Min.X), l.y2*pixelsPerUnit-float64(box.Min.Y)
		length := math.Hypot(x2-x1, y2-y1)
		// Half the line's width, square to it.
		dx := (y2 - y1) / length * hatchWidth * pixelsPerUnit / 2
		dy := (x1 - x2) / length * hatchWidth * pixelsPerUnit / 2
		z.MoveTo(float32(x1+dx), float32(y1+dy))
		z.LineTo(float32(x2+dx), float32(y2+dy))
		z.LineTo(float32(x2-dx), float32(y2-dy))
		z.LineTo(float32(x1-dx), float32(y1-dy))
		z.ClosePath()
	}
	mask := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	z.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	c.blend(box, mask, image.Point{}, h.fill)
}

// paintCaption writes a line of text.
func paintCaption(c *canvas, t caption, face font.Face) {
	dot := fixed.Point26_6{
		X: fixed.Int26_6(t.x * pixelsPerUnit * 64),
		Y: fixed.Int26_6(t.y * pixelsPerUnit * 64),
	}
	before := rune(-1)
	for _, r := range t.text {
		if before >= 0 {
			dot.X += face.Kern(before, r)
		}
		// The mask of a rune that the font lacks is the font's own sign for that.
		box, mask, at, advance, _ := face.Glyph(dot, r)
		if alpha, ok := mask.(*image.Alpha); ok {
			c.blend(box, alpha, at, t.fill)
		}
		dot.X += advance
		before = r
	}
}
