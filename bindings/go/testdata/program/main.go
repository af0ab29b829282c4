// Command program asks a model one question: program MODEL QUESTION.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"graft.example/graft"
)

func main() {
	ctx := context.Background()
	engine, err := graft.Open(ctx, os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()
	question := graft.Chat(graft.Message{Role: "user", Content: os.Args[2]})
	for event, err := range engine.Generate(ctx, question, graft.WithGreedy(true)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(event.Text)
	}
	fmt.Println()
}
