package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"

	"graft.example/graft"
)

// server is the models and what is counted about them.
type server struct {
	models    []*model
	generator *model
	embedder  *model // nil when there is none
	metrics   *metrics
	stopping  atomic.Bool
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.counted(s.chat))
	mux.HandleFunc("POST /v1/completions", s.counted(s.completions))
	mux.HandleFunc("POST /v1/embeddings", s.counted(s.embeddings))
	mux.HandleFunc("GET /v1/models", s.counted(s.listModels))
	mux.HandleFunc("GET /v1/models/{name...}", s.counted(s.showModel))
	mux.HandleFunc("GET /metrics", s.writeMetrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if s.stopping.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/", s.counted(func(w http.ResponseWriter, r *http.Request) error {
		return &apiError{code: http.StatusNotFound, kind: "invalid_request_error", text: "no such address: " + r.Method + " " + r.URL.Path}
	}))
	return mux
}

// counted writes the error of a handler that has not begun its answer, and counts the answers by their codes.
func (s *server) counted(handler func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := &recorder{ResponseWriter: w}
		r.Body = http.MaxBytesReader(w, r.Body, 16<<20)
		err := handler(answer, r)
		switch {
		case r.Context().Err() != nil:
			s.metrics.cancelled.Add(1)
		case err != nil && answer.code == 0:
			problem(err).write(answer)
		}
		s.metrics.answered(r.Pattern, answer.code)
	}
}

// recorder remembers whether an answer has begun, and with which code.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(data []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(data)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// apiError is an error in OpenAI's form.
type apiError struct {
	code                    int
	kind, text, param, name string
}

func (e *apiError) Error() string { return e.text }

func badRequest(param, format string, arguments ...any) error {
	return &apiError{code: http.StatusBadRequest, kind: "invalid_request_error", text: fmt.Sprintf(format, arguments...), param: param}
}

// problem says what a failure is to the client.
func problem(err error) *apiError {
	var known *apiError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &large):
		return &apiError{code: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", text: err.Error()}
	case errors.Is(err, graft.ErrLimitExceeded):
		return &apiError{code: http.StatusBadRequest, kind: "invalid_request_error", text: err.Error(), name: "context_length_exceeded"}
	case errors.Is(err, graft.ErrInvalidArgument), errors.Is(err, graft.ErrUnsupported):
		return &apiError{code: http.StatusBadRequest, kind: "invalid_request_error", text: err.Error()}
	case errors.Is(err, graft.ErrBusy):
		return &apiError{code: http.StatusTooManyRequests, kind: "rate_limit_error", text: err.Error(), name: "queue_full"}
	case errors.Is(err, graft.ErrClosed), errors.Is(err, graft.ErrInvalidState):
		return &apiError{code: http.StatusServiceUnavailable, kind: "server_error", text: err.Error()}
	}
	return &apiError{code: http.StatusInternalServerError, kind: "server_error", text: err.Error()}
}

func (e *apiError) body() map[string]any {
	orNull := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	return map[string]any{"error": map[string]any{
		"message": e.text, "type": e.kind, "param": orNull(e.param), "code": orNull(e.name),
	}}
}

func (e *apiError) write(w http.ResponseWriter) {
	if e.code == http.StatusTooManyRequests || e.code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, e.code, e.body())
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(value)
}

// named finds the model that a client asks for.
func (s *server) named(name string, wanted *model) error {
	if name == "" {
		return badRequest("model", "model: missing")
	}
	if wanted == nil || name != wanted.name {
		var names []string
		for _, m := range s.models {
			names = append(names, m.name)
		}
		return &apiError{code: http.StatusNotFound, kind: "invalid_request_error", param: "model", name: "model_not_found",
			text: fmt.Sprintf("model: %q does not do this here; served are %s", name, strings.Join(names, ", "))}
	}
	return nil
}

func (m *model) describe() map[string]any {
	return map[string]any{"id": m.name, "object": "model", "created": m.since, "owned_by": "graft"}
}

func (s *server) listModels(w http.ResponseWriter, _ *http.Request) error {
	var data []any
	for _, m := range s.models {
		data = append(data, m.describe())
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data})
	return nil
}

func (s *server) showModel(w http.ResponseWriter, r *http.Request) error {
	for _, m := range s.models {
		if m.name == r.PathValue("name") {
			writeJSON(w, http.StatusOK, m.describe())
			return nil
		}
	}
	return s.named(r.PathValue("name"), nil)
}
