package chat

import (
	"errors"
	"strings"
	"testing"
)

func TestOnce(t *testing.T) {
	type drawing string
	calls := 0
	draw := func(c Card) (drawing, error) {
		calls++
		return drawing(c.String()), nil
	}
	expect := func(c Card, want string, total int) {
		t.Helper()
		got, err := Once(c, draw)
		if err != nil || string(got) != want || calls != total {
			t.Errorf("got %q, %v after %d calls, want %q after %d", got, err, calls, want, total)
		}
	}
	plain := Card{Blocks: []Block{Paragraph("one"), Paragraph("two")}}
	expect(plain, "one\ntwo\n", 1)
	expect(plain, "one\ntwo\n", 2)

	shared := Share(plain)
	expect(shared, "one\ntwo\n", 3)
	expect(shared, "one\ntwo\n", 3)

	// A card that was made from a shared one is another card.
	longer := shared
	longer.Blocks = append(longer.Blocks, Paragraph("three"))
	expect(longer, "one\ntwo\nthree\n", 4)
	other := shared
	other.Blocks = []Block{Paragraph("three"), Paragraph("four")}
	expect(other, "three\nfour\n", 5)
	expect(shared, "one\ntwo\n", 5)

	// Another type is made by another function.
	type size int
	if n, err := Once(shared, func(c Card) (size, error) { return size(len(c.Blocks)), nil }); n != 2 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestOnceKeepsError(t *testing.T) {
	type drawing string
	bad := errors.New("too wide")
	calls := 0
	shared := Share(Card{Blocks: []Block{Divider{}}})
	for range 2 {
		_, err := Once(shared, func(Card) (drawing, error) {
			calls++
			return "", bad
		})
		if !errors.Is(err, bad) {
			t.Errorf("got %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("drawn %d times", calls)
	}
}

func TestCheckOfSharedCard(t *testing.T) {
	fits := Share(Card{Blocks: []Block{Paragraph("one")}})
	tooLong := Share(Card{Blocks: []Block{Paragraph(strings.Repeat("x", MaxText+1))}})
	for range 2 {
		if err := fits.Check(); err != nil {
			t.Error(err)
		}
		if err := tooLong.Check(); err == nil {
			t.Error("a card with a text that is too long was taken")
		}
	}
}
