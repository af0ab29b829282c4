package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"graft.example/graft"
)

var reasons = [...]string{"NONE", "STOP", "LENGTH", "CANCELLED", "DEADLINE", "ERROR"}

// pull gives every event of the case's request to visit.
func (c *testCase) pull(visit func(*graft.Request, graft.Event)) error {
	engine, release, err := c.open()
	if err != nil {
		return err
	}
	defer release()
	request, err := c.submit(engine)
	if err != nil {
		return err
	}
	defer request.Close()
	return pull(request, visit)
}

func pull(request *graft.Request, visit func(*graft.Request, graft.Event)) error {
	for event, err := range request.Events() {
		if err != nil {
			return err
		}
		visit(request, event)
	}
	return nil
}

// text is all text of a request.
func text(request *graft.Request) (string, error) {
	var out strings.Builder
	err := pull(request, func(_ *graft.Request, event graft.Event) { out.WriteString(event.Text) })
	return out.String(), err
}

func generate(c *testCase) (string, error) {
	var out strings.Builder
	var last graft.Event
	err := c.pull(func(_ *graft.Request, event graft.Event) {
		out.WriteString(event.Text)
		if event.Kind == graft.EventFinished {
			last = event
		}
	})
	return fmt.Sprintf("%s %d/%d %s", reasons[last.FinishReason], last.Usage.PromptTokens, last.Usage.CompletionTokens, out.String()), err
}

func init() {
	kinds["generate"] = generate
	kinds["tokens_of"] = func(c *testCase) (string, error) {
		var ids []int64
		err := c.pull(func(_ *graft.Request, event graft.Event) {
			if event.Token >= 0 {
				ids = append(ids, event.Token)
			}
		})
		return words(ids), err
	}
	kinds["events"] = events
	kinds["sequences"] = func(c *testCase) (string, error) {
		engine, release, err := c.open()
		if err != nil {
			return "", err
		}
		defer release()
		answers, err := engine.Complete(background, c.input(), c.options()...)
		var out strings.Builder
		for _, answer := range answers {
			out.WriteString(answer.Text + "|")
		}
		return out.String(), err
	}
	kinds["logprobs"] = func(c *testCase) (string, error) {
		thousandths := func(token int64, logprob float64) string {
			return fmt.Sprintf("%d:%d", token, int64(math.Floor(logprob*1000+0.5)))
		}
		var out []string
		err := c.pull(func(_ *graft.Request, event graft.Event) {
			if event.Token < 0 {
				return
			}
			var top []string
			for _, entry := range event.TopLogprobs {
				top = append(top, thousandths(entry.Token, entry.Logprob))
			}
			out = append(out, thousandths(event.Token, event.Logprob)+"["+strings.Join(top, ",")+"]")
		})
		return strings.Join(out, " "), err
	}
	kinds["cancel_decode"] = func(c *testCase) (string, error) { return cancel(c, (*graft.Request).Cancel) }
	kinds["cancel_prefill"] = kinds["cancel_decode"]
	kinds["cancel_elsewhere"] = func(c *testCase) (string, error) {
		return cancel(c, func(request *graft.Request) error {
			done := make(chan error)
			go func() { done <- request.Cancel() }()
			return <-done
		})
	}
	kinds["failure"] = func(c *testCase) (string, error) {
		if err := c.pull(func(*graft.Request, graft.Event) {}); err != nil {
			return status(err), nil
		}
		return "none", nil
	}
	kinds["wait"] = func(c *testCase) (string, error) {
		engine, release, err := c.open()
		if err != nil {
			return "", err
		}
		defer release()
		request, err := c.submit(engine)
		if err != nil {
			return "", err
		}
		defer request.Close()
		over, cancel := context.WithCancel(background)
		cancel()
		return status(request.Wait(over)) + " " + status(request.Wait(background)), nil
	}
	kinds["busy"] = func(c *testCase) (string, error) {
		engine, release, err := c.open()
		if err != nil {
			return "", err
		}
		defer release()
		for range c.number("count", 0) {
			request, err := c.submit(engine)
			if err != nil {
				return "", err
			}
			defer request.Close()
		}
		return "none", nil
	}
	kinds["shutdown"] = func(c *testCase) (string, error) {
		engine, err := graft.Open(background, c.session.model)
		if err != nil {
			return "", err
		}
		defer engine.Close()
		if err := engine.Shutdown(background); err != nil {
			return "", err
		}
		request, err := c.submit(engine)
		return "ok", ends(err, request.Close)
	}
	kinds["threads"] = func(c *testCase) (string, error) {
		alone, err := generate(c)
		if err != nil {
			return "", err
		}
		outcomes := make([]string, c.number("count", 1))
		var group sync.WaitGroup
		for i := range outcomes {
			group.Add(1)
			go func() {
				defer group.Done()
				outcomes[i], _ = generate(c)
			}()
		}
		group.Wait()
		equal := 0
		for _, outcome := range outcomes {
			if outcome == alone {
				equal++
			}
		}
		return fmt.Sprintf("%d equal", equal), nil
	}
	kinds["error_threads"] = errorThreads
}

