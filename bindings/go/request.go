package graft

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"strings"
	"sync"
	"time"

	"graft.example/graft/internal/raw"
)

// Request is one input on its way through an engine. Its answers are pulled, event by event. Closing it cancels it.
type Request struct {
	h      handle
	ctx    context.Context
	puller sync.Mutex // the library lets one caller in at a time
	buffer *eventBuffer
	cut    bool // it ended because somebody cancelled it
	over   bool
}

// Submit hands an input to the engine and returns at once; the work begins when the engine has room. When the context
// ends before the request, the request is cancelled.
//
// ErrInvalidArgument (input or options do not fit the model), ErrLimitExceeded (longer than the context window), ErrBusy
// (too many requests wait), ErrUnsupported, ErrInvalidState (this rank takes no requests), ErrClosed.
func (e *Engine) Submit(ctx context.Context, input Input, options ...RequestOption) (*Request, error) {
	ctx = orBackground(ctx)
	if ctx.Err() != nil {
		return nil, ended(ctx, StatusCancelled, "the request was not submitted")
	}
	engine, err := e.handle().use()
	if err != nil {
		return nil, err
	}
	defer e.h.done()
	o, err := newRequestOptions(options)
	if err != nil {
		return nil, err
	}
	defer raw.Graft_request_options_free(o.pointer)
	in, err := input.build()
	if err != nil {
		return nil, err
	}
	defer raw.Graft_input_free(in)
	var queue raw.Handle
	if o.queue != nil {
		if queue, err = o.queue.handle().use(); err != nil {
			return nil, err
		}
		defer o.queue.h.done()
	}

	r := &Request{ctx: ctx, buffer: &eventBuffer{}}
	if err := raw.Graft_event_new(&r.buffer.event); err != nil {
		return nil, failed(err)
	}
	n := &native{}
	if err := raw.Graft_request_submit(engine, in, o.pointer, queue, o.tag, &n.pointer); err != nil {
		raw.Graft_event_free(r.buffer.event)
		return nil, failed(err)
	}
	buffer := r.buffer
	n.free = func(p raw.Handle) {
		raw.Graft_request_free(p)
		raw.Graft_event_free(buffer.event)
		buffer.event = nil
	}
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() {
			if n.enter() {
				_ = raw.Graft_request_cancel(n.pointer)
				n.leave()
			}
		})
	}
	n.leaving = func(p raw.Handle) {
		stop()
		_ = raw.Graft_request_cancel(p)
	}
	r.h.own(n)
	return r, nil
}

func (r *Request) handle() *handle {
	if r == nil {
		return nil
	}
	return &r.h
}

// Next waits for the next event. io.EOF: nothing more will come. A request that failed gives its EventError event and its
// error, once, then io.EOF; so does one whose own context ended, without an event. When ctx ends first, the wait is over
// (ErrTimeout) and the request goes on. ErrInvalidState: the events go to a queue.
func (r *Request) Next(ctx context.Context) (Event, error) {
	p, err := r.handle().use()
	if err != nil {
		return Event{}, err
	}
	defer r.h.done()
	if err := r.lock(ctx); err != nil {
		return Event{}, err
	}
	defer r.puller.Unlock()
	if r.h.native.closed() {
		return Event{}, errClosed
	}
	if ctx == nil || ctx.Done() == nil { // the way without a closure
		err = r.buffer.fields.Pull(p, -1, r.buffer.event)
	} else {
		err = wait(ctx, func(milliseconds int64) error {
			return r.buffer.fields.Pull(p, milliseconds, r.buffer.event)
		})
	}
	if err != nil {
		return Event{}, r.ended(err)
	}
	event := r.buffer.take()
	r.cut = r.cut || event.FinishReason == FinishCancelled
	return event, event.Err
}

// lock waits for the turn of this caller, among those that pull from one request, which is seldom more than one.
func (r *Request) lock(ctx context.Context) error {
	if r.puller.TryLock() {
		return nil
	}
	return wait(ctx, func(milliseconds int64) error {
		if r.puller.TryLock() {
			return nil
		}
		if milliseconds != 0 {
			time.Sleep(time.Millisecond)
		}
		return raw.ErrTimeout
	})
}

// ended makes the error of a pull that gave none: at the end of a request that its context cancelled, once, the context's.
func (r *Request) ended(err error) error {
	if err != raw.ErrEnd {
		return failed(err)
	}
	if !r.over && r.cut && r.ctx.Err() != nil {
		r.over = true
		return ended(r.ctx, StatusCancelled, "the request was cancelled")
	}
	return io.EOF
}

