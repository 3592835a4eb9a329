// Package reminders says when somebody is to be reminded, and has what is due sent: a pure plan, a planner that notes what has become
// due, and a loop that takes what is owed and gives it to whoever can send it. It does not know what a message says, how it is kept that one is owed, or any
// platform.
package reminders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"maturitybot/survey"
)

// Queue keeps which messages are owed; survey.System is one.
type Queue interface {
	LeaseDue(ctx context.Context, limit int) ([]survey.Delivery, error)
	Ack(ctx context.Context, d survey.Delivery) error
	Reschedule(ctx context.Context, d survey.Delivery, wait time.Duration) error
}

// Deliverer sends one message that is owed; the bot is one. An error means that it was not sent and can be tried again; a
// *survey.NotYetError, that it is to be sent later.
type Deliverer interface {
	Deliver(ctx context.Context, d survey.Delivery) error
}

// Loop sends what is due. Any number of processes may run one on the same store.
type Loop struct {
	desk      Queue
	messenger Deliverer
	log       *slog.Logger
	planner   *Planner
	senders   int
}

// Planning has the loop plan as well, once a minute; it returns the loop.
func (l *Loop) Planning(p *Planner) *Loop {
	l.planner = p
	return l
}

// NewLoop makes a loop.
func NewLoop(desk Queue, messenger Deliverer, log *slog.Logger) *Loop {
	return &Loop{desk: desk, messenger: messenger, log: log, senders: senders}
}

// InTurn has the loop send one message after the other, in the order in which they are due; it returns the loop.
// What is recorded of them is then the same each time, as a transcript needs it.
func (l *Loop) InTurn() *Loop {
	l.senders = 1
	return l
}

const (
	// batch is how many messages one process holds: at a message a second, well within the time it has for them.
	batch = 24
	// holding is for how long a process begins to send messages that it took.
	holding = time.Minute
	// ending is for what a send still does when its time is over: a request that is not cut off, which is a minute for one with files,
	// and two notes of what came of it, five seconds each.
	ending = 75 * time.Second
	// sendTimeout bounds one send, its waits for the platform included, so that the last that is begun ends before the lease does.
	sendTimeout = survey.LeaseTTL - holding - ending
	// senders is how many messages are on their way at once. The adapters keep the platforms' pace.
	senders = 8
	// progress is how often a long row of messages is told of in the log.
	progress = time.Minute
	// again is how long a message waits that could not be sent.
	again = time.Minute
)

// Run sends what is due, once a second, until the context ends; what it has taken by then and not sent, another
// process, or this one after its restart, sends at once.
func (l *Loop) Run(ctx context.Context) error {
	log := cronLog{l.log}
	// A panic must be recovered inside of SkipIfStillRunning, which else believes that the job runs on for ever
	// (robfig/cron v3.0.1 chain.go).
	c := cron.New(cron.WithLogger(log), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger), cron.Recover(log)))
	if _, err := c.AddFunc("@every 1s", func() { l.Sweep(ctx) }); err != nil {
		return fmt.Errorf("start the clock: %w", err)
	}
	if l.planner != nil {
		plan := func() {
			if err := l.planner.Sweep(ctx); err != nil && ctx.Err() == nil {
				l.log.Error("cannot read what is to be planned", "error", err)
			}
		}
		// By an interval and not by the clock, so that several processes do not plan in the same second.
		if _, err := c.AddFunc("@every 1m", plan); err != nil {
			return fmt.Errorf("start the clock: %w", err)
		}
		cron.Recover(log)(cron.FuncJob(plan)).Run() // what became due while nobody was there
	}
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done()
	return nil
}

// Sweep sends everything that is due now, and returns how many messages were taken care of.
func (l *Loop) Sweep(ctx context.Context) int {
	done, told := 0, time.Now()
	for ctx.Err() == nil {
		due, err := l.desk.LeaseDue(ctx, batch)
		if err != nil && ctx.Err() == nil {
			l.log.Error("cannot read what is due", "error", err)
		}
		if len(due) == 0 {
			break
		}
		sent, failed := l.send(ctx, due)
		done += sent
		if time.Since(told) >= progress {
			l.log.Info("messages are being sent", "so_far", done)
			told = time.Now()
		}
		if failed == len(due) {
			break // the platform or the store is away: nothing is gained by going on at once
		}
	}
	if done > 0 {
		l.log.Info("messages taken care of", "number", done)
	}
	return done
}

func (l *Loop) send(ctx context.Context, due []survey.Delivery) (sent, failed int) {
	work, until := make(chan survey.Delivery), time.Now().Round(0).Add(holding) // by the clock on the wall: a machine may have been asleep
	var mu sync.Mutex
	var all sync.WaitGroup
	for range min(l.senders, len(due)) {
		all.Go(func() {
			for d := range work {
				ok := l.one(ctx, d, until)
				mu.Lock()
				if ok {
					sent++
				} else {
					failed++
				}
				mu.Unlock()
			}
		})
	}
	for _, d := range due {
		work <- d
	}
	close(work)
	all.Wait()
	return sent, failed
}

// one takes care of one message, unless the time is over in which it is this process's: then another may have it.
func (l *Loop) one(ctx context.Context, d survey.Delivery, until time.Time) (ok bool) {
	if !time.Now().Round(0).Before(until) {
		return false
	}
	err := ctx.Err()
	if err == nil {
		sending, cancel := context.WithTimeout(ctx, sendTimeout)
		err = l.deliver(sending, d)
		cancel()
	}
	// Whatever ended the sending, and however long it took, the store must be told.
	note, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	var notYet *survey.NotYetError
	wait := again
	switch {
	case err == nil:
		// Sent, and not noted, is sent again when its time is over: the only way to two of one message.
		if err := l.desk.Ack(note, d); err != nil {
			l.log.Error("message was sent, but that is not noted", "round", d.Round, "error", err)
		}
		return true
	case errors.As(err, &notYet):
		// At least a second, or a clock that is behind would have it taken again and again.
		wait = max(time.Second, notYet.Wait)
	case ctx.Err() != nil:
		wait = 0
	default:
		l.log.Error("message not sent", "message", d.Kind, "round", d.Round, "error", err)
	}
	if err := l.desk.Reschedule(note, d, wait); err != nil {
		l.log.Warn("message waits until its time is over", "round", d.Round, "error", err)
	}
	return notYet != nil
}

func (l *Loop) deliver(ctx context.Context, d survey.Delivery) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			l.log.Error("panic", "fault", fmt.Sprintf("%T", fault), "stack", string(debug.Stack()))
			err = fmt.Errorf("deliver a message: panic of %T", fault)
		}
	}()
	return l.messenger.Deliver(ctx, d)
}

// cronLog brings cron's log lines into ours.
type cronLog struct{ log *slog.Logger }

func (c cronLog) Info(msg string, facts ...any) { c.log.Debug("clock", append(facts, "says", msg)...) }
func (c cronLog) Error(err error, msg string, facts ...any) {
	c.log.Error("clock", append(facts, "says", msg, "error", err)...)
}
