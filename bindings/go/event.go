package graft

import (
	"math"

	"graft.example/graft/internal/raw"
)

// EventKind says what happened to a request.
type EventKind int32

// The kinds of events; a number that this package does not know is kept.
const (
	EventToken    EventKind = raw.EventToken    // one token was chosen; its text, if whole characters became complete with it
	EventText     EventKind = raw.EventText     // text alone: characters that were held back
	EventProgress EventKind = raw.EventProgress // the prompt is being read
	EventFinished EventKind = raw.EventFinished // one sequence ended
	EventError    EventKind = raw.EventError    // the request failed
)

// FinishReason says why a sequence ended.
type FinishReason int32

// The reasons; a number that this package does not know is kept.
const (
	FinishNone      FinishReason = raw.FinishNone      // it has not ended
	FinishStop      FinishReason = raw.FinishStop      // the model ended its answer, or a stop text or token came
	FinishLength    FinishReason = raw.FinishLength    // the most tokens, or the context is full
	FinishCancelled FinishReason = raw.FinishCancelled // it was cancelled, or the engine was closed
	FinishDeadline  FinishReason = raw.FinishDeadline  // its deadline passed
	FinishError     FinishReason = raw.FinishError     // it failed
)

// Usage counts tokens.
type Usage struct {
	PromptTokens     int64 // tokens that went in
	CompletionTokens int64 // tokens generated so far
	CachedTokens     int64 // tokens of the prompt that were found in the cache
}

// TokenLogprob is a token and the natural logarithm of its probability.
type TokenLogprob struct {
	Token   int64
	Logprob float64
}

// Event is one thing that happened to a request. It is a value of its own, and may be kept.
type Event struct {
	Kind         EventKind
	Tag          int64          // WithTag's number
	Sequence     int64          // which of the request's answers it belongs to
	Token        int64          // the token's id; -1 when there is none
	Text         string         // new text: whole characters
	Logprob      float64        // with WithTopLogprobs: of Token, under the model, before any rule or sampling setting
	TopLogprobs  []TokenLogprob // with WithTopLogprobs: the most likely tokens, most likely first
	FinishReason FinishReason   // why the sequence ended
	Usage        Usage          // so far
	Progress     float64        // how much of the prompt has been read, in [0, 1]
	Last         bool           // nothing more will come of its request, in all its answers
	Err          error          // an *Error when Kind is EventError
}

// eventBuffer is the library's event, refilled again and again. One caller at a time.
type eventBuffer struct {
	event  raw.Handle
	fields raw.Fields
	top    []int64
}

// take makes the event of what the fields were filled with.
func (b *eventBuffer) take() Event {
	f := &b.fields
	event := Event{
		Kind: EventKind(f.Kind()), Tag: f.Tag(), Sequence: f.Sequence(), Token: f.Token(), Text: f.Text(),
		Logprob: f.Logprob(), FinishReason: FinishReason(f.Finish()), Progress: f.Progress(), Last: f.Last(),
		Usage: Usage{f.Usage(raw.UsagePromptTokens), f.Usage(raw.UsageCompletionTokens), f.Usage(raw.UsageCachedTokens)},
	}
	if f.Kind() == raw.EventError {
		event.Err = &Error{Status: Status(f.Status()), Text: raw.Graft_event_message(b.event)}
	}
	if count := f.TopCount(); count > 0 {
		event.TopLogprobs = b.readTop(count)
	}
	return event
}

func (b *eventBuffer) readTop(count int) []TokenLogprob {
	if len(b.top) != 1+2*count {
		b.top = make([]int64, 1+2*count)
	}
	if raw.Graft_event_top_logprobs(b.event, b.top) != nil {
		return nil
	}
	top := make([]TokenLogprob, count)
	for i := range top {
		top[i] = TokenLogprob{b.top[1+i], math.Float64frombits(uint64(b.top[1+count+i]))}
	}
	return top
}
