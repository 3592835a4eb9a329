package platform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maturitybot/bot/chat"
)

// wall has cards, and the count that each of them shows.
type wall struct {
	mu    sync.Mutex
	count int
	shown map[string][]string // what each card showed, by message
	at    []time.Time         // of the edits
	// edit, if it is set, decides how an edit goes. It is called without the mutex.
	edit func(n int) error
}

func (w *wall) press() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
}

// draw returns a card with the count.
func (w *wall) draw(context.Context) (chat.Card, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return textCard(fmt.Sprint(w.count)), nil
}

func (w *wall) editCard(ctx context.Context, ref chat.CardRef, draw Draw) error {
	c, err := draw(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.at = append(w.at, time.Now())
	n := len(w.at)
	w.mu.Unlock()
	if w.edit != nil {
		if err := w.edit(n); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shown[ref.Message] = append(w.shown[ref.Message], strings.TrimSpace(c.String()))
	return nil
}

// want checks what the card "m" has shown so far.
func (w *wall) want(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.shown["m"]; !slices.Equal(got, want) {
		t.Errorf("the card showed %q, want %q", got, want)
	}
}

// pressOn adds the Redraw of a press on a card.
func (w *wall) pressOn(t *testing.T, r *Redraws, message string) {
	t.Helper()
	w.press()
	err := r.Add(chat.Redraw{Of: chat.CardRef{Message: message}, Draw: w.draw})
	if err != nil {
		t.Error(err)
	}
}

// onWall runs play in a bubble, whose time passes at once, and drains the Redraws.
func onWall(t *testing.T, play func(*testing.T, *wall, *Redraws, *strings.Builder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		w := &wall{shown: map[string][]string{}}
		r := NewRedraws(w.editCard, 0, slog.New(slog.NewTextHandler(&log, nil)))
		play(t, w, r, &log)
		if err := r.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if len(r.cards) != 0 {
			t.Errorf("%d cards are still kept", len(r.cards))
		}
	})
}

// rest waits until no edit is running or planned.
func rest() {
	time.Sleep(time.Hour)
	synctest.Wait()
}

func TestRedrawsCoalesce(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		for range 18 {
			w.pressOn(t, r, "m")
			synctest.Wait()
			time.Sleep(170 * time.Millisecond)
		}
		rest()
		w.want(t, "1", "12", "18")
		for i := range w.at[1:] {
			if gap := w.at[i+1].Sub(w.at[i]); gap < DefaultEditInterval {
				t.Errorf("edits are %v apart", gap)
			}
		}
		w.pressOn(t, r, "m")
		synctest.Wait()
		w.want(t, "1", "12", "18", "19") // at once
	})
}

func TestRedrawsUnchangedCard(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		add := func() {
			if err := r.Add(chat.Redraw{Of: chat.CardRef{Message: "m"}, Draw: w.draw}); err != nil {
				t.Error(err)
			}
		}
		add()
		synctest.Wait()
		add()
		rest()
		w.want(t, "0")
	})
}

// Another process may have changed what the card shows while an edit was on its way.
func TestRedrawsStateChangedMeanwhile(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		w.edit = func(n int) error {
			if n == 1 {
				w.press()
			}
			return nil
		}
		w.pressOn(t, r, "m")
		rest()
		w.want(t, "1", "2")
	})
}

// An edit that made two requests is repeated, because the first one may arrive after the second.
func TestRedrawsUnsettledEdit(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, _ *Redraws, log *strings.Builder) {
		n := 0
		twice := func(ctx context.Context, ref chat.CardRef, draw Draw) error {
			if n++; n == 1 {
				if _, err := draw(ctx); err != nil {
					return err
				}
				w.press()
			}
			return w.editCard(ctx, ref, draw)
		}
		r := NewRedraws(twice, 0, slog.New(slog.NewTextHandler(log, nil)))
		w.pressOn(t, r, "m")
		if err := r.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.want(t, "2", "2")
	})
}

func TestRedrawsFailedEdit(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		failures int
		want     []string
		log      string
	}{
		"unavailable for a while": {chat.ErrUnavailable, 3, []string{"2"}, ""},
		"unavailable for long":    {chat.ErrUnavailable, 100, nil, "level=ERROR"},
		"refused":                 {errTest, 1, nil, "level=ERROR"},
		"deleted":                 {ErrCardGone, 1, nil, "level=INFO"},
		"does not fit":            {fmt.Errorf("%w: %w", ErrNotDrawn, errTest), 1, nil, "level=ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			onWall(t, func(t *testing.T, w *wall, r *Redraws, log *strings.Builder) {
				w.edit = func(n int) error {
					if n <= c.failures {
						return c.err
					}
					return nil
				}
				w.pressOn(t, r, "m")
				synctest.Wait()
				w.press() // another process
				rest()
				w.want(t, c.want...)
				if got := log.String(); c.log == "" && got != "" || !strings.Contains(got, c.log) {
					t.Errorf("the log is %q", got)
				}
				if len(w.at) > maxRedrawFailures {
					t.Errorf("%d edits", len(w.at))
				}
				w.edit = nil
				w.pressOn(t, r, "m")
				rest()
				w.want(t, append(c.want, "3")...)
			})
		})
	}
}

