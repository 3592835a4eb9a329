package chart

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"
	"testing"

	"maturitybot/survey/matrix"
)

// TestPaletteHoldsEveryColour checks that each colour of the scene is in the picture as it was
// chosen: the contrast between levels depends on it.
func TestPaletteHoldsEveryColour(t *testing.T) {
	const levels = 5
	raw, err := PNG(published(17, levels), matrix.Welsh, welsh)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	picture, ok := decoded.(*image.Paletted)
	if !ok {
		t.Fatalf("the picture is %T, which is three times as large", decoded)
	}
	want := []color.RGBA{paper, ink}
	for _, l := range looksOf(levels) {
		want = append(want, l.fill)
	}
	for _, c := range want {
		if !slices.Contains(picture.Palette, color.Color(c)) {
			t.Errorf("%v is not in the palette of %d colours", c, len(picture.Palette))
		}
	}
}

// TestFullPalette checks that a colour that finds the palette full is drawn in the nearest one.
func TestFullPalette(t *testing.T) {
	c := newCanvas(1, 1)
	for i := range 255 {
		c.index(color.RGBA{0, 0, uint8(i), 255})
	}
	c.fill(c.bounds(), color.RGBA{1, 0, 200, 255})
	if got, want := c.image().At(0, 0), (color.RGBA{0, 0, 200, 255}); got != want {
		t.Errorf("drawn in %v, want %v", got, want)
	}
}