func events(c *testCase) (string, error) {
	names := map[graft.EventKind]string{
		graft.EventToken: "TOKEN", graft.EventText: "TEXT", graft.EventFinished: "FINISHED", graft.EventError: "ERROR",
	}
	var runs []string
	last, count := "", 0
	flush := func() {
		if count > 1 {
			last = fmt.Sprintf("%s*%d", last, count)
		}
		if count > 0 {
			runs = append(runs, last)
		}
		count = 0
	}
	err := c.pull(func(_ *graft.Request, event graft.Event) {
		if event.Kind == graft.EventProgress {
			return
		}
		if name := names[event.Kind]; name != last {
			flush()
			last = name
		}
		count++
	})
	flush()
	return strings.Join(runs, " "), err
}

func cancel(c *testCase, call func(*graft.Request) error) (string, error) {
	engine, release, err := c.open()
	if err != nil {
		return "", err
	}
	defer release()
	request, err := c.submit(engine)
	if err != nil {
		return "", err
	}
	defer request.Close()
	after, tokens, reason := c.number("after", 0), int64(0), graft.FinishNone
	if after == 0 {
		if err := call(request); err != nil {
			return "", err
		}
	}
	err = pull(request, func(_ *graft.Request, event graft.Event) {
		if event.Kind == graft.EventFinished {
			reason = event.FinishReason
		}
		if event.Token >= 0 {
			if tokens++; tokens == after {
				_ = call(request)
			}
		}
	})
	outcome := reasons[reason]
	if reason == graft.FinishCancelled {
		if tokens < 200 {
			outcome += " early"
		} else {
			outcome += " late"
		}
	}
	return outcome, err
}

// errorThreads has two goroutines fail at the same moment, again and again; each must get its own text.
func errorThreads(c *testCase) (string, error) {
	rounds := int(c.number("rounds", 1))
	calls := [2]func() error{
		func() error {
			engine, err := graft.Open(background, c.keys["path"])
			return ends(err, engine.Close)
		},
		func() error { return graft.CheckEngineOptions(graft.WithEngineJSON(c.keys["json"])) },
	}
	var first [2]string
	mixed := false
	for round := range rounds {
		var found [2]string
		var group sync.WaitGroup
		start := make(chan struct{})
		for i, call := range calls {
			group.Add(1)
			go func() {
				defer group.Done()
				<-start
				found[i] = failure(call())
			}()
		}
		time.Sleep(50 * time.Microsecond) // so that both wait for the start
		close(start)
		group.Wait()
		if round == 0 {
			first = found
		}
		mixed = mixed || found != first
	}
	if mixed {
		return "mixed", nil
	}
	return first[0] + " || " + first[1], nil
}
