package graft

import (
	"math"
	"slices"
	"time"

	"graft.example/graft/internal/raw"
)

// RequestOption says what a request wants and how tokens are chosen; the zero value says nothing. An option may be used
// for any number of requests. What is out of range makes Submit fail with ErrInvalidArgument, and what this release, the
// model or the device does not offer with ErrUnsupported; the text names it. Nothing asked for is left out silently.
type RequestOption struct{ apply func(*requestOptions) error }

// Kind is what a request yields.
type Kind int32

// The kinds of requests.
const (
	KindGenerate Kind = raw.RequestGenerate // default: tokens and text, one event after another
	KindLogits   Kind = raw.RequestLogits   // Tensor("logits"), float32 [tokens, vocabulary or labels]
	KindEmbed    Kind = raw.RequestEmbed    // Tensor("embedding"), float32 [hidden]
	KindHidden   Kind = raw.RequestHidden   // Tensor("hidden"), float32 [tokens, hidden]
)

// Pooling says how an embedding is made of the hidden rows.
type Pooling int32

// The ways of pooling.
const (
	PoolingModel Pooling = raw.PoolingModel // as the model's files say
	PoolingMean  Pooling = raw.PoolingMean
	PoolingCLS   Pooling = raw.PoolingCLS  // the first row
	PoolingLast  Pooling = raw.PoolingLast // the last row
	PoolingNone  Pooling = raw.PoolingNone // all rows: [tokens, hidden]
)

// WithKind says what the request yields; KindGenerate is the default.
func WithKind(kind Kind) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_kind(p, int32(kind)) })
}

// WithQueue sends the request's events to a queue, instead of having them pulled from the request itself.
func WithQueue(queue *Queue) RequestOption {
	return RequestOption{func(o *requestOptions) error {
		o.queue = queue
		return nil
	}}
}

// WithTag gives the request a number that comes back on every event.
func WithTag(tag int64) RequestOption {
	return RequestOption{func(o *requestOptions) error {
		o.tag = tag
		return nil
	}}
}

// WithMaxTokens sets the most tokens to generate: 0 or more; -1 (default) = as many as the context holds.
func WithMaxTokens(tokens int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_max_tokens(p, tokens) })
}

// WithMinTokens sets the fewest tokens before the model may end its answer: 0 (default) or more.
func WithMinTokens(tokens int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_min_tokens(p, tokens) })
}

// WithPooling says how an embedding is made of the hidden rows; PoolingModel is the default.
func WithPooling(pooling Pooling) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_pooling(p, int32(pooling)) })
}

// WithGreedy takes the most likely token each time, instead of sampling. Penalties, bias and bans still hold.
func WithGreedy(enabled bool) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_greedy(p, flag(enabled)) })
}

// WithTemperature divides the logits: 0 (the same as greedy) or more; 1 by default.
func WithTemperature(temperature float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_temperature(p, temperature) })
}

// WithTopK keeps the k most likely tokens: 1 or more; 0 (default) = all.
func WithTopK(k int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_top_k(p, k) })
}

// WithTopP keeps the most likely tokens that together reach this probability: above 0, at most 1 (default = all).
func WithTopP(share float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_top_p(p, share) })
}

// WithMinP keeps tokens at least this likely relative to the most likely one: 0 (default = all) to 1.
func WithMinP(share float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_min_p(p, share) })
}

// WithTypicalP keeps the tokens of most typical surprise that reach this probability together: above 0, at most 1
// (default).
func WithTypicalP(share float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_typical_p(p, share) })
}

// WithSeed makes the random choices repeat: 0 or more; -1 (default) = drawn anew.
func WithSeed(seed int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_seed(p, seed) })
}

// WithRepetitionPenalty divides positive and multiplies negative logits of tokens of prompt and answer: above 0; 1
// (default) = off.
func WithRepetitionPenalty(penalty float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_repetition_penalty(p, penalty) })
}

// WithFrequencyPenalty is subtracted from a logit once for each time its token was generated; 0 (default) = off.
func WithFrequencyPenalty(penalty float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_frequency_penalty(p, penalty) })
}

// WithPresencePenalty is subtracted from the logit of a token that was generated at all; 0 (default) = off.
func WithPresencePenalty(penalty float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_presence_penalty(p, penalty) })
}

// WithPenaltyWindow sets how many last tokens the penalties look at: 1 or more; 0 (default) = all.
func WithPenaltyWindow(tokens int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_penalty_window(p, tokens) })
}