// Events gives what Next gives, until the end or the first error. Breaking off leaves the request as it is: it goes on
// until it ends, is closed or collected, and may be pulled from again.
func (r *Request) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			event, err := r.Next(context.Background())
			if err == io.EOF {
				return
			}
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Cancel asks the engine to stop working on the request, which then ends with FinishCancelled unless it has ended before.
// Cancelling twice, or after the end, is no error.
func (r *Request) Cancel() error {
	p, err := r.handle().use()
	if err != nil {
		return err
	}
	defer r.h.done()
	return failed(raw.Graft_request_cancel(p))
}

// Wait waits until the request has ended; its events stay where they are. ErrTimeout: ctx ended first. Otherwise how it
// ended: nil, or its failure.
func (r *Request) Wait(ctx context.Context) error {
	p, err := r.handle().use()
	if err != nil {
		return err
	}
	defer r.h.done()
	return wait(ctx, func(milliseconds int64) error { return raw.Graft_request_wait(p, milliseconds) })
}

// Tensor gives the result of a request that has ended: "logits", "embedding", "hidden", or "scores" of a sequence
// classifier's logits. ErrNotFound: the request has no such result. ErrInvalidState: it has not ended.
func (r *Request) Tensor(name string) (*Tensor, error) {
	p, err := r.handle().use()
	if err != nil {
		return nil, err
	}
	defer r.h.done()
	return newTensor(func(out *raw.Handle) error { return raw.Graft_request_tensor(p, name, out) })
}

// ErrorMessage gives the text of the request's failure; "" when there is none, and after Close.
func (r *Request) ErrorMessage() string {
	p, err := r.handle().use()
	if err != nil {
		return ""
	}
	defer r.h.done()
	return raw.Graft_request_error_message(p)
}

// Close cancels the request if it has not ended, and releases it. A goroutine that waits in Next gets what was left, or
// ErrClosed.
func (r *Request) Close() error {
	err := r.handle().close()
	runtime.KeepAlive(r)
	return err
}

// Generate submits a request and gives its events, until the end or the first error. The request is closed, and so
// cancelled, when the loop is left. Each loop over it submits anew.
func (e *Engine) Generate(ctx context.Context, input Input, options ...RequestOption) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		request, err := e.Submit(ctx, input, options...)
		if err != nil {
			yield(Event{Token: -1, Kind: EventError, Err: err}, err)
			return
		}
		defer request.Close()
		for event, err := range request.Events() {
			if !yield(event, err) {
				return
			}
		}
	}
}

// Completion is a whole answer.
type Completion struct {
	Text         string
	Tokens       []int64
	FinishReason FinishReason
	Usage        Usage
}

// Complete gives whole answers: one, or as many as WithNumSequences asks for. On an error it gives what there was.
func (e *Engine) Complete(ctx context.Context, input Input, options ...RequestOption) ([]Completion, error) {
	var texts []*strings.Builder
	var answers []Completion
	defer func() {
		for i, text := range texts {
			answers[i].Text = text.String()
		}
	}()
	for event, err := range e.Generate(ctx, input, options...) {
		if err != nil {
			return answers, err
		}
		for int64(len(answers)) <= event.Sequence {
			answers, texts = append(answers, Completion{}), append(texts, &strings.Builder{})
		}
		answer := &answers[event.Sequence]
		texts[event.Sequence].WriteString(event.Text)
		if event.Token >= 0 {
			answer.Tokens = append(answer.Tokens, event.Token)
		}
		if event.Kind == EventFinished {
			answer.FinishReason, answer.Usage = event.FinishReason, event.Usage
		}
	}
	return answers, nil
}

// Embed gives the embedding of an input: one row, or all of them one after another with PoolingNone.
func (e *Engine) Embed(ctx context.Context, input Input, options ...RequestOption) ([]float32, error) {
	tensor, err := e.Compute(ctx, "embedding", input, append(options[:len(options):len(options)], WithKind(KindEmbed))...)
	if err != nil {
		return nil, err
	}
	defer tensor.Close()
	return tensor.Float32s()
}

// Compute runs a request to its end and gives one of its tensors; see Request.Tensor. The options say of which kind.
func (e *Engine) Compute(ctx context.Context, name string, input Input, options ...RequestOption) (*Tensor, error) {
	request, err := e.Submit(ctx, input, options...)
	if err != nil {
		return nil, err
	}
	defer request.Close()
	if err := request.Wait(ctx); err != nil {
		if errors.Is(err, ErrTimeout) {
			err = ended(ctx, StatusCancelled, "the request was cancelled")
		}
		return nil, err
	}
	return request.Tensor(name)
}
