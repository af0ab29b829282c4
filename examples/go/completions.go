package main

import (
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"graft.example/graft"
)

// completionRequest is a POST of /v1/completions.
type completionRequest struct {
	parameters
	Prompt   json.RawMessage `json:"prompt"`
	Logprobs *int64          `json:"logprobs"`
	Echo     bool            `json:"echo"`
	BestOf   *int64          `json:"best_of"`
	Suffix   string          `json:"suffix"`
}

func (s *server) completions(w http.ResponseWriter, r *http.Request) error {
	var request completionRequest
	if err := decode(r, &request); err != nil {
		return err
	}
	if err := s.named(request.Model, s.generator); err != nil {
		return err
	}
	inputs, err := prompts("prompt", request.Prompt)
	if err != nil {
		return err
	}
	switch {
	case request.Echo:
		return badRequest("echo", "echo: not supported")
	case request.Suffix != "":
		return badRequest("suffix", "suffix: not supported")
	case request.BestOf != nil && *request.BestOf != request.answers():
		return badRequest("best_of", "best_of: %d; only the same as n is supported", *request.BestOf)
	}
	if request.MaxTokens == nil {
		request.MaxTokens = new(int64)
		*request.MaxTokens = 16
	}
	options, err := request.options()
	if err != nil {
		return err
	}
	form := &textForm{model: s.generator, offsets: make([]int, int64(len(inputs))*request.answers())}
	if request.Logprobs != nil {
		if form.top = *request.Logprobs; form.top < 0 || form.top > 5 {
			return badRequest("logprobs", "logprobs: %d is not between 0 and 5", form.top)
		}
		form.logprobs = true
		options = append(options, graft.WithTopLogprobs(max(form.top, 1)))
	}
	return s.answer(w, r, &request.parameters, "cmpl-", form, inputs, options)
}

// prompts reads a text, texts, tokens, or several of those.
func prompts(name string, value json.RawMessage) ([]graft.Input, error) {
	var text string
	var several []string
	var tokens []int64
	var severalTokens [][]int64
	var inputs []graft.Input
	switch {
	case isNull(value):
		return nil, badRequest(name, "%s: missing", name)
	case json.Unmarshal(value, &text) == nil:
		inputs = append(inputs, graft.Text(text))
	case json.Unmarshal(value, &several) == nil:
		for _, text := range several {
			inputs = append(inputs, graft.Text(text))
		}
	case json.Unmarshal(value, &tokens) == nil:
		inputs = append(inputs, graft.Tokens(tokens))
	case json.Unmarshal(value, &severalTokens) == nil:
		for _, tokens := range severalTokens {
			inputs = append(inputs, graft.Tokens(tokens))
		}
	default:
		return nil, badRequest(name, "%s: neither text nor tokens, nor an array of them", name)
	}
	if len(inputs) == 0 || len(inputs) > 2048 {
		return nil, badRequest(name, "%s: %d of them; 1 to 2048", name, len(inputs))
	}
	return inputs, nil
}

// textForm writes text completions.
type textForm struct {
	model    *model
	logprobs bool
	top      int64
	offsets  []int // where in its text each choice is, in characters
}

func (f *textForm) object(bool) string { return "text_completion" }

func (f *textForm) whole(index int, c *choice) map[string]any {
	return map[string]any{"text": c.text.String(), "logprobs": f.tokens(index, c.tokens)}
}

func (f *textForm) begin(int) map[string]any { return nil }

func (f *textForm) part(index int, text string, tokens []sampled) map[string]any {
	return map[string]any{"text": text, "logprobs": f.tokens(index, tokens), "finish_reason": nil}
}

func (f *textForm) end(_ int, reason string) map[string]any {
	return map[string]any{"text": "", "logprobs": nil, "finish_reason": reason}
}

func (f *textForm) tokens(index int, tokens []sampled) any {
	if !f.logprobs {
		return nil
	}
	names, logprobs, tops, offsets := []string{}, []float64{}, []any{}, []int{}
	for _, t := range tokens {
		name := f.model.spell(t.token)
		names, logprobs, offsets = append(names, name), append(logprobs, t.logprob), append(offsets, f.offsets[index])
		f.offsets[index] += utf8.RuneCountInString(name)
		top := map[string]float64{}
		for _, alternative := range t.top[:min(int(f.top), len(t.top))] {
			top[f.model.spell(alternative.Token)] = alternative.Logprob
		}
		tops = append(tops, top)
	}
	return map[string]any{"tokens": names, "token_logprobs": logprobs, "top_logprobs": tops, "text_offset": offsets}
}