// WithNoRepeatNgram lets no run of this many tokens occur twice: 1 or more; 0 (default) = off.
func WithNoRepeatNgram(length int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_no_repeat_ngram(p, length) })
}

// WithLogitBias adds to the logits of single tokens; none is the default.
func WithLogitBias(bias map[int64]float64) RequestOption {
	pairs := make([]int64, 0, 2*len(bias)) // the ids, then the values by their bits
	values := make([]int64, 0, len(bias))
	for token, value := range bias {
		pairs = append(pairs, token)
		values = append(values, int64(math.Float64bits(value)))
	}
	pairs = append(pairs, values...)
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_logit_bias(p, pairs) })
}

// WithAllowedTokens lets only these tokens be chosen; none (default) = all may.
func WithAllowedTokens(tokens ...int64) RequestOption {
	tokens = slices.Clone(tokens)
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_allowed_tokens(p, tokens) })
}

// WithBannedTokens never chooses these tokens.
func WithBannedTokens(tokens ...int64) RequestOption {
	tokens = slices.Clone(tokens)
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_banned_tokens(p, tokens) })
}

// WithStop ends the answer before any of these texts, wherever it falls between tokens. Used again it adds texts.
func WithStop(texts ...string) RequestOption {
	texts = slices.Clone(texts)
	return requestOption(func(p raw.Handle) error {
		for _, text := range texts {
			if err := raw.Graft_request_options_add_stop(p, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// WithStopTokens ends the answer at any of these tokens, besides the model's own.
func WithStopTokens(tokens ...int64) RequestOption {
	tokens = slices.Clone(tokens)
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_stop_tokens(p, tokens) })
}

// WithIgnoreEOS goes on when the model ends its answer.
func WithIgnoreEOS(enabled bool) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_ignore_eos(p, flag(enabled)) })
}

// WithDeadline makes the request fail with ErrDeadlineExceeded this long after it was submitted; 0 (default) = never. It is
// rounded up to milliseconds.
func WithDeadline(after time.Duration) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_deadline_ms(p, milliseconds(after)) })
}

// WithNumBeams searches over this many beams: 1 (default = none) or more. Answers come when the search has ended, the best
// first.
func WithNumBeams(beams int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_num_beams(p, beams) })
}

// WithNumSequences sets how many answers to give: 1 (default) or more; Event.Sequence tells them apart. With beams, at most
// as many as beams.
func WithNumSequences(sequences int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_num_sequences(p, sequences) })
}

// WithLengthPenalty is the exponent of the length by which a beam's score is divided; 1 by default.
func WithLengthPenalty(penalty float64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_length_penalty(p, penalty) })
}

// WithTopLogprobs sets how many of the most likely tokens each event reports, and has it report Logprob: 0 (default) or more.
func WithTopLogprobs(count int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_top_logprobs(p, count) })
}

// WithPriority has requests of higher priority started first; 0 by default.
func WithPriority(priority int64) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_priority(p, priority) })
}

// WithCacheSalt lets only requests with the same salt share cached prefixes; empty (default) = the common one.
func WithCacheSalt(salt string) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_cache_salt(p, salt) })
}

// WithRequestJSON sets many options from a JSON object whose keys are the C setters' names: "max_tokens", "temperature",
// "stop", ... ErrInvalidArgument names the key.
func WithRequestJSON(json string) RequestOption {
	return requestOption(func(p raw.Handle) error { return raw.Graft_request_options_set_json(p, json) })
}

// CheckRequestOptions says whether the options are within their ranges, without submitting: nil, or what Submit would say
// of them before it looks at the model.
func CheckRequestOptions(options ...RequestOption) error {
	if linked != nil {
		return linked
	}
	o, err := newRequestOptions(options)
	if err == nil {
		raw.Graft_request_options_free(o.pointer)
	}
	return err
}

func requestOption(set func(raw.Handle) error) RequestOption {
	return RequestOption{func(o *requestOptions) error { return set(o.pointer) }}
}

// requestOptions is the library's options for one call.
type requestOptions struct {
	pointer raw.Handle
	queue   *Queue
	tag     int64
}

func newRequestOptions(options []RequestOption) (*requestOptions, error) {
	o := &requestOptions{}
	if err := raw.Graft_request_options_new(&o.pointer); err != nil {
		return nil, failed(err)
	}
	for _, option := range options {
		if option.apply == nil {
			continue
		}
		if err := option.apply(o); err != nil {
			raw.Graft_request_options_free(o.pointer)
			return nil, failed(err)
		}
	}
	return o, nil
}
