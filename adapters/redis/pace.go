package redis

import (
	"context"
	"time"
)

// smallPage is how many members or responses are read at a time while people are served. Redis is
// busy with them for half a millisecond.
const smallPage = 50

// pacer sets the pace of long work that reads page after page, so that people who are served
// meanwhile hardly wait for it. It knows only those whom this process serves.
type pacer struct {
	batches *batcher
	served  int64     // requests of people when the last page began
	began   time.Time // when the last page began
}

func (s *Store) newPacer() *pacer {
	return &pacer{s.batches, s.batches.served.Load(), time.Now()}
}

// next is called before each page but the first. It returns how much to read. If people were served
// since it was last called, it first pauses for as long as the last page took.
func (p *pacer) next(ctx context.Context) (size int64, err error) {
	size = pageSize
	served := p.batches.served.Load()
	if served != p.served {
		size = smallPage
		select {
		case <-time.After(time.Since(p.began)):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	p.served, p.began = served, time.Now()
	return size, nil
}
