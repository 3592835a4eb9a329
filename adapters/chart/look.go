package chart

import (
	"image/color"
	"math"
)

var (
	paper = color.RGBA{255, 255, 255, 255}
	ink   = color.RGBA{0, 0, 0, 255}
)

// look is the appearance of a level's part of a bar.
type look struct {
	fill  color.RGBA
	text  color.RGBA
	lines color.RGBA
	hatch int // 0 plain, 1 lines rising to the right, -1 falling
}

// looksOf gives each of so many levels its look, from light to dark. Contrast as WCAG 2 reckons it
// is the ratio of two lightnesses plus 0.05 each; equal ratios from step to step tell neighbours
// apart as well as can be, and whatever the step, ink or paper stands out from it by 4.5 or more.
// Every other level is hatched, in turning directions, so that neighbours differ without any
// lightness too.
func looksOf(levels int) []look {
	const lightest, darkest = 0.92, 0.065
	looks := make([]look, levels)
	for i := range looks {
		step := 0.0
		if levels > 1 {
			step = float64(i) / float64(levels-1)
		}
		fill := tone(lightest*math.Pow(darkest/lightest, step) - 0.05)
		text := ink
		if contrast(fill, paper) > contrast(fill, ink) {
			text = paper
		}
		looks[i] = look{fill: fill, text: text, lines: mix(fill, text, 0.45)}
		switch i % 4 {
		case 1:
			looks[i].hatch = 1
		case 3:
			looks[i].hatch = -1
		}
	}
	return looks
}

// tone is a blue of the given relative luminance: the pure one made darker, or mixed with white.
func tone(luminance float64) color.RGBA {
	r, g, b := 0.05, 0.25, 0.55
	pure := 0.2126*r + 0.7152*g + 0.0722*b
	if luminance <= pure {
		f := luminance / pure
		r, g, b = r*f, g*f, b*f
	} else {
		f := (luminance - pure) / (1 - pure)
		r, g, b = r+(1-r)*f, g+(1-g)*f, b+(1-b)*f
	}
	return color.RGBA{fromLinear(r), fromLinear(g), fromLinear(b), 255}
}

// luminance is relative luminance as WCAG 2 defines it.
func luminance(c color.RGBA) float64 {
	return 0.2126*toLinear(c.R) + 0.7152*toLinear(c.G) + 0.0722*toLinear(c.B)
}

// contrast is the contrast ratio of two colours as WCAG 2 defines it, from 1 to 21.
func contrast(a, b color.RGBA) float64 {
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return max(x, y) / min(x, y)
}

func toLinear(v uint8) float64 {
	c := float64(v) / 255
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}

func fromLinear(v float64) uint8 {
	if v <= 0.0031308 {
		return uint8(math.Round(255 * 12.92 * v))
	}
	return uint8(math.Round(255 * (1.055*math.Pow(v, 1/2.4) - 0.055)))
}

func mix(a, b color.RGBA, share float64) color.RGBA {
	m := func(x, y uint8) uint8 {
		return uint8(math.Round(float64(x) + share*(float64(y)-float64(x))))
	}
	return color.RGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), 255}
}
