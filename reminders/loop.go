// Package reminders decides when messages are due, and sends them. Schedule computes the times from
// a calendar of working days, Planner enqueues the messages that have become due, and Loop passes
// queued messages to the bot. The package does not depend on the texts of messages, on how the
// queue is kept, or on a platform.
package reminders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"maturitybot/survey"
)

// Queue is the message queue; survey.System is one.
type Queue interface {
	LeaseDue(ctx context.Context, limit int) ([]survey.Delivery, error)
	Ack(ctx context.Context, d survey.Delivery) error
	Reschedule(ctx context.Context, d survey.Delivery, wait time.Duration) error
}

// Deliverer sends one queued message; the bot is one. After an error the message was not sent and
// can be tried again. A *survey.NotYetError says that it is to be sent later.
type Deliverer interface {
	Deliver(ctx context.Context, d survey.Delivery) error
}

// Loop sends messages that are due. Any number of processes may run one on the same store.
type Loop struct {
	queue     Queue
	deliverer Deliverer
	log       *slog.Logger
	planner   *Planner
	senders   int
}

// NewLoop returns a loop that sends what is due in the queue.
func NewLoop(queue Queue, deliverer Deliverer, log *slog.Logger) *Loop {
	return &Loop{queue: queue, deliverer: deliverer, log: log, senders: senders}
}

// Planning makes the loop plan as well, and returns it.
func (l *Loop) Planning(p *Planner) *Loop {
	l.planner = p
	return l
}

// InTurn makes the loop send one message after the other, in the order in which they are due, and
// returns it. Transcripts need this order.
func (l *Loop) InTurn() *Loop {
	l.senders = 1
	return l
}

const (
	sendInterval = time.Second // how often the loop looks for messages that are due
	planInterval = time.Minute // how often it plans
	// batch is how many messages a process leases at once. At one a second, all are sent within
	// leaseUse.
	batch = 24
	// leaseUse is how long after leasing messages a process begins to send them.
	leaseUse = time.Minute
	// afterTimeout is how long a send may go on after its context ended: a request with files takes
	// up to a minute, and saving the outcome twice up to five seconds.
	afterTimeout = 75 * time.Second
	// sendTimeout bounds one send, with its waits for the platform, so that the last one ends
	// before the lease does.
	sendTimeout = survey.LeaseTTL - leaseUse - afterTimeout
	// senders is how many messages are sent at once. The adapters keep the platforms' pace.
	senders = 8
	// progressInterval is how often a long sweep logs its progress.
	progressInterval = time.Minute
	// retryDelay is how long a message that could not be sent waits for the next attempt.
	retryDelay = time.Minute
	// saveTimeout bounds saving the outcome of a message in the queue.
	saveTimeout = 5 * time.Second
)

// Run plans and sends what is due until the context ends. A message that was leased by then, and
// not sent, is due again at once, for this process after its restart or for another.
//
// The intervals are tickers, which is less code than jobs of robfig/cron: a ticker skips the ticks
// that a long run misses. Cron only parses expressions. The intervals begin at the start of the
// process, so that several processes do not plan in the same second.
func (l *Loop) Run(ctx context.Context) error {
	var running sync.WaitGroup
	if l.planner != nil {
		running.Go(func() {
			l.run(ctx, l.plan) // for what became due while no process ran
			l.every(ctx, planInterval, l.plan)
		})
	}
	l.every(ctx, sendInterval, func(ctx context.Context) { l.Sweep(ctx) })
	running.Wait()
	return nil
}

// every calls job at each interval until the context ends.
func (l *Loop) every(ctx context.Context, interval time.Duration, job func(context.Context)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.run(ctx, job)
		}
	}
}

// run calls job, and logs a panic.
func (l *Loop) run(ctx context.Context, job func(context.Context)) {
	defer func() {
		if fault := recover(); fault != nil {
			_ = panicError(l.log, "run the loop", fault)
		}
	}()
	job(ctx)
}

// panicError logs what was recovered, and returns it as an error of what was being done.
func panicError(log *slog.Logger, doing string, fault any) error {
	log.Error("panic", "fault", fmt.Sprintf("%T", fault), "stack", string(debug.Stack()))
	return fmt.Errorf("%s: panic of %T", doing, fault)
}

func (l *Loop) plan(ctx context.Context) {
	if err := l.planner.Sweep(ctx); err != nil && ctx.Err() == nil {
		l.log.Error("cannot read the rounds to plan", "error", err)
	}
}

// Sweep sends everything that is due now, and returns how many messages were sent, dropped or
// postponed.
func (l *Loop) Sweep(ctx context.Context) int {
	done, logged := 0, time.Now()
	for ctx.Err() == nil {
		due, err := l.queue.LeaseDue(ctx, batch)
		if err != nil && ctx.Err() == nil {
			l.log.Error("cannot read due messages", "error", err)
		}
		if len(due) == 0 {
			break
		}
		sent, failed := l.send(ctx, due)
		done += sent
		if time.Since(logged) >= progressInterval {
			l.log.Info("messages are being sent", "so_far", done)
			logged = time.Now()
		}
		if failed == len(due) {
			break // the platform or the store cannot be reached, so try again later
		}
	}
	if done > 0 {
		l.log.Info("messages handled", "number", done)
	}
	return done
}

// send sends a batch of messages, several at once.
func (l *Loop) send(ctx context.Context, due []survey.Delivery) (sent, failed int) {
	work := make(chan survey.Delivery)
	until := time.Now().Round(0).Add(leaseUse) // by the wall clock: a machine may have been asleep
	var mu sync.Mutex
	var all sync.WaitGroup
	for range min(l.senders, len(due)) {
		all.Go(func() {
			for d := range work {
				ok := l.sendOne(ctx, d, until)
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

// sendOne sends one message and saves the outcome. It returns false, and does nothing, once until
// has passed, because another process may have leased the message.
func (l *Loop) sendOne(ctx context.Context, d survey.Delivery, until time.Time) (ok bool) {
	if !time.Now().Round(0).Before(until) {
		return false
	}
	err := ctx.Err()
	if err == nil {
		sending, cancel := context.WithTimeout(ctx, sendTimeout)
		err = l.deliver(sending, d)
		cancel()
	}
	// The outcome is saved even if the context has ended.
	save, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	var notYet *survey.NotYetError
	wait := retryDelay
	switch {
	case err == nil:
		// A message that was sent but not acknowledged is sent again after its lease.
		if err := l.queue.Ack(save, d); err != nil {
			l.log.Error("message was sent but not acknowledged", "round", d.Round, "error", err)
		}
		return true
	case errors.As(err, &notYet):
		// A store whose clock is behind would otherwise give it out again at once.
		wait = max(time.Second, notYet.Wait)
	case ctx.Err() != nil:
		wait = 0
	default:
		l.log.Error("message not sent", "message", d.Kind, "round", d.Round, "error", err)
	}
	if err := l.queue.Reschedule(save, d, wait); err != nil {
		l.log.Warn("message not rescheduled; it is due again when its lease ends",
			"round", d.Round, "error", err)
	}
	return notYet != nil
}

func (l *Loop) deliver(ctx context.Context, d survey.Delivery) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = panicError(l.log, "deliver a message", fault)
		}
	}()
	return l.deliverer.Deliver(ctx, d)
}
