package graft_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"graft.example/graft"
)

var background = context.Background()

// model is the small trained model of the repository.
func model() string {
	if path := os.Getenv("GRAFT_TEST_MODEL"); path != "" {
		return path
	}
	path, _ := filepath.Abs("../../examples/model")
	return path
}

var shared = sync.OnceValues(func() (*graft.Engine, error) {
	return graft.Open(background, model(), graft.WithThreads(1))
})

// engine is one for all tests that leave it as it is.
func engine(t testing.TB) *graft.Engine {
	t.Helper()
	e, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func question(text string) graft.Input { return graft.Chat(graft.Message{Role: "user", Content: text}) }

// is fails the test unless err is target.
func is(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("found %v, expected %v", err, target)
	}
}

func fine(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnswer(t *testing.T) {
	answers, err := engine(t).Complete(background, question("What is 27 + 58?"), graft.WithGreedy(true))
	fine(t, err)
	if len(answers) != 1 || answers[0].Text != "85" || answers[0].FinishReason != graft.FinishStop {
		t.Fatalf("%+v", answers)
	}
	if usage := answers[0].Usage; usage.PromptTokens == 0 || usage.CompletionTokens == 0 {
		t.Fatalf("%+v", usage)
	}
}

func TestStreamEventsAndEnd(t *testing.T) {
	request, err := engine(t).Submit(background, question("What is 99 in Roman numerals?"), graft.WithGreedy(true),
		graft.WithTopLogprobs(2), graft.WithTag(1<<40))
	fine(t, err)
	defer request.Close()
	var text strings.Builder
	finished := false
	for event, err := range request.Events() {
		fine(t, err)
		text.WriteString(event.Text)
		if event.Tag != 1<<40 {
			t.Fatal(event.Tag)
		}
		if event.Kind == graft.EventToken {
			if len(event.TopLogprobs) != 2 || event.TopLogprobs[0].Token != event.Token ||
				event.TopLogprobs[0].Logprob != event.Logprob || event.Logprob > 0 || event.TopLogprobs[1].Logprob > event.Logprob {
				t.Fatalf("%+v", event)
			}
		}
		finished = finished || event.Kind == graft.EventFinished
	}
	if text.String() != "XCIX" || !finished {
		t.Fatalf("%q, finished %v", text.String(), finished)
	}
	_, err = request.Next(background)
	is(t, err, io.EOF)
}

func TestErrorsNameTheCulprit(t *testing.T) {
	_, err := graft.Open(background, "/nowhere/at/all")
	is(t, err, graft.ErrNotFound)
	var failure *graft.Error
	if !errors.As(err, &failure) || failure.Status != graft.StatusNotFound || !strings.Contains(failure.Text, "/nowhere/at/all") {
		t.Fatal(err)
	}
	_, err = graft.Open(background, model(), graft.WithThreads(-1))
	is(t, err, graft.ErrInvalidArgument)
	_, err = graft.Open(background, model(), graft.WithEngineJSON(`{"devise": "cpu"}`))
	if is(t, err, graft.ErrInvalidArgument); !strings.Contains(err.Error(), "devise") {
		t.Fatal(err)
	}
	_, err = engine(t).Submit(background, graft.Input{})
	is(t, err, graft.ErrInvalidArgument)
	_, err = engine(t).Submit(background, graft.Text("a\xffb"))
	is(t, err, graft.ErrInvalidArgument)
	_, err = engine(t).Submit(background, graft.Text("Hello"), graft.WithTopP(2))
	if is(t, err, graft.ErrInvalidArgument); !strings.Contains(err.Error(), "top_p") {
		t.Fatal(err)
	}
}

func TestUnknownStatusIsKept(t *testing.T) {
	if text := graft.Status(1234).String(); text != "UNKNOWN(1234)" {
		t.Fatal(text)
	}
	if text := graft.StatusBusy.Error(); text != "graft: BUSY" {
		t.Fatal(text)
	}
}

func TestVersionAndDoctor(t *testing.T) {
	if strings.Count(graft.Version(), ".") != 2 || graft.ABIVersion() != 1 {
		t.Fatal(graft.Version(), graft.ABIVersion())
	}
	text, err := graft.Doctor()
	if fine(t, err); !strings.Contains(text, graft.Version()) {
		t.Fatal(text)
	}
}

func TestInspectInfoStats(t *testing.T) {
	text, err := graft.Inspect(model())
	if fine(t, err); !strings.HasPrefix(text, "{") {
		t.Fatal(text)
	}
	info, err := engine(t).Info()
	if fine(t, err); !strings.Contains(info, "llama") {
		t.Fatal(info)
	}
	_, err = engine(t).Stats()
	fine(t, err)
	is(t, engine(t).Save("/nowhere"), graft.ErrUnsupported)
}
