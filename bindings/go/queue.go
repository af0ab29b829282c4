package graft

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"graft.example/graft/internal/raw"
)

// Queue is the events of any number of requests, of any engines, in one place (WithQueue), so that one goroutine can
// serve thousands. Event.Tag says whose an event is. Close the requests, too, when they have ended.
type Queue struct {
	h    handle
	free *eventBuffers
	woke atomic.Int64 // calls of Wake that no Next has taken yet
}

// eventBuffers are those that no caller uses now.
type eventBuffers struct {
	lock    sync.Mutex
	buffers []*eventBuffer
}

// NewQueue makes an empty queue. ErrNotFound, ErrVersionMismatch (LibTorch, as for Open).
func NewQueue() (*Queue, error) {
	q := &Queue{free: &eventBuffers{}}
	buffers := q.free
	err := q.h.made(raw.Graft_queue_new, func(p raw.Handle) {
		raw.Graft_queue_free(p)
		buffers.release()
	})
	if err != nil {
		return nil, err
	}
	q.h.native.leaving = func(p raw.Handle) { _ = raw.Graft_queue_wake(p) }
	return q, nil
}

func (q *Queue) handle() *handle {
	if q == nil {
		return nil
	}
	return &q.h
}

// Next waits for the next event of any request. Each event goes to one of the callers. The failure of a request is
// Event.Err and no error of Next. ErrTimeout: ctx ended first, or Wake. ErrClosed: the queue was closed, meanwhile
// perhaps.
func (q *Queue) Next(ctx context.Context) (Event, error) {
	p, err := q.handle().use()
	if err != nil {
		return Event{}, err
	}
	defer q.h.done()
	buffer, err := q.free.take()
	if err != nil {
		return Event{}, err
	}
	defer q.free.put(buffer)
	// Closing wakes one caller, and each that leaves wakes the next: the wake is there until the last has left.
	defer func() {
		if q.h.native.closed() {
			_ = raw.Graft_queue_wake(p)
		}
	}()
	err = wait(ctx, func(milliseconds int64) error {
		if err := q.told(); err != nil {
			return err
		}
		err := raw.Graft_queue_next(p, milliseconds, buffer.event)
		if err == raw.ErrTimeout {
			if told := q.told(); told != nil {
				return told
			}
		}
		return err
	})
	if err != nil {
		return Event{}, err
	}
	buffer.fields.Read(buffer.event)
	return buffer.take(), nil
}

// told says whether a caller is to stop waiting: because the queue was closed, or woken.
func (q *Queue) told() error {
	if q.h.native.closed() {
		return errClosed
	}
	for {
		count := q.woke.Load()
		if count == 0 {
			return nil
		}
		if q.woke.CompareAndSwap(count, count-1) {
			return &Error{Status: StatusTimeout, Text: "the queue was woken"}
		}
	}
}

// Wake makes one Next that waits fail with ErrTimeout, or the next one if none waits: to tell its goroutine something.
func (q *Queue) Wake() error {
	p, err := q.handle().use()
	if err != nil {
		return err
	}
	defer q.h.done()
	q.woke.Add(1)
	return failed(raw.Graft_queue_wake(p))
}

// Events gives what Next gives, until the context ends or the queue is closed, which is the last error it gives.
func (q *Queue) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := q.Next(ctx)
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Close releases the queue: goroutines that wait in Next get ErrClosed, later events of its requests are dropped.
func (q *Queue) Close() error { return q.handle().close() }

func (b *eventBuffers) take() (*eventBuffer, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	if last := len(b.buffers) - 1; last >= 0 {
		buffer := b.buffers[last]
		b.buffers = b.buffers[:last]
		return buffer, nil
	}
	buffer := &eventBuffer{}
	return buffer, failed(raw.Graft_event_new(&buffer.event))
}

func (b *eventBuffers) put(buffer *eventBuffer) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.buffers = append(b.buffers, buffer)
}

func (b *eventBuffers) release() {
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, buffer := range b.buffers {
		raw.Graft_event_free(buffer.event)
		buffer.event = nil
	}
	b.buffers = nil
}
