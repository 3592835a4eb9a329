package redis

import (
	"context"
	"time"
)

// smallPage is how many members or responses are read at a time while people are served. Redis is
// busy with them for half a millisecond.
const smallPage = 50

// timeToFinish is what a pause leaves of the time until a deadline, so that the work is finished
// before it: two or three times as long as work without pauses takes for 100,000 people.
const timeToFinish = 15 * time.Second

// pacer sets the pace of long work that reads page after page, so that people who are served
// meanwhile hardly wait for it. Served are those who press or read a page, and those to whom a message
// is sent, by this process.
type pacer struct {
	batches *batcher
	calls   int64     // of the batcher when the last page began
	began   time.Time // when the last page began
}

func (s *Store) newPacer() *pacer {
	return &pacer{s.batches, s.batches.calls.Load(), time.Now()}
}

// next is called before each page but the first. It returns how much to read. If people were served
// since it was last called, it first pauses for as long as the last page took, unless the deadline of
// ctx is near.
func (p *pacer) next(ctx context.Context) (size int64, err error) {
	size = pageSize
	calls := p.batches.calls.Load()
	deadline, limited := ctx.Deadline()
	if calls != p.calls && (!limited || time.Until(deadline) > timeToFinish) {
		size = smallPage
		select {
		case <-time.After(time.Since(p.began)):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	p.calls, p.began = calls, time.Now()
	return size, nil
}
