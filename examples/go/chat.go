package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"graft.example/graft"
)

// chatRequest is a POST of /v1/chat/completions.
type chatRequest struct {
	parameters
	Messages            []json.RawMessage `json:"messages"`
	MaxCompletionTokens *int64            `json:"max_completion_tokens"`
	Logprobs            bool              `json:"logprobs"`
	TopLogprobs         *int64            `json:"top_logprobs"`
	ResponseFormat      *struct {
		Type string `json:"type"`
	} `json:"response_format"`
}

func (s *server) chat(w http.ResponseWriter, r *http.Request) error {
	var request chatRequest
	if err := decode(r, &request); err != nil {
		return err
	}
	if err := s.named(request.Model, s.generator); err != nil {
		return err
	}
	input, err := conversation(request.Messages)
	if err != nil {
		return err
	}
	if request.ResponseFormat != nil && request.ResponseFormat.Type != "text" {
		return badRequest("response_format", "response_format: %q is not supported, only text", request.ResponseFormat.Type)
	}
	if request.MaxCompletionTokens != nil {
		if *request.MaxCompletionTokens < 1 {
			return badRequest("max_completion_tokens", "max_completion_tokens: %d is less than 1", *request.MaxCompletionTokens)
		}
		request.MaxTokens = request.MaxCompletionTokens
	}
	options, err := request.options()
	if err != nil {
		return err
	}
	form := &chatForm{model: s.generator}
	if request.TopLogprobs != nil {
		if form.top = *request.TopLogprobs; form.top < 0 || form.top > 20 || !request.Logprobs {
			return badRequest("top_logprobs", "top_logprobs: %d; 0 to 20, and only with logprobs", form.top)
		}
	}
	if request.Logprobs {
		form.logprobs = true
		options = append(options, graft.WithTopLogprobs(max(form.top, 1)))
	}
	return s.answer(w, r, &request.parameters, "chatcmpl-", form, []graft.Input{input}, options)
}

// conversation checks the messages, and joins contents that come in parts.
func conversation(messages []json.RawMessage) (graft.Input, error) {
	if len(messages) == 0 {
		return graft.Input{}, badRequest("messages", "messages: missing or empty")
	}
	turns := make([]graft.Message, len(messages))
	for i, data := range messages {
		var message struct {
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
		}
		if err := json.Unmarshal(data, &message); err != nil {
			return graft.Input{}, badRequest("messages", "messages[%d]: %v", i, err)
		}
		turns[i].Role = message.Role
		switch message.Role {
		case "developer":
			turns[i].Role = "system"
		case "system", "user", "assistant":
		default:
			return graft.Input{}, badRequest("messages", "messages[%d].role: %q is not supported", i, message.Role)
		}
		if json.Unmarshal(message.Content, &turns[i].Content) == nil && !isNull(message.Content) {
			continue
		}
		var parts []struct{ Type, Text string }
		if json.Unmarshal(message.Content, &parts) != nil || len(parts) == 0 {
			return graft.Input{}, badRequest("messages", "messages[%d].content: neither a text nor an array of parts", i)
		}
		for k, part := range parts {
			if part.Type != "text" {
				return graft.Input{}, badRequest("messages", "messages[%d].content[%d].type: %q is not supported", i, k, part.Type)
			}
			turns[i].Content += part.Text
		}
	}
	return graft.Chat(turns...), nil
}

// chatForm writes chat completions.
type chatForm struct {
	model    *model
	logprobs bool
	top      int64
}

func (f *chatForm) object(streamed bool) string {
	if streamed {
		return "chat.completion.chunk"
	}
	return "chat.completion"
}

func (f *chatForm) whole(_ int, c *choice) map[string]any {
	message := map[string]any{"role": "assistant", "content": c.text.String(), "refusal": nil}
	return map[string]any{"message": message, "logprobs": f.tokens(c.tokens)}
}

func (f *chatForm) begin(int) map[string]any {
	return map[string]any{"delta": map[string]any{"role": "assistant", "content": ""}, "logprobs": nil, "finish_reason": nil}
}

func (f *chatForm) part(_ int, text string, tokens []sampled) map[string]any {
	return map[string]any{"delta": map[string]any{"content": text}, "logprobs": f.tokens(tokens), "finish_reason": nil}
}

func (f *chatForm) end(_ int, reason string) map[string]any {
	return map[string]any{"delta": map[string]any{}, "logprobs": nil, "finish_reason": reason}
}

func (f *chatForm) tokens(tokens []sampled) any {
	if !f.logprobs {
		return nil
	}
	content := make([]any, 0, len(tokens))
	for _, t := range tokens {
		top := make([]any, 0, f.top)
		for _, alternative := range t.top[:min(int(f.top), len(t.top))] {
			top = append(top, f.token(alternative.Token, alternative.Logprob))
		}
		entry := f.token(t.token, t.logprob)
		entry["top_logprobs"] = top
		content = append(content, entry)
	}
	return map[string]any{"content": content, "refusal": nil}
}

func (f *chatForm) token(id int64, logprob float64) map[string]any {
	text := f.model.spell(id)
	entry := map[string]any{"token": text, "logprob": logprob, "bytes": nil}
	if !strings.ContainsRune(text, '\uFFFD') { // the bytes of half a character are not known here
		bytes := []int{}
		for _, b := range []byte(text) {
			bytes = append(bytes, int(b))
		}
		entry["bytes"] = bytes
	}
	return entry
}

// spell gives the text of one token.
func (m *model) spell(id int64) string {
	text, err := m.tokenizer.Decode([]int64{id}, false)
	if err != nil {
		return fmt.Sprintf("<%d>", id)
	}
	return text
}
