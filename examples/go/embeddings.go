package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"

	"graft.example/graft"
)

// embeddingRequest is a POST of /v1/embeddings.
type embeddingRequest struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	EncodingFormat string          `json:"encoding_format"`
	Dimensions     *int64          `json:"dimensions"`
	User           any             `json:"user"`
}

func (s *server) embeddings(w http.ResponseWriter, r *http.Request) error {
	var request embeddingRequest
	if err := decode(r, &request); err != nil {
		return err
	}
	if err := s.named(request.Model, s.embedder); err != nil {
		return err
	}
	if request.EncodingFormat != "" && request.EncodingFormat != "float" && request.EncodingFormat != "base64" {
		return badRequest("encoding_format", "encoding_format: %q is neither float nor base64", request.EncodingFormat)
	}
	inputs, err := prompts("input", request.Input)
	if err != nil {
		return err
	}
	// One after another into the engine, which works on them together; the answers are taken in order.
	requests := make([]*graft.Request, 0, len(inputs))
	defer func() {
		for _, request := range requests {
			request.Close()
		}
	}()
	for _, input := range inputs {
		submitted, err := s.embedder.engine.Submit(r.Context(), input, graft.WithKind(graft.KindEmbed))
		if err != nil {
			return err
		}
		requests = append(requests, submitted)
	}
	var data []any
	var tokens int64
	for index, submitted := range requests {
		values, used, err := embedding(r, submitted)
		if err != nil {
			return err
		}
		if request.Dimensions != nil && *request.Dimensions != int64(len(values)) {
			return badRequest("dimensions", "dimensions: %d; this model has %d", *request.Dimensions, len(values))
		}
		tokens += used
		entry := map[string]any{"object": "embedding", "index": index, "embedding": values}
		if request.EncodingFormat == "base64" {
			bytes := make([]byte, 0, 4*len(values))
			for _, value := range values {
				bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(value))
			}
			entry["embedding"] = base64.StdEncoding.EncodeToString(bytes)
		}
		data = append(data, entry)
	}
	s.metrics.prompt.Add(tokens)
	writeJSON(w, http.StatusOK, map[string]any{
		"object": "list", "model": s.embedder.name, "data": data,
		"usage": map[string]any{"prompt_tokens": tokens, "total_tokens": tokens},
	})
	return nil
}

// embedding waits for one row, and how many tokens it was made of.
func embedding(r *http.Request, request *graft.Request) ([]float32, int64, error) {
	var tokens int64
	for event, err := range request.Events() {
		if err != nil {
			return nil, 0, err
		}
		tokens = max(tokens, event.Usage.PromptTokens)
	}
	if r.Context().Err() != nil {
		return nil, 0, r.Context().Err()
	}
	tensor, err := request.Tensor("embedding")
	if err != nil {
		return nil, 0, err
	}
	defer tensor.Close()
	values, err := tensor.Float32s()
	return values, tokens, err
}
