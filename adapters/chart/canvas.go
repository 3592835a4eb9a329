package chart

import (
	"image"
	"image/color"
)

// blends is how many shades there are between a colour and what it is painted on, at the edges of
// letters and lines. With few shades a picture has fewer colours than the 256 of a PNG's palette,
// and is a third of the size that it has without one.
const blends = 15

// canvas is a picture whose pixels are indexes into a palette.
type canvas struct {
	pixels  *image.Paletted
	indexes map[color.RGBA]uint8
	blended map[blend]uint8
}

// blend is a colour painted in a shade over another one.
type blend struct {
	over  uint8 // in the palette
	fill  color.RGBA
	shade uint8 // 1 to blends
}

// newCanvas returns a canvas of paper.
func newCanvas(width, height int) *canvas {
	c := &canvas{
		pixels:  image.NewPaletted(image.Rect(0, 0, width, height), nil),
		indexes: map[color.RGBA]uint8{},
		blended: map[blend]uint8{},
	}
	c.index(paper) // it is the first, which every pixel is already
	return c
}

// image returns the picture. It shares its pixels with the canvas.
func (c *canvas) image() image.Image { return c.pixels }

func (c *canvas) bounds() image.Rectangle { return c.pixels.Rect }

// index returns a colour's place in the palette, or when the palette is full, that of the colour
// nearest to it.
func (c *canvas) index(of color.RGBA) uint8 {
	if i, ok := c.indexes[of]; ok {
		return i
	}
	i := len(c.pixels.Palette)
	if i < 256 {
		c.pixels.Palette = append(c.pixels.Palette, of)
	} else {
		i = c.pixels.Palette.Index(of)
	}
	c.indexes[of] = uint8(i)
	return uint8(i)
}

// fill paints a rectangle.
func (c *canvas) fill(r image.Rectangle, with color.RGBA) {
	r = r.Intersect(c.pixels.Rect)
	if r.Empty() {
		return
	}
	index := c.index(with)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		at := c.pixels.PixOffset(r.Min.X, y)
		row := c.pixels.Pix[at : at+r.Dx()]
		for x := range row {
			row[x] = index
		}
	}
}

// blend paints a colour over a rectangle, as far as the mask covers it. The mask begins at from.
func (c *canvas) blend(r image.Rectangle, mask *image.Alpha, from image.Point, with color.RGBA) {
	inside := r.Intersect(c.pixels.Rect)
	for y := inside.Min.Y; y < inside.Max.Y; y++ {
		for x := inside.Min.X; x < inside.Max.X; x++ {
			alpha := mask.AlphaAt(from.X+x-r.Min.X, from.Y+y-r.Min.Y).A
			shade := uint8((int(alpha)*blends + 127) / 255)
			if shade == 0 {
				continue
			}
			pixel := &c.pixels.Pix[c.pixels.PixOffset(x, y)]
			*pixel = c.mixed(blend{*pixel, with, shade})
		}
	}
}

// mixed returns the place in the palette of a colour painted in a shade over another.
func (c *canvas) mixed(b blend) uint8 {
	if i, ok := c.blended[b]; ok {
		return i
	}
	over, _ := c.pixels.Palette[b.over].(color.RGBA) // there are no others
	i := c.index(mix(over, b.fill, float64(b.shade)/blends))
	c.blended[b] = i
	return i
}
