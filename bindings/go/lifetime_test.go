package graft_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"graft.example/graft"
	"graft.example/graft/internal/resident"
)

func TestCloseTwiceAndUseAfter(t *testing.T) {
	tokenizer, err := graft.OpenTokenizer(model())
	fine(t, err)
	decoder, err := tokenizer.NewDecoder(true)
	fine(t, err)
	queue, err := graft.NewQueue()
	fine(t, err)
	tensor, err := graft.NewFloat32Tensor([]int64{2}, []float32{1, 2})
	fine(t, err)
	policy, err := graft.PolicyFromJSON(`{"model_type": "mine"}`)
	fine(t, err)
	request, err := engine(t).Submit(background, graft.Text("What is"))
	fine(t, err)
	own, err := graft.Open(background, model(), graft.WithThreads(1))
	fine(t, err)
	for range 2 {
		for _, object := range []io.Closer{tokenizer, decoder, queue, tensor, policy, request, own} {
			fine(t, object.Close())
		}
	}
	everything(t, own, tokenizer, decoder, queue, tensor, policy, request, nil)
	everything(t, nil, nil, nil, nil, nil, nil, nil, nil)
	everything(t, &graft.Engine{}, &graft.Tokenizer{}, &graft.Decoder{}, &graft.Queue{}, &graft.Tensor{}, &graft.Policy{},
		&graft.Request{}, &graft.Profile{})
}

// everything calls every method of closed, nil or zero objects.
func everything(t *testing.T, e *graft.Engine, k *graft.Tokenizer, d *graft.Decoder, q *graft.Queue, v *graft.Tensor,
	p *graft.Policy, r *graft.Request, f *graft.Profile) {
	t.Helper()
	second := func(_ any, err error) error { return err }
	for i, err := range []error{
		second(e.Info()), second(e.Stats()), second(e.Tokenizer()), second(e.TakeProfile()), e.Profile(true), e.Save("x"),
		e.Shutdown(background), e.Wait(background), second(e.Submit(background, graft.Text("a"))),
		second(e.Complete(background, graft.Text("a"))), second(e.Embed(background, graft.Text("a"))),
		second(k.Encode("a", false)), second(k.Decode([]int64{1}, false)), second(k.Piece(1)), second(k.ID("a")),
		second(k.ApplyChatTemplate()), second(k.NewDecoder(false)), second(d.Push(1)), second(d.End()),
		second(q.Next(background)), q.Wake(), second(v.Bytes()), second(v.Float32s()), v.View(func([]byte) error { return nil }),
		second(r.Next(background)), r.Cancel(), r.Wait(background), second(r.Tensor("logits")),
		second(f.Milliseconds()), second(f.Table()),
		second(graft.Open(background, model(), graft.WithPolicy(p))),
		second(engine(t).Submit(background, graft.Text("a"), graft.WithQueue(q), graft.WithQueue(closedQueue(q)))),
		second(engine(t).Submit(background, graft.Text("a").WithTensor("pixel_values", v))),
	} {
		if !errors.Is(err, graft.ErrClosed) {
			t.Errorf("call %d: found %v, expected %v", i, err, graft.ErrClosed)
		}
	}
	if k.VocabSize() != 0 || v.DType() != 0 || v.Shape() != nil || v.Device() != "" || r.ErrorMessage() != "" || f.Count() != 0 {
		t.Error("a getter of a closed object gave something")
	}
}

// closedQueue gives a queue that is closed, where there is none: no queue at all would be no error.
func closedQueue(q *graft.Queue) *graft.Queue {
	if q == nil {
		return &graft.Queue{}
	}
	return q
}

// TestCloseAgainstCalls closes objects while other goroutines are inside them. A call ends in peace or is refused.
func TestCloseAgainstCalls(t *testing.T) {
	rounds := 500
	if testing.Short() {
		rounds = 50
	}
	e := engine(t)
	tokenizerOf := func() *graft.Tokenizer {
		k, err := e.Tokenizer()
		fine(t, err)
		return k
	}
	for range rounds {
		k := tokenizerOf()
		decoder, err := k.NewDecoder(false)
		fine(t, err)
		queue, err := graft.NewQueue()
		fine(t, err)
		request, err := e.Submit(background, graft.Text("What is"), graft.WithMaxTokens(4))
		fine(t, err)
		queued, err := e.Submit(background, graft.Text("What is"), graft.WithMaxTokens(4), graft.WithQueue(queue))
		fine(t, err)
		race(t,
			[]io.Closer{k, decoder, queue, request, queued},
			func() error { _, err := k.Encode("What is 27 + 58?", true); return err },
			func() error { _, err := k.NewDecoder(true); return err },
			func() error { _, err := decoder.Push(28); return err },
			func() error { _, err := queue.Next(background); return err },
			func() error { _, err := queue.Next(background); return err },
			func() error { _, err := request.Next(background); return err },
			func() error { _, err := request.Next(background); return err },
			func() error { return request.Wait(background) },
			func() error { return queued.Cancel() })
	}
}

// race repeats the calls on goroutines of their own until each is refused, and closes everything in their midst.
func race(t *testing.T, objects []io.Closer, calls ...func() error) {
	t.Helper()
	var group sync.WaitGroup
	for _, call := range calls {
		group.Add(1)
		go func() {
			defer group.Done()
			for {
				err := call()
				if errors.Is(err, graft.ErrClosed) {
					return
				}
				if err != nil && err != io.EOF && !errors.Is(err, graft.ErrCancelled) {
					t.Error(err)
					return
				}
			}
		}()
	}
	for _, object := range objects {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.Gosched()
			_ = object.Close()
		}()
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("a goroutine waits for ever in a closed object")
	}
}

