package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"math"
	"maturitybot/survey/matrix"
	"maturitybot/survey/plaintext"
	"strconv"
)

// svg writes the scene with a title and a description for screen readers.
func (s *scene) svg(lang matrix.Lang, title, description string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %s" width="%d" height="%s" lang="%s" role="img" aria-labelledby="t d" font-family="'Liberation Sans', Arial, Helvetica, sans-serif">`+"\n",
		width, units(s.height), width, units(s.height), escape(string(lang)))
	fmt.Fprintf(&b, "<title id=\"t\">%s</title>\n<desc id=\"d\">%s</desc>\n", escape(plaintext.Line(title)), escape(plaintext.Clean(description)))
	fmt.Fprintf(&b, "<rect width=\"%d\" height=\"%s\" fill=\"%s\"/>\n", width, units(s.height), hex(paper))
	for _, shape := range s.shapes {
		switch v := shape.(type) {
		case rect:
			if v.stroke.A == 0 {
				fmt.Fprintf(&b, "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"%s\"/>\n",
					units(v.x), units(v.y), units(v.w), units(v.h), hex(v.fill))
				break
			}
			// SVG draws half of a stroke outside of the edge.
			fmt.Fprintf(&b, "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"%s\" stroke=\"%s\" stroke-width=\"%s\"/>\n",
				units(v.x+strokeWidth/2), units(v.y+strokeWidth/2), units(max(v.w-strokeWidth, 0)), units(v.h-strokeWidth),
				hex(v.fill), hex(v.stroke), units(strokeWidth))
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
