package graft

import (
	"context"
	"errors"

	"graft.example/graft/internal/raw"
)

// Engine is one model, loaded, split over its devices, answering requests. Any number may live in one process.
type Engine struct{ h handle }

// Open opens a model directory: reads its configuration, loads the weights, injects, splits, and returns when it can
// answer. When the context ends the load is cancelled at its next step.
//
// ErrNotFound (the path, or LibTorch), ErrUnsupported (architecture, type, device), ErrCorruptData, ErrIOError,
// ErrOutOfMemory, ErrLimitExceeded (WithMemoryLimit), ErrCancelled (by WithProgress or the context), ErrCommError (a rank
// did not come), ErrVersionMismatch (a foreign LibTorch).
func Open(ctx context.Context, path string, options ...EngineOption) (*Engine, error) {
	ctx = orBackground(ctx)
	o, err := newEngineOptions(ctx, options)
	if err != nil {
		return nil, err
	}
	defer o.free()
	e := &Engine{}
	err = e.h.made(func(out *raw.Handle) error { return raw.Graft_engine_open(path, o.pointer, out) }, raw.Graft_engine_free)
	if o.panicked != nil {
		e.Close()
		return nil, o.panicked
	}
	if errors.Is(err, ErrCancelled) && ctx.Err() != nil {
		return nil, ended(ctx, StatusCancelled, "the load was cancelled")
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Inspect says what Open would do with a model, as a JSON object: policy matched, what would be replaced, the split over
// ranks, memory. It loads no weights. Errors as for Open.
func Inspect(path string, options ...EngineOption) (string, error) {
	o, err := newEngineOptions(context.Background(), options)
	if err != nil {
		return "", err
	}
	defer o.free()
	var text string
	err = raw.Graft_engine_inspect(path, o.pointer, &text)
	if o.panicked != nil {
		return "", o.panicked
	}
	return text, failed(err)
}

func (e *Engine) handle() *handle {
	if e == nil {
		return nil
	}
	return &e.h
}

// Close releases the engine and never waits. Requests in flight go on to their end; Shutdown ends them.
func (e *Engine) Close() error { return e.handle().close() }

// Shutdown refuses new requests, cancels those in flight, and waits until threads and memory are released. Close must
// still be called. When the context ends first, the engine goes on closing: ErrTimeout, call again.
func (e *Engine) Shutdown(ctx context.Context) error { return e.wait(ctx, raw.Graft_engine_close) }

// Wait waits until the engine has ended: on rank 0, or alone, until Shutdown or a failure; on another rank until rank 0
// closes or a rank fails. ErrTimeout (still working), ErrCommError, ErrDeviceError (why it ended).
func (e *Engine) Wait(ctx context.Context) error { return e.wait(ctx, raw.Graft_engine_wait) }

func (e *Engine) wait(ctx context.Context, call func(raw.Handle, int64) error) error {
	p, err := e.handle().use()
	if err != nil {
		return err
	}
	defer e.h.done()
	return wait(ctx, func(milliseconds int64) error { return call(p, milliseconds) })
}

// Tokenizer gives the model's tokenizer, which does not need the engine to stay open. ErrNotFound: it has none.
func (e *Engine) Tokenizer() (*Tokenizer, error) {
	p, err := e.handle().use()
	if err != nil {
		return nil, err
	}
	defer e.h.done()
	return newTokenizer(func(out *raw.Handle) error { return raw.Graft_engine_tokenizer(p, out) })
}

// Info says what the engine is, as a JSON object: policy, type, devices, what was replaced, context limit, memory, the
// labels of a classifier, how embeddings are made.
func (e *Engine) Info() (string, error) { return e.handle().text(raw.Graft_engine_info) }

// Stats says what the engine has done since it was opened, as a JSON object: requests, tokens, times, cache use.
func (e *Engine) Stats() (string, error) { return e.handle().text(raw.Graft_engine_stats) }

// Save writes the model as the engine holds it into a directory. ErrUnsupported in this release.
func (e *Engine) Save(directory string) error {
	return e.call(func(p raw.Handle) error { return raw.Graft_engine_save(p, directory) })
}

// Profile begins or ends measuring where the time goes, from the next forward pass on. It is legal while requests run.
func (e *Engine) Profile(enabled bool) error {
	return e.call(func(p raw.Handle) error { return raw.Graft_engine_profile(p, flag(enabled)) })
}

// TakeProfile takes what was measured since the last take. ErrInvalidState: profiling is off and nothing is left.
func (e *Engine) TakeProfile() (*Profile, error) {
	p, err := e.handle().use()
	if err != nil {
		return nil, err
	}
	defer e.h.done()
	profile := &Profile{}
	err = profile.h.made(func(out *raw.Handle) error { return raw.Graft_profile_take(p, out) }, raw.Graft_profile_free)
	if err != nil {
		return nil, err
	}
	return profile, nil
}

func (e *Engine) call(f func(raw.Handle) error) error {
	p, err := e.handle().use()
	if err != nil {
		return err
	}
	defer e.h.done()
	return failed(f(p))
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
