// Command service answers OpenAI's HTTP interface with Graft: chat and text completions, embeddings, models.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"graft.example/graft"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:8080", "address and port")
	model := flag.String("model", "", "directory of the model that generates")
	embedding := flag.String("embedding-model", "", "directory of the model that makes embeddings")
	device := flag.String("device", "auto", "auto, cpu, cuda or cuda:N")
	threads := flag.Int64("threads", 0, "kernel threads of each engine; 0 = one per core")
	sequences := flag.Int64("max-sequences", 0, "sequences worked on at the same time; 0 = the engine chooses")
	queue := flag.Int64("max-queue", 0, "requests that may wait before others get 429; 0 = the engine chooses")
	grace := flag.Duration("grace", time.Minute, "how long answers may go on after SIGTERM")
	flag.Parse()
	if *model == "" {
		return errors.New("--model DIR is needed")
	}
	options := []graft.EngineOption{
		graft.WithDevice(*device), graft.WithThreads(*threads), graft.WithMaxSequences(*sequences), graft.WithMaxQueue(*queue),
	}
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	s := &server{metrics: newMetrics()}
	for _, directory := range []string{*model, *embedding} {
		if directory == "" {
			continue
		}
		m, err := openModel(stopping, directory, options)
		if err != nil {
			return err
		}
		defer m.engine.Close()
		s.models = append(s.models, m)
	}
	s.generator = s.models[0]
	if *embedding != "" {
		if s.models[0].name == s.models[1].name {
			return fmt.Errorf("--model and --embedding-model are both called %s: clients cannot tell them apart", s.models[0].name)
		}
		s.embedder = s.models[1]
	}

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	log.Printf("listening on %s", listener.Addr())

	select {
	case err := <-ended:
		return err
	case <-stopping.Done():
	}
	stop() // a second signal ends the process at once
	log.Print("stopping: answers go on to their end")
	s.stopping.Store(true)
	patience, cancel := context.WithTimeout(context.Background(), *grace)
	defer cancel()
	if err := web.Shutdown(patience); err != nil {
		web.Close()
	}
	for _, m := range s.models {
		if err := m.engine.Shutdown(patience); err != nil {
			return err
		}
	}
	return nil
}

// model is an engine under the name that clients call it by.
type model struct {
	name      string
	engine    *graft.Engine
	tokenizer *graft.Tokenizer
	since     int64
	eos       []int64
}

// ends says whether a token ends an answer; it is no part of its text.
func (m *model) ends(token int64) bool { return slices.Contains(m.eos, token) }

func openModel(ctx context.Context, directory string, options []graft.EngineOption) (*model, error) {
	path, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	engine, err := graft.Open(ctx, path, options...)
	if err != nil {
		return nil, err
	}
	tokenizer, err := engine.Tokenizer()
	if err != nil {
		engine.Close()
		return nil, err
	}
	var known struct {
		EOS []int64 `json:"eos_tokens"`
	}
	info, err := engine.Info()
	if err == nil {
		err = json.Unmarshal([]byte(info), &known)
	}
	if err != nil {
		engine.Close()
		return nil, err
	}
	return &model{filepath.Base(path), engine, tokenizer, time.Now().Unix(), known.EOS}, nil
}
