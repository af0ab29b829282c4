// Command bench measures what the cases of bindings/bench/README.md cost in Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"graft.example/graft"
)

const (
	batches = 101
	calls   = 2000
	answers = 30
)

var sink int64 // what keeps a call from being left out

func report(name string, samples []float64) {
	slices.Sort(samples)
	fmt.Printf("{\"language\": \"go\", \"case\": %q, \"ns\": %.1f}\n", name, samples[len(samples)/2])
}

func measure(name string, count int, call func()) {
	samples := make([]float64, batches)
	for batch := range samples {
		begin := time.Now()
		for range count {
			call()
		}
		samples[batch] = float64(time.Since(begin).Nanoseconds()) / float64(count)
	}
	report(name, samples)
}

func measureTokens(engine *graft.Engine) error {
	options := graft.WithRequestJSON(`{"greedy": true, "ignore_eos": true, "max_tokens": 250}`)
	samples := make([]float64, answers)
	for answer := range samples {
		request, err := engine.Submit(context.Background(), graft.Text("What is"), options)
		if err != nil {
			return err
		}
		if err := request.Wait(context.Background()); err != nil {
			return err
		}
		events := 0
		begin := time.Now()
		for event, err := range request.Events() {
			if err != nil {
				return err
			}
			sink += int64(event.Kind) + event.Token + int64(event.Logprob) + int64(len(event.Text))
			events++
		}
		samples[answer] = float64(time.Since(begin).Nanoseconds()) / float64(events)
		request.Close()
	}
	report("token", samples)
	return nil
}

func run(model string) error {
	engine, err := graft.Open(context.Background(), model)
	if err != nil {
		return err
	}
	defer engine.Close()
	tokenizer, err := engine.Tokenizer()
	if err != nil {
		return err
	}
	defer tokenizer.Close()
	measure("abi", calls, func() { sink += int64(graft.ABIVersion()) })
	measure("vocab_size", calls, func() { sink += tokenizer.VocabSize() })
	measure("encode", calls/10, func() {
		ids, failure := tokenizer.Encode("What is 27 + 58?", false)
		sink += int64(len(ids))
		err = errors.Join(err, failure)
	})
	wrong := graft.WithEngineJSON(`{"colour": 1}`)
	measure("failure", calls/100, func() {
		if failure := graft.CheckEngineOptions(wrong); failure != nil {
			sink += int64(len(failure.Error()))
		}
	})
	return errors.Join(err, measureTokens(engine))
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s MODEL\n", os.Args[0])
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
