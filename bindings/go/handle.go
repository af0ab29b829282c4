package graft

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"graft.example/graft/internal/raw"
)

// native is an object of the library that lives until it was closed and the last call in it has returned.
type native struct {
	state   atomic.Int64 // twice the calls that are inside, plus one when it was closed
	pointer raw.Handle
	leaving func(raw.Handle) // what closing does at once, before the last call has returned; may be nil
	free    func(raw.Handle)
}

func (n *native) enter() bool {
	for {
		state := n.state.Load()
		if state&1 != 0 {
			return false
		}
		if n.state.CompareAndSwap(state, state+2) {
			return true
		}
	}
}

func (n *native) leave() {
	if n.state.Add(-2) == 1 {
		n.free(n.pointer)
		n.pointer = nil // the address may be anybody's from now on, the collector's too
	}
}

func (n *native) closed() bool { return n.state.Load()&1 != 0 }

func (n *native) close() {
	for {
		state := n.state.Load()
		if state&1 != 0 {
			return
		}
		if n.state.CompareAndSwap(state, (state+2)|1) {
			break
		}
	}
	if n.leaving != nil {
		n.leaving(n.pointer)
	}
	n.leave()
}

// handle is the part of a public object that holds its native one.
type handle struct {
	native  *native
	cleanup runtime.Cleanup
}

// own hands an object of the library to h, which closes it when it is collected.
func (h *handle) own(n *native) {
	h.native = n
	h.cleanup = runtime.AddCleanup(h, (*native).close, n)
}

// use begins a call; done must follow when there is no error.
func (h *handle) use() (raw.Handle, error) {
	if h == nil || h.native == nil || !h.native.enter() {
		return nil, errClosed
	}
	return h.native.pointer, nil
}

// done ends a call. It also keeps the object from being collected, and so closed, during the call.
func (h *handle) done() {
	h.native.leave()
	runtime.KeepAlive(h)
}

func (h *handle) close() error {
	if h != nil && h.native != nil {
		h.cleanup.Stop()
		h.native.close()
		runtime.KeepAlive(h)
	}
	return nil
}

// slice is the longest wait inside the library while a context may end.
const slice = 20 * time.Millisecond

// wait calls poll until it gives something else than raw.ErrTimeout, or the context ends.
func wait(ctx context.Context, poll func(milliseconds int64) error) error {
	if ctx == nil || ctx.Done() == nil {
		for {
			if err := poll(-1); err != raw.ErrTimeout {
				return failed(err)
			}
		}
	}
	for {
		over := ctx.Err() != nil
		step := slice
		if deadline, ok := ctx.Deadline(); over {
			step = 0
		} else if ok {
			step = min(slice, max(time.Until(deadline), 0)+time.Millisecond)
		}
		if err := poll(step.Milliseconds()); err != raw.ErrTimeout {
			return failed(err)
		}
		if over {
			return ended(ctx, StatusTimeout, "the wait ended")
		}
	}
}

// linked says whether the library that was found is the one that this package was compiled for.
var linked = func() error {
	if found := raw.Graft_abi_version(); found != raw.ABIVersion {
		return &Error{Status: StatusVersionMismatch, Text: "libgraft.so has another ABI than the headers that this program was compiled with"}
	}
	return nil
}()

func flag(enabled bool) int32 {
	if enabled {
		return 1
	}
	return 0
}

// made has call make an object of the library, and owns it.
func (h *handle) made(call func(*raw.Handle) error, free func(raw.Handle)) error {
	if linked != nil {
		return linked
	}
	var pointer raw.Handle
	if err := call(&pointer); err != nil {
		return failed(err)
	}
	h.own(&native{pointer: pointer, free: free})
	return nil
}