// TestEngineCloseAgainstCalls does the same with whole engines, which are slower to open.
func TestEngineCloseAgainstCalls(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 4
	}
	for range rounds {
		e, err := graft.Open(background, model(), graft.WithThreads(1))
		fine(t, err)
		race(t, []io.Closer{e},
			func() error { _, err := e.Info(); return err },
			func() error { _, err := e.Tokenizer(); return err },
			func() error {
				_, err := e.Complete(background, graft.Text("What is"), graft.WithMaxTokens(2))
				return err
			},
			func() error { return e.Profile(false) })
	}
}

func TestCollectedObjectsAreReleased(t *testing.T) {
	e, err := graft.Open(background, model(), graft.WithThreads(1))
	fine(t, err)
	defer e.Close()
	running := func() bool {
		stats, err := e.Stats()
		fine(t, err)
		return !strings.Contains(stats, `"sequences_running":0`)
	}
	func() { // a request that nobody closes is cancelled when it is collected
		request, err := e.Submit(background, graft.Text("What is"), graft.WithMaxTokens(240), graft.WithIgnoreEOS(true))
		fine(t, err)
		_, err = request.Next(background)
		fine(t, err)
	}()
	for deadline := time.Now().Add(20 * time.Second); running(); time.Sleep(time.Millisecond) {
		runtime.GC()
		if time.Now().After(deadline) {
			t.Fatal("the request still runs")
		}
	}
	for range 200 { // and what else is dropped goes without a crash
		k, err := e.Tokenizer()
		fine(t, err)
		_, err = k.NewDecoder(true)
		fine(t, err)
		_, err = graft.NewQueue()
		fine(t, err)
		_, err = graft.NewFloat32Tensor([]int64{1}, []float32{1})
		fine(t, err)
	}
	runtime.GC()
	runtime.GC()
}

// TestCycles opens, asks and closes 10,000 times (GRAFT_CYCLES=10000): resident memory may not grow by 1 % after the
// first tenth.
func TestCycles(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("GRAFT_CYCLES"))
	if err != nil {
		t.Skip("GRAFT_CYCLES says how many")
	}
	runtime.LockOSThread() // each thread that enters the library keeps its stack: how many do is no matter of the cycles
	defer runtime.UnlockOSThread()
	var before, after int64
	for i := 1; i <= count; i++ {
		e, err := graft.Open(background, model(), graft.WithThreads(1))
		fine(t, err)
		_, err = e.Complete(background, graft.Tokens([]int64{5, 9, 2}), graft.WithMaxTokens(2))
		fine(t, err)
		fine(t, e.Shutdown(background))
		fine(t, e.Close())
		if i%max(count/20, 1) == 0 { // often, so that holes of the C heap are given back alike at both ends
			after, err = resident.Kilobytes()
			fine(t, err)
		}
		if i <= count/10 {
			before = after
		}
	}
	fmt.Printf("resident after %d cycles: %d kB, after %d: %d kB (%+.2f %%)\n", count/10, before, count, after,
		100*float64(after-before)/float64(before))
	if float64(after) >= 1.01*float64(before) {
		t.Fatalf("resident memory grew from %d kB to %d kB", before, after)
	}
}

func TestContextEndsRequestsAndWaits(t *testing.T) {
	long := []graft.RequestOption{graft.WithMaxTokens(240), graft.WithIgnoreEOS(true)}
	ctx, cancel := context.WithCancelCause(background)
	defer cancel(nil)
	why := errors.New("enough")
	count := 0
	var last error
	for event, err := range engine(t).Generate(ctx, graft.Text("What is"), long...) {
		if last = err; err == nil && event.Kind == graft.EventToken {
			if count++; count == 3 {
				cancel(why)
			}
		}
	}
	is(t, last, context.Canceled)
	is(t, last, graft.ErrCancelled)
	is(t, last, why)
	if count >= 240 {
		t.Fatal("nothing was cancelled")
	}
	_, err := engine(t).Submit(ctx, graft.Text("What is"))
	is(t, err, context.Canceled)

	// a deadline of the context, of the request, and of a wait alone
	short, stop := context.WithTimeout(background, 5*time.Millisecond)
	defer stop()
	_, err = engine(t).Complete(short, graft.Text("What is"), append(long, graft.WithNumSequences(8))...)
	is(t, err, context.DeadlineExceeded)
	_, err = engine(t).Complete(background, graft.Text("What is"), append(long, graft.WithDeadline(time.Millisecond))...)
	is(t, err, graft.ErrDeadlineExceeded)
	is(t, err, context.DeadlineExceeded)
	queue, err := graft.NewQueue()
	fine(t, err)
	defer queue.Close()
	begin := time.Now()
	waiting, stopWaiting := context.WithTimeout(background, 30*time.Millisecond)
	defer stopWaiting()
	_, err = queue.Next(waiting)
	is(t, err, graft.ErrTimeout)
	is(t, err, context.DeadlineExceeded)
	if waited := time.Since(begin); waited < 29*time.Millisecond || waited > 5*time.Second {
		t.Fatal(waited)
	}
	_, err = queue.Next(waiting) // looks once
	is(t, err, graft.ErrTimeout)

	_, err = graft.Open(ctx, model())
	is(t, err, graft.ErrCancelled)
	is(t, err, context.Canceled)
}