// A press during an edit that is refused leads to another edit.
func TestRedrawsPressDuringFailure(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		w.edit = func(n int) error {
			if n == 1 {
				w.pressOn(t, r, "m")
				return errTest
			}
			return nil
		}
		w.pressOn(t, r, "m")
		rest()
		w.want(t, "2")
	})
}

func TestRedrawsFailedDraw(t *testing.T) {
	for name, c := range map[string]struct {
		draw  func() (chat.Card, error)
		draws int
	}{
		"error": {func() (chat.Card, error) { return chat.Card{}, errTest }, maxRedrawFailures},
		"panic": {func() (chat.Card, error) { panic("a vote") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			onWall(t, func(t *testing.T, w *wall, r *Redraws, log *strings.Builder) {
				draws := 0
				bad := chat.Redraw{
					Of: chat.CardRef{Message: "m"},
					Draw: func(context.Context) (chat.Card, error) {
						draws++
						return c.draw()
					},
				}
				if err := r.Add(bad); err != nil {
					t.Error(err)
				}
				rest()
				if draws != c.draws {
					t.Errorf("drawn %d times, want %d", draws, c.draws)
				}
				if got := log.String(); !strings.Contains(got, "card not changed") ||
					strings.Contains(got, "a vote") {
					t.Errorf("the log is %q", got)
				}
				if err := r.Add(bad); err != nil {
					t.Error(err)
				}
				w.pressOn(t, r, "m") // the latest Draw counts
				rest()
				w.want(t, "1")
			})
		})
	}
}

// The edits of one card do not wait for those of another.
func TestRedrawsManyCards(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		slow := make(chan struct{})
		w.edit = func(n int) error {
			if n == 1 {
				<-slow
			}
			return nil
		}
		w.pressOn(t, r, "slow")
		synctest.Wait()
		for n := range maxRedraws - 1 {
			w.pressOn(t, r, fmt.Sprint("other ", n))
		}
		synctest.Wait()
		if len(w.shown) != maxRedraws-1 {
			t.Errorf("%d cards were changed", len(w.shown))
		}
		err := r.Add(chat.Redraw{Of: chat.CardRef{Message: "m"}, Draw: w.draw})
		if !errors.Is(err, errTooManyCards) {
			t.Errorf("one card too many: %v", err)
		}
		close(slow)
		rest()
		w.pressOn(t, r, "m")
	})
}

func TestRedrawsNoCard(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		if r.Add(chat.Redraw{Draw: w.draw}) == nil {
			t.Error("a card without a name was taken")
		}
		if r.Add(chat.Redraw{Of: chat.CardRef{Message: "m"}}) == nil {
			t.Error("a card without a Draw was taken")
		}
	})
}

func TestRedrawsDrain(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		w.pressOn(t, r, "m")
		synctest.Wait()
		w.pressOn(t, r, "m")
		began := time.Now()
		if err := r.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.want(t, "1", "2")
		if took := time.Since(began); took > 2*DefaultEditInterval {
			t.Errorf("took %v", took)
		}
	})
	// A card that cannot be changed does not delay the end of the program.
	onWall(t, func(t *testing.T, w *wall, r *Redraws, _ *strings.Builder) {
		w.edit = func(int) error { return chat.ErrUnavailable }
		w.pressOn(t, r, "m")
		synctest.Wait()
		began := time.Now()
		if err := r.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("took %v", took)
		}
	})
}

// Two processes receive presses and edit at the same time, and edits may arrive in another order.
func TestRedrawsTwoProcesses(t *testing.T) {
	onWall(t, func(t *testing.T, w *wall, _ *Redraws, log *strings.Builder) {
		delayed := func(delay time.Duration) EditCard {
			return func(ctx context.Context, ref chat.CardRef, draw Draw) error {
				c, err := draw(ctx)
				time.Sleep(delay)
				w.mu.Lock()
				defer w.mu.Unlock()
				w.shown[ref.Message] = append(w.shown[ref.Message], strings.TrimSpace(c.String()))
				return err
			}
		}
		logger := slog.New(slog.NewTextHandler(log, nil))
		slow, fast := NewRedraws(delayed(5*time.Second), 0, logger), NewRedraws(delayed(0), 0, logger)
		w.pressOn(t, slow, "m")
		synctest.Wait()
		w.pressOn(t, fast, "m")
		rest()
		w.want(t, "2", "1", "2") // the second is the first process's, which then draws again
	})
}
