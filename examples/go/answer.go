package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"graft.example/graft"
)

// choice is one answer as it grows.
type choice struct {
	text         strings.Builder
	tokens       []sampled
	finishReason string
	usage        graft.Usage
}

// sampled is a chosen token with what was asked about it.
type sampled struct {
	token   int64
	logprob float64
	top     []graft.TokenLogprob
}

// form is how an interface writes its answers: chat or text completions.
type form interface {
	object(streamed bool) string
	whole(index int, c *choice) map[string]any
	// begin gives the chunk before the first text of a choice; nil for none.
	begin(index int) map[string]any
	// part gives the chunk of new text and new tokens.
	part(index int, text string, tokens []sampled) map[string]any
	end(index int, reason string) map[string]any
}

// answer runs the inputs, each for as many choices, and writes them whole or as they come.
func (s *server) answer(w http.ResponseWriter, r *http.Request, p *parameters, prefix string, f form, inputs []graft.Input, options []graft.RequestOption) error {
	head := func(streamed bool, choices []any) map[string]any {
		return map[string]any{"object": f.object(streamed), "model": s.generator.name, "choices": choices}
	}
	id, created := prefix+rand.Text(), time.Now().Unix()
	stamped := func(body map[string]any) map[string]any {
		body["id"], body["created"] = id, created
		return body
	}
	choices := make([]choice, int64(len(inputs))*p.answers())
	requests, queue, err := s.submit(r.Context(), inputs, options)
	if err != nil {
		return err
	}
	defer func() {
		for _, request := range requests {
			request.Close()
		}
		queue.Close()
	}()

	out := newStream(w, p.Stream)
	send := func(index int, part map[string]any) error {
		if part == nil || !p.Stream {
			return nil
		}
		part["index"] = index
		body := stamped(head(true, []any{part}))
		if p.usageWanted() {
			body["usage"] = nil
		}
		return out.send(body)
	}
	for index := range choices {
		if err := send(index, f.begin(index)); err != nil {
			return err
		}
	}
	for running := len(choices); running > 0; {
		event, err := queue.Next(r.Context())
		if err == nil {
			err = event.Err
		}
		if err != nil {
			return out.fail(err)
		}
		index := int(event.Tag*p.answers() + event.Sequence)
		c := &choices[index]
		var tokens []sampled
		if event.Kind == graft.EventToken && len(event.TopLogprobs) > 0 && !s.generator.ends(event.Token) {
			tokens = []sampled{{event.Token, event.Logprob, event.TopLogprobs}}
		}
		if p.Stream && (event.Text != "" || len(tokens) > 0) {
			err = send(index, f.part(index, event.Text, tokens))
		} else {
			c.text.WriteString(event.Text)
			c.tokens = append(c.tokens, tokens...)
		}
		if event.Kind == graft.EventFinished {
			running--
			c.usage, c.finishReason = event.Usage, "stop"
			switch event.FinishReason {
			case graft.FinishLength:
				c.finishReason = "length"
			case graft.FinishCancelled:
				return out.fail(graft.ErrClosed)
			}
			if err == nil {
				err = send(index, f.end(index, c.finishReason))
			}
		}
		if err != nil {
			return err
		}
	}

	usage := s.total(choices, int(p.answers()))
	if p.Stream {
		if p.usageWanted() {
			body := stamped(head(true, []any{}))
			body["usage"] = usage
			if err := out.send(body); err != nil {
				return err
			}
		}
		return out.done()
	}
	var whole []any
	for index := range choices {
		body := f.whole(index, &choices[index])
		body["index"], body["finish_reason"] = index, choices[index].finishReason
		whole = append(whole, body)
	}
	body := stamped(head(false, whole))
	body["usage"] = usage
	writeJSON(w, http.StatusOK, body)
	return nil
}

// submit hands every input to the engine, with its number as the tag.
func (s *server) submit(ctx context.Context, inputs []graft.Input, options []graft.RequestOption) (requests []*graft.Request, queue *graft.Queue, err error) {
	if queue, err = graft.NewQueue(); err != nil {
		return nil, nil, err
	}
	for index, input := range inputs {
		with := append(options[:len(options):len(options)], graft.WithQueue(queue), graft.WithTag(int64(index)))
		request, err := s.generator.engine.Submit(ctx, input, with...)
		if err != nil {
			for _, request := range requests {
				request.Close()
			}
			queue.Close()
			return nil, nil, err
		}
		requests = append(requests, request)
	}
	return requests, queue, nil
}

// total adds up the usage; a prompt that has several answers counts once.
func (s *server) total(choices []choice, answers int) map[string]any {
	var sum graft.Usage
	for index := range choices {
		usage := choices[index].usage
		sum.CompletionTokens += usage.CompletionTokens
		if index%answers == 0 {
			sum.PromptTokens += usage.PromptTokens
			sum.CachedTokens += usage.CachedTokens
		}
	}
	s.metrics.prompt.Add(sum.PromptTokens)
	s.metrics.completion.Add(sum.CompletionTokens)
	return map[string]any{
		"prompt_tokens": sum.PromptTokens, "completion_tokens": sum.CompletionTokens,
		"total_tokens":          sum.PromptTokens + sum.CompletionTokens,
		"prompt_tokens_details": map[string]any{"cached_tokens": sum.CachedTokens},
	}
}

// stream writes server-sent events.
type stream struct {
	w        http.ResponseWriter
	flush    func() error
	streamed bool
}

func newStream(w http.ResponseWriter, streamed bool) *stream {
	s := &stream{w, http.NewResponseController(w).Flush, streamed}
	if streamed {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-cache")
	}
	return s
}

func (s *stream) send(body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.w, "data: %s\n\n", data); err != nil {
		return err
	}
	return s.flush()
}

// fail is an error on its way to the client: the last event, where the answer is a stream.
func (s *stream) fail(err error) error {
	if s.streamed {
		_ = s.send(problem(err).body())
	}
	return err
}

func (s *stream) done() error {
	if _, err := fmt.Fprint(s.w, "data: [DONE]\n\n"); err != nil {
		return err
	}
	return s.flush()
}
