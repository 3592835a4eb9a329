package transcript

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"

	"maturitybot/bot/chat"
)

var (
	holder   = newPattern(`^the holder of link (\d+) (finishes|finds nothing)$`)
	visitors = newPattern(`^(\d+) people (finish|find it full) by the open link$`)
)

// openLink is the key of the open link among the links of a player.
const openLink = "open"

// keepLinks remembers the links in the files of a card: those of people by their number, and the
// open link.
func (p *player) keepLinks(files []chat.File) {
	for _, f := range files {
		switch f.Type {
		case "text/plain":
			if link := strings.TrimSpace(string(f.Data)); strings.HasPrefix(link, "https://") {
				p.links[openLink] = link
			}
		case "text/csv":
			records, err := csv.NewReader(bytes.NewReader(f.Data)).ReadAll()
			if err != nil || len(records[0]) != 4 || !strings.HasSuffix(records[0][0], "link") {
				continue
			}
			for _, r := range records[1:] {
				p.links[r[3]] = r[0]
			}
		}
	}
}

// visit follows a stage direction about people who come by a link that is in a file.
func (p *player) visit(ctx context.Context, line string) (known bool, err error) {
	if m := holder.FindStringSubmatch(line); m != nil {
		finished, err := p.Visit(ctx, p.links[m[1]], "holder")
		return true, visited(finished, m[2] == "finishes", err)
	}
	m := visitors.FindStringSubmatch(line)
	if m == nil {
		return false, nil
	}
	var n int
	if _, err := fmt.Sscan(m[1], &n); err != nil {
		return true, fmt.Errorf("read a number of people: %w", err)
	}
	for range n {
		p.events++
		finished, err := p.Visit(ctx, p.links[openLink], fmt.Sprintf("event-%d", p.events))
		if err := visited(finished, m[2] == "finish", err); err != nil {
			return true, err
		}
	}
	return true, nil
}

// visited returns an error unless a visit ended as expected.
func visited(finished, expected bool, err error) error {
	if err == nil && finished != expected {
		return fmt.Errorf("a person finished: %v", finished)
	}
	return err
}
