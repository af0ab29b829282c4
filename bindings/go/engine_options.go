package graft

import (
	"context"
	"time"

	"graft.example/graft/internal/raw"
)

// EngineOption says how to open a model; the zero value says nothing. An option may be used for any number of engines.
// What is out of range makes Open and Inspect fail with ErrInvalidArgument, and what this release, the model or the
// machine does not offer with ErrUnsupported; the text names it.
type EngineOption struct{ apply func(*engineOptions) error }

// Weights says how weight files are read.
type Weights int32

// How weight files are read.
const (
	WeightsMap  Weights = raw.WeightsMap  // mapped; a file that is shortened meanwhile can end the process
	WeightsRead Weights = raw.WeightsRead // copied into memory; safe whatever happens to the file
)

// WithDevice chooses the device: "auto" (default: a CUDA device if one is usable, else the CPU), "cpu", "cuda", "cuda:N".
func WithDevice(device string) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_device(p, device) })
}

// WithDType chooses the type of weights and arithmetic: "auto" (default: as stored), "float32", "bfloat16", "float16",
// "int8", "int4".
func WithDType(dtype string) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_dtype(p, dtype) })
}

// WithQuantization quantises the weights while loading: 0 (default: none), 4 or 8 bits, with one scale for groupSize
// values; 0 = the default of the format.
func WithQuantization(bits int32, groupSize int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_quantization(p, bits, groupSize) })
}

// WithTensorParallel splits each layer over this many ranks; 1 is the default.
func WithTensorParallel(ranks int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_tensor_parallel(p, ranks) })
}

// WithExpertParallel shares out the experts over this many ranks; 1 is the default.
func WithExpertParallel(ranks int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_expert_parallel(p, ranks) })
}

// WithRank makes this process one rank of world, instead of all ranks living here (-1, the default, with world 0). Rank 0
// listens at address and port. After timeout a silent rank is an error on all others; 0 = one minute.
func WithRank(rank, world int64, address string, port int64, timeout time.Duration) EngineOption {
	return engineOption(func(p raw.Handle) error {
		return raw.Graft_engine_options_set_rank(p, rank, world, address, port, milliseconds(timeout))
	})
}

// WithInjection chooses what is replaced: "kernel" (default: fused layers), "auto" (only split over ranks) or "none".
func WithInjection(injection string) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_injection(p, injection) })
}

// WithGraph says whether the step is recorded once and replayed, which is the default.
func WithGraph(enabled bool) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_graph(p, flag(enabled)) })
}

// WithThreads sets the kernel threads of the engine, all ranks of this process together; 0 (default) = one per core.
func WithThreads(threads int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_threads(p, threads) })
}

// WithContextLimit sets the longest sequence, prompt and answer together; 0 (default) = the model's own limit.
func WithContextLimit(tokens int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_context_limit(p, tokens) })
}

// WithMaxSequences sets how many sequences are worked on at the same time; 0 (default) = the engine chooses.
func WithMaxSequences(sequences int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_max_sequences(p, sequences) })
}

// WithMaxQueue sets how many requests may wait; one more fails with ErrBusy. 0 (default) = the engine chooses.
func WithMaxQueue(requests int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_max_queue(p, requests) })
}

// WithRunAhead sets how far a GPU may run ahead of the host, in time of its work: up to a minute, 10 ms by default. Then
// the host spends less on each token, but hears of tokens, and the GPU of a new request, up to so much later. 0 = of each
// token at once.
func WithRunAhead(limit time.Duration) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_run_ahead_ms(p, milliseconds(limit)) })
}

// WithMemoryLimit sets the bytes that the engine may use on each device; 0 (default) = no limit of its own.
func WithMemoryLimit(bytes int64) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_memory_limit(p, bytes) })
}

// WithWeights says how weight files are read; WeightsMap is the default.
func WithWeights(weights Weights) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_weights(p, int32(weights)) })
}

// WithLibraryDirectory says where LibTorch is, before all other places. Only the first engine or tokenizer of a process
// loads LibTorch; later values are not looked at.
func WithLibraryDirectory(directory string) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_library_directory(p, directory) })
}

// WithProgress has f told of the load: a fraction in [0, 1] that never falls, and what is being done. When it returns
// false the load is cancelled, and Open fails with ErrCancelled; when it panics, with a *CallbackPanic.
func WithProgress(f func(fraction float64, what string) bool) EngineOption {
	return EngineOption{func(o *engineOptions) error {
		o.progress = f
		return nil
	}}
}

// WithPolicy adds a policy; policies are asked in the order given, before those that Graft knows. The policy must stay
// open until Open was called.
func WithPolicy(policy *Policy) EngineOption {
	return engineOption(func(p raw.Handle) error {
		added, err := policy.handle().use()
		if err != nil {
			return err
		}
		defer policy.h.done()
		return raw.Graft_engine_options_add_policy(p, added)
	})
}

// WithEngineJSON sets many options from a JSON object whose keys are the C setters' names ("dtype", "tensor_parallel",
// "quantization", ...), or from a DeepSpeed-Inference configuration. ErrInvalidArgument names the key.
func WithEngineJSON(json string) EngineOption {
	return engineOption(func(p raw.Handle) error { return raw.Graft_engine_options_set_json(p, json) })
}

// CheckEngineOptions says whether the options are within their ranges, without opening a model: nil, or what Open would
// say of them before it looks at the model.
func CheckEngineOptions(options ...EngineOption) error {
	o, err := newEngineOptions(context.Background(), options)
	if err == nil {
		o.free()
	}
	return err
}

func engineOption(set func(raw.Handle) error) EngineOption {
	return EngineOption{func(o *engineOptions) error { return set(o.pointer) }}
}

// engineOptions is the library's options for one call.
type engineOptions struct {
	pointer  raw.Handle
	progress func(float64, string) bool
	release  func()
	panicked *CallbackPanic
}

func newEngineOptions(ctx context.Context, options []EngineOption) (*engineOptions, error) {
	if linked != nil {
		return nil, linked
	}
	o := &engineOptions{release: func() {}}
	if err := raw.Graft_engine_options_new(&o.pointer); err != nil {
		return nil, failed(err)
	}
	for _, option := range options {
		if option.apply == nil {
			continue
		}
		if err := option.apply(o); err != nil {
			o.free()
			return nil, failed(err)
		}
	}
	if o.progress != nil || ctx.Done() != nil {
		release, err := raw.SetProgress(o.pointer, func(fraction float64, what string) bool { return o.tell(ctx, fraction, what) })
		if err != nil {
			o.free()
			return nil, failed(err)
		}
		o.release = release
	}
	return o, nil
}

// tell is called on the thread that opens the engine.
func (o *engineOptions) tell(ctx context.Context, fraction float64, what string) bool {
	if ctx.Err() != nil || o.panicked != nil {
		return false
	}
	goOn := true
	if o.progress != nil {
		o.panicked = guarded(func() { goOn = o.progress(fraction, what) })
	}
	return goOn && o.panicked == nil
}

func (o *engineOptions) free() {
	raw.Graft_engine_options_free(o.pointer)
	o.release()
}

// milliseconds rounds up, so that no wait becomes none; negative stays negative.
func milliseconds(d time.Duration) int64 {
	if d > 0 {
		return int64((d-1)/time.Millisecond) + 1
	}
	return int64(d / time.Millisecond)
}
