package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// metrics counts what the engines do not.
type metrics struct {
	lock       sync.Mutex
	answers    map[string]int64 // by the labels of a line
	cancelled  atomic.Int64
	prompt     atomic.Int64
	completion atomic.Int64
}

func newMetrics() *metrics { return &metrics{answers: map[string]int64{}} }

func (m *metrics) answered(pattern string, code int) {
	_, path, _ := strings.Cut(pattern, " ")
	path, _, _ = strings.Cut(path, "/{")
	if path == "" {
		path = "other"
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	m.answers[fmt.Sprintf("path=%q,code=\"%d\"", path, code)]++
}

// writeMetrics answers in Prometheus' text format; tests/service/README.md lists the names.
func (s *server) writeMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	family := func(name, kind, help string) { fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }

	family("graft_http_requests_total", "counter", "Answers by path and code; code 0 is a client that left before.")
	s.metrics.lock.Lock()
	labels := make([]string, 0, len(s.metrics.answers))
	for label := range s.metrics.answers {
		labels = append(labels, label)
	}
	sort.Strings(labels)
	for _, label := range labels {
		fmt.Fprintf(w, "graft_http_requests_total{%s} %d\n", label, s.metrics.answers[label])
	}
	s.metrics.lock.Unlock()
	family("graft_http_cancelled_total", "counter", "Requests whose client left before the answer was complete.")
	fmt.Fprintf(w, "graft_http_cancelled_total %d\n", s.metrics.cancelled.Load())
	family("graft_prompt_tokens_total", "counter", "Prompt tokens of complete answers.")
	fmt.Fprintf(w, "graft_prompt_tokens_total %d\n", s.metrics.prompt.Load())
	family("graft_completion_tokens_total", "counter", "Generated tokens of complete answers.")
	fmt.Fprintf(w, "graft_completion_tokens_total %d\n", s.metrics.completion.Load())

	for _, gauge := range []struct{ name, kind, key, help string }{
		{"graft_requests_waiting", "gauge", "requests_waiting", "Requests that wait for room in the engine."},
		{"graft_sequences_running", "gauge", "sequences_running", "Sequences that the engine works on."},
		{"graft_steps_total", "counter", "steps", "Steps of the engine."},
		{"graft_tokens_computed_total", "counter", "tokens_computed", "Tokens that went through the engine."},
	} {
		family(gauge.name, gauge.kind, gauge.help)
		for _, m := range s.models {
			text, err := m.engine.Stats()
			var stats map[string]float64
			if err == nil && json.Unmarshal([]byte(text), &stats) == nil {
				fmt.Fprintf(w, "%s{model=%q} %v\n", gauge.name, m.name, int64(stats[gauge.key]))
			}
		}
	}
}
