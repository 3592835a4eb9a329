package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// png paints the scene in pixels.
func (s *scene) png() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, width*pixelsPerUnit, int(math.Ceil(s.height*pixelsPerUnit))))
	draw.Draw(img, img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	for _, shape := range s.shapes {
		switch v := shape.(type) {
		case rect:
			paintRect(img, v)
		case hatching:
			paintHatching(img, v)
		case caption:
			d := font.Drawer{
				Dst: img, Src: image.NewUniform(v.fill), Face: s.faces.face(v.style),
				Dot: fixed.Point26_6{X: fixed.Int26_6(v.x * pixelsPerUnit * 64), Y: fixed.Int26_6(v.y * pixelsPerUnit * 64)},
			}
			d.DrawString(v.text)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("draw PNG: %w", err)
	}
	return b.Bytes(), nil
}

// paintRect fills whole pixels: the edges of bars are sharp, and neighbours share the edge between them.
func paintRect(img *image.RGBA, r rect) {
	outer := image.Rect(pixel(r.x), pixel(r.y), pixel(r.x+r.w), pixel(r.y+r.h))
	if r.stroke.A != 0 {
		fill(img, outer, r.stroke)
		outer = outer.Inset(pixel(strokeWidth))
	}
	fill(img, outer, r.fill)
}

func fill(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

func pixel(units float64) int { return int(math.Round(units * pixelsPerUnit)) }

func paintHatching(img *image.RGBA, h hatching) {
	for _, l := range h.lines {
		// A line is painted inside its own box, to which the rasteriser's canvas is cut.
		box := image.Rect(
			pixel(l.x1)-2, pixel(min(l.y1, l.y2))-2, pixel(l.x2)+2, pixel(max(l.y1, l.y2))+2,
		).Intersect(img.Bounds())
		if box.Empty() {
			continue
		}
		x1, y1 := l.x1*pixelsPerUnit-float64(box.Min.X), l.y1*pixelsPerUnit-float64(box.Min.Y)
		x2, y2 := l.x2*pixelsPerUnit-float64(box.Min.X), l.y2*pixelsPerUnit-float64(box.Min.Y)
		length := math.Hypot(x2-x1, y2-y1)
		// Half the line's width, square to it.
		dx, dy := (y2-y1)/length*hatchWidth*pixelsPerUnit/2, (x1-x2)/length*hatchWidth*pixelsPerUnit/2
		z := vector.NewRasterizer(box.Dx(), box.Dy())
		z.MoveTo(float32(x1+dx), float32(y1+dy))
		z.LineTo(float32(x2+dx), float32(y2+dy))
		z.LineTo(float32(x2-dx), float32(y2-dy))
		z.LineTo(float32(x1-dx), float32(y1-dy))
		z.ClosePath()
		z.Draw(img, box, image.NewUniform(h.fill), image.Point{})
	}
}
