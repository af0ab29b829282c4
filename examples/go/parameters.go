package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"graft.example/graft"
)

// parameters is what chat and text completions share. Pointers tell what was not given.
type parameters struct {
	Model            string             `json:"model"`
	Stream           bool               `json:"stream"`
	StreamOptions    *streamOptions     `json:"stream_options"`
	N                *int64             `json:"n"`
	Stop             texts              `json:"stop"`
	MaxTokens        *int64             `json:"max_tokens"`
	Temperature      *float64           `json:"temperature"`
	TopP             *float64           `json:"top_p"`
	Seed             *int64             `json:"seed"`
	FrequencyPenalty *float64           `json:"frequency_penalty"`
	PresencePenalty  *float64           `json:"presence_penalty"`
	LogitBias        map[string]float64 `json:"logit_bias"`

	// Taken, and of no effect: they change nothing about an answer.
	User             any `json:"user"`
	Metadata         any `json:"metadata"`
	SafetyIdentifier any `json:"safety_identifier"`
	PromptCacheKey   any `json:"prompt_cache_key"`
}

type streamOptions struct {
	IncludeUsage       bool `json:"include_usage"`
	IncludeObfuscation bool `json:"include_obfuscation"`
}

// texts is one text or several.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one *string
	if json.Unmarshal(data, &one) == nil {
		if one != nil {
			*t = texts{*one}
		}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// decode reads a request strictly: what is not known is refused, not left out.
func decode(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			return nil
		}
		return badRequest("", "the body is more than one JSON object")
	}
	var large *http.MaxBytesError
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &large) {
		return err
	}
	if errors.As(err, &wrong) {
		field := strings.TrimPrefix(wrong.Field, "parameters.")
		return badRequest(field, "%s: %s was not expected, but %s", field, wrong.Value, wrong.Type)
	}
	if _, name, found := strings.Cut(err.Error(), "unknown field "); found {
		name, _ = strconv.Unquote(name)
		return badRequest(name, "%s: not known or not supported", name)
	}
	return badRequest("", "the body is no JSON object: %v", err)
}

func (p *parameters) options() ([]graft.RequestOption, error) {
	var options []graft.RequestOption
	number := func(name string, value *float64, low, high float64, option func(float64) graft.RequestOption) error {
		if value == nil {
			return nil
		}
		if !(*value >= low && *value <= high) {
			return badRequest(name, "%s: %v is not between %v and %v", name, *value, low, high)
		}
		options = append(options, option(*value))
		return nil
	}
	if p.StreamOptions != nil && !p.Stream {
		return nil, badRequest("stream_options", "stream_options: only with stream")
	}
	if p.N != nil {
		if *p.N < 1 || *p.N > 128 {
			return nil, badRequest("n", "n: %d is not between 1 and 128", *p.N)
		}
		options = append(options, graft.WithNumSequences(*p.N))
	}
	if len(p.Stop) > 4 {
		return nil, badRequest("stop", "stop: %d texts, at most 4", len(p.Stop))
	}
	for _, text := range p.Stop {
		if text == "" {
			return nil, badRequest("stop", "stop: an empty text")
		}
	}
	options = append(options, graft.WithStop(p.Stop...))
	if p.MaxTokens != nil {
		if *p.MaxTokens < 1 {
			return nil, badRequest("max_tokens", "max_tokens: %d is less than 1", *p.MaxTokens)
		}
		options = append(options, graft.WithMaxTokens(*p.MaxTokens))
	}
	if p.Seed != nil {
		options = append(options, graft.WithSeed(*p.Seed&(1<<63-1)))
	}
	topP := func(value float64) graft.RequestOption { return graft.WithTopP(max(value, 1e-9)) }
	err := errors.Join(
		number("temperature", p.Temperature, 0, 2, graft.WithTemperature),
		number("top_p", p.TopP, 0, 1, topP),
		number("frequency_penalty", p.FrequencyPenalty, -2, 2, graft.WithFrequencyPenalty),
		number("presence_penalty", p.PresencePenalty, -2, 2, graft.WithPresencePenalty))
	if err != nil {
		return nil, err
	}
	bias := map[int64]float64{}
	for token, value := range p.LogitBias {
		id, err := strconv.ParseInt(token, 10, 64)
		if err != nil || id < 0 || !(value >= -100 && value <= 100) {
			return nil, badRequest("logit_bias", "logit_bias: %q: %v is no token with a number between -100 and 100", token, value)
		}
		bias[id] = value
	}
	return append(options, graft.WithLogitBias(bias)), nil
}

func (p *parameters) answers() int64 {
	if p.N == nil {
		return 1
	}
	return *p.N
}

func (p *parameters) usageWanted() bool {
	return p.StreamOptions != nil && p.StreamOptions.IncludeUsage
}

// isNull says whether a raw value was not given.
func isNull(value json.RawMessage) bool {
	return len(value) == 0 || bytes.Equal(bytes.TrimSpace(value), []byte("null"))
}
