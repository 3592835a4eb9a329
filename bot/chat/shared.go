package chat

import "sync"

// Share returns the card for use by many people. Once then does its work one time for all of them.
// The caller changes no block of the card afterwards.
func Share(c Card) Card {
	c.shared = &sharedCard{blocks: c.Blocks}
	return c
}

// sharedCard is what was made of a card. It lives as long as the card.
type sharedCard struct {
	blocks []Block  // what it was made of
	made   sync.Map // *T -> outcome[T]
}

// outcome is what a function made of a card.
type outcome[T any] struct {
	value T
	err   error
}

// Once returns what the function makes of the card. For a card from Share it calls the function once
// for each type T, and returns the same value again. So the function has a type T of its own, and
// uses nothing but the card; the value must not be changed.
func Once[T any](c Card, draw func(Card) (T, error)) (T, error) {
	if !c.isShared() {
		return draw(c)
	}
	key := (*T)(nil)
	if known, ok := c.shared.made.Load(key); ok {
		o := known.(outcome[T])
		return o.value, o.err
	}
	value, err := draw(c)
	c.shared.made.Store(key, outcome[T]{value, err})
	return value, err
}

// isShared reports whether the card is from Share, and still has the blocks that it had then.
func (c Card) isShared() bool {
	if c.shared == nil || len(c.Blocks) == 0 || len(c.Blocks) != len(c.shared.blocks) {
		return false
	}
	return &c.Blocks[0] == &c.shared.blocks[0]
}
