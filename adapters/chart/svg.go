package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"math"
	"strconv"

	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
)

// svg writes the scene with a title and a description for screen readers.
func (s *scene) svg(lang matrix.Lang, title, description string) []byte {
	var b bytes.Buffer
	height := units(s.height)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %s"`, width, height)
	fmt.Fprintf(&b, ` width="%d" height="%s" lang="%s"`, width, height, escape(string(lang)))
	b.WriteString(` role="img" aria-labelledby="t d"`)
	b.WriteString(` font-family="'Liberation Sans', Arial, Helvetica, sans-serif">` + "\n")
	fmt.Fprintf(&b, "<title id=\"t\">%s</title>\n", escape(plaintext.Line(title)))
	fmt.Fprintf(&b, "<desc id=\"d\">%s</desc>\n", escape(plaintext.Clean(description)))
	fmt.Fprintf(&b, "<rect width=\"%d\" height=\"%s\" fill=\"%s\"/>\n", width, height, hex(paper))
	for _, shape := range s.shapes {
		switch v := shape.(type) {
		case rect:
			stroke := ""
			if v.stroke.A != 0 {
				stroke = fmt.Sprintf(` stroke="%s" stroke-width="%s"`, hex(v.stroke), units(strokeWidth))
				// SVG draws half of a stroke outside the edge; the scene has all of it inside.
				v.x += strokeWidth / 2
				v.y += strokeWidth / 2
				v.w = max(v.w-strokeWidth, 0)
				v.h -= strokeWidth
			}
			fmt.Fprintf(&b, "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"%s\"%s/>\n",
				units(v.x), units(v.y), units(v.w), units(v.h), hex(v.fill), stroke)
		case polygon:
			b.WriteString(`<polygon points="`)
			for i, at := range v.points {
				if i > 0 {
					b.WriteByte(' ')
				}
				fmt.Fprintf(&b, "%s,%s", units(at.x), units(at.y))
			}
			fmt.Fprintf(&b, "\" fill=\"%s\"/>\n", hex(v.fill))
		case hatching:
			b.WriteString(`<path d="`)
			for _, l := range v.lines {
				fmt.Fprintf(&b, "M%s %sL%s %s", units(l.x1), units(l.y1), units(l.x2), units(l.y2))
			}
			fmt.Fprintf(&b, "\" stroke=\"%s\" stroke-width=\"%s\"/>\n", hex(v.fill), units(hatchWidth))
		case caption:
			weight := ""
			if v.style.bold {
				weight = ` font-weight="bold"`
			}
			fmt.Fprintf(&b, "<text x=\"%s\" y=\"%s\" font-size=\"%s\"%s fill=\"%s\">%s</text>\n",
				units(v.x), units(v.y), units(v.style.size), weight, hex(v.fill), escape(v.text))
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}

func units(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
