package graft_test

import (
	"context"
	"errors"
	"fmt"

	"graft.example/graft"
)

func Example() {
	ctx := context.Background()
	engine, err := graft.Open(ctx, model())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	conversation := graft.Chat(graft.Message{Role: "user", Content: "What is 99 in Roman numerals?"})
	for event, err := range engine.Generate(ctx, conversation, graft.WithGreedy(true)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(event.Text)
	}
	// Output: XCIX
}

func ExampleEngine_Complete() {
	ctx := context.Background()
	engine, err := graft.Open(ctx, model())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	answers, err := engine.Complete(ctx, graft.Chat(graft.Message{Role: "user", Content: "What is 27 + 58?"}),
		graft.WithGreedy(true), graft.WithMaxTokens(8))
	fmt.Println(answers[0].Text, err)
	// Output: 85 <nil>
}

func ExampleError() {
	_, err := graft.OpenTokenizer("no/such/model")
	var failure *graft.Error
	fmt.Println(errors.Is(err, graft.ErrNotFound), errors.As(err, &failure), failure.Status)
	// Output: true true graft: NOT_FOUND
}

func ExampleQueue() {
	ctx := context.Background()
	engine, err := graft.Open(ctx, model())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	queue, err := graft.NewQueue()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer queue.Close()
	answers := make([]string, 2)
	for tag, text := range []string{"What is 20 + 10?", "What is 35 + 10?"} {
		request, err := engine.Submit(ctx, graft.Chat(graft.Message{Role: "user", Content: text}),
			graft.WithGreedy(true), graft.WithQueue(queue), graft.WithTag(int64(tag)))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer request.Close()
	}
	for running := len(answers); running > 0; {
		event, err := queue.Next(ctx)
		if err != nil || event.Err != nil {
			fmt.Println(err, event.Err)
			return
		}
		answers[event.Tag] += event.Text
		if event.Last {
			running--
		}
	}
	fmt.Println(answers)
	// Output: [30 45]
}
