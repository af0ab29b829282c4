package main

import (
	"context"
	"fmt"
	"time"

	"graft.example/graft"
)

func init() {
	kinds["queue"] = queue
	kinds["queue_timeout"] = func(*testCase) (string, error) {
		ctx, cancel := context.WithTimeout(background, 10*time.Millisecond)
		defer cancel()
		return wait(ctx, func(*graft.Queue) error { return nil })
	}
	kinds["queue_wake"] = func(*testCase) (string, error) { return wait(background, (*graft.Queue).Wake) }
	kinds["queue_close"] = func(*testCase) (string, error) { return wait(background, (*graft.Queue).Close) }
	kinds["next_with_queue"] = func(c *testCase) (string, error) {
		engine, release, err := c.open()
		if err != nil {
			return "", err
		}
		defer release()
		made, err := graft.NewQueue()
		if err != nil {
			return "", err
		}
		defer made.Close()
		request, err := c.submit(engine, graft.WithQueue(made))
		if err != nil {
			return "", err
		}
		defer request.Close()
		_, err = request.Next(background)
		return "ok", err
	}
}

// wait waits in an empty queue while another goroutine does something to it.
func wait(ctx context.Context, act func(*graft.Queue) error) (string, error) {
	made, err := graft.NewQueue()
	if err != nil {
		return "", err
	}
	defer made.Close()
	acted := make(chan error)
	go func() {
		time.Sleep(50 * time.Millisecond)
		acted <- act(made)
	}()
	_, err = made.Next(ctx)
	outcome := status(err)
	return outcome, <-acted
}

func queue(c *testCase) (string, error) {
	engine, release, err := c.open()
	if err != nil {
		return "", err
	}
	defer release()
	made, err := graft.NewQueue()
	if err != nil {
		return "", err
	}
	defer made.Close()
	count := c.number("count", 1)
	texts := make([]string, count)
	for tag := range count {
		request, err := c.submit(engine, graft.WithQueue(made), graft.WithTag(tag))
		if err != nil {
			return "", err
		}
		defer request.Close()
	}
	finished, equal := int64(0), 0
	for event, err := range made.Events(background) {
		if err != nil {
			return "", err
		}
		texts[event.Tag] += event.Text
		if event.Kind == graft.EventFinished || event.Kind == graft.EventError {
			if finished++; finished == count {
				break
			}
		}
	}
	for _, text := range texts {
		if text != "" && text == texts[0] {
			equal++
		}
	}
	return fmt.Sprintf("%d finished, %d equal", finished, equal), nil
}
