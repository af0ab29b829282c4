package graft_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"graft.example/graft"
)

func TestTokenizer(t *testing.T) {
	k, err := engine(t).Tokenizer()
	fine(t, err)
	defer k.Close()
	for _, text := range []string{"", "What is 27 + 58?", "a\x00b\x00", "\U0001F600 \U0010FFFF", strings.Repeat("\u65E5 ", 500)} {
		ids, err := k.Encode(text, false)
		fine(t, err)
		back, err := k.Decode(ids, false)
		fine(t, err)
		if back != text {
			t.Fatalf("%q came back as %q", text, back)
		}
	}
	_, err = k.Encode("\xff", false)
	is(t, err, graft.ErrInvalidArgument)
	_, err = k.Decode([]int64{1 << 40}, false)
	is(t, err, graft.ErrInvalidArgument)
	_, err = k.ID("no such piece")
	is(t, err, graft.ErrNotFound)
	id, err := k.ID("Hi")
	fine(t, err)
	if piece, err := k.Piece(id); err != nil || piece != "Hi" || k.VocabSize() != 896 {
		t.Fatal(piece, err, k.VocabSize())
	}
	_, err = k.ApplyChatTemplate(graft.Message{Role: "user", Content: "\xff"})
	is(t, err, graft.ErrInvalidArgument)
	text, err := k.ApplyChatTemplate(graft.Message{Role: "user", Content: "Hi \U0001F914"})
	fine(t, err)
	if text != "<|user|>Hi \U0001F914<|end|><|assistant|>" {
		t.Fatal(text)
	}
	decoder, err := k.NewDecoder(true)
	fine(t, err)
	defer decoder.Close()
	ids, err := k.Encode("\U0001F600!", false)
	fine(t, err)
	var whole strings.Builder
	for _, id := range ids {
		piece, err := decoder.Push(id)
		fine(t, err)
		whole.WriteString(piece)
	}
	rest, err := decoder.End()
	fine(t, err)
	if whole.String()+rest != "\U0001F600!" {
		t.Fatalf("%q", whole.String()+rest)
	}
	_, err = decoder.Push(-1)
	is(t, err, graft.ErrInvalidArgument)
}

func TestTensorViewsAndCopies(t *testing.T) {
	values := []float32{1, -2.5, float32(math.Inf(1)), 0, 5, 6}
	tensor, err := graft.NewFloat32Tensor([]int64{2, 3}, values)
	fine(t, err)
	defer tensor.Close()
	if !slices.Equal(tensor.Shape(), []int64{2, 3}) || tensor.DType() != graft.Float32 || tensor.Device() != "cpu" {
		t.Fatal(tensor.Shape(), tensor.DType(), tensor.Device())
	}
	copied, err := tensor.Float32s()
	fine(t, err)
	fine(t, tensor.ViewFloat32(func(view []float32) error {
		if !slices.Equal(view, values) || !slices.Equal(copied, values) {
			t.Fatal(view, copied)
		}
		return tensor.Close() // the view stays good until it returns
	}))
	half, err := graft.NewTensor(graft.Float16, []int64{4}, []byte{0x00, 0x3C, 0x00, 0xC1, 0x01, 0x00, 0x00, 0x7C})
	fine(t, err)
	defer half.Close()
	widened, err := half.Float32s()
	fine(t, err)
	if want := []float32{1, -2.5, 1.0 / (1 << 24), float32(math.Inf(1))}; !slices.Equal(widened, want) {
		t.Fatal(widened)
	}
	is(t, half.ViewFloat32(func([]float32) error { return nil }), graft.ErrInvalidArgument)
	whole, err := graft.NewTensor(graft.Int64, []int64{1}, make([]byte, 8))
	fine(t, err)
	defer whole.Close()
	_, err = whole.Float32s()
	is(t, err, graft.ErrInvalidArgument)
	_, err = graft.NewTensor(graft.Float32, []int64{2}, make([]byte, 4))
	is(t, err, graft.ErrInvalidArgument)
	_, err = graft.NewTensor(graft.Float32, make([]int64, 40), nil)
	is(t, err, graft.ErrInvalidArgument)
}

func TestLogitsOfARequest(t *testing.T) {
	logits, err := engine(t).Compute(background, "logits", graft.Tokens([]int64{635, 382}), graft.WithKind(graft.KindLogits))
	fine(t, err)
	defer logits.Close()
	if !slices.Equal(logits.Shape(), []int64{2, 896}) {
		t.Fatal(logits.Shape())
	}
	_, err = engine(t).Compute(background, "nothing", graft.Tokens([]int64{635}), graft.WithKind(graft.KindLogits))
	is(t, err, graft.ErrNotFound)
	row, err := engine(t).Embed(background, graft.Text("Hello"))
	fine(t, err)
	if len(row) != 192 {
		t.Fatal(len(row))
	}
}

func TestQueueServesMany(t *testing.T) {
	queue, err := graft.NewQueue()
	fine(t, err)
	defer queue.Close()
	texts := make([]string, 20)
	for tag := range texts {
		request, err := engine(t).Submit(background, question("Sort 41, 7, 23."), graft.WithGreedy(true),
			graft.WithQueue(queue), graft.WithTag(int64(tag)))
		fine(t, err)
		defer request.Close()
	}
	finished := 0
	for event, err := range queue.Events(background) {
		fine(t, err)
		fine(t, event.Err)
		texts[event.Tag] += event.Text
		if event.Kind == graft.EventFinished {
			if finished++; finished == len(texts) {
				break
			}
		}
	}
	for _, text := range texts {
		if text != "7, 23, 41" {
			t.Fatalf("%q", texts)
		}
	}
}

func TestWakeReachesOneOfTwo(t *testing.T) {
	queue, err := graft.NewQueue()
	fine(t, err)
	defer queue.Close()
	woken := make(chan error, 2)
	for range 2 {
		go func() { _, err := queue.Next(background); woken <- err }()
	}
	time.Sleep(20 * time.Millisecond)
	fine(t, queue.Wake())
	is(t, <-woken, graft.ErrTimeout)
	select {
	case err := <-woken:
		t.Fatalf("the other woke too: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	fine(t, queue.Wake())
	is(t, <-woken, graft.ErrTimeout)
}

// TestEverySetter sets every option, in range; a wrong call of the C ABI would be refused.
func TestEverySetter(t *testing.T) {
	policy, err := graft.RowParallelPolicy("LlamaDecoderLayer", "self_attn.o_proj", "mlp.down_proj")
	fine(t, err)
	defer policy.Close()
	_, err = graft.RowParallelPolicy("LlamaDecoderLayer")
	is(t, err, graft.ErrInvalidArgument)
	_, err = graft.RowParallelPolicy("LlamaDecoderLayer", "a\x00b")
	is(t, err, graft.ErrInvalidArgument)
	fine(t, graft.CheckEngineOptions(
		graft.EngineOption{}, graft.WithDevice("cpu"), graft.WithDType("float32"), graft.WithQuantization(8, 32),
		graft.WithTensorParallel(2), graft.WithExpertParallel(2), graft.WithRank(1, 2, "127.0.0.1", 29500, time.Minute),
		graft.WithInjection("auto"), graft.WithGraph(false), graft.WithThreads(2), graft.WithContextLimit(64),
		graft.WithMaxSequences(3), graft.WithMaxQueue(4), graft.WithRunAhead(5*time.Millisecond), graft.WithMemoryLimit(1<<30), graft.WithWeights(graft.WeightsRead),
		graft.WithLibraryDirectory(""), graft.WithPolicy(policy), graft.WithEngineJSON(`{"threads": 1}`),
		graft.WithProgress(func(float64, string) bool { return true })))
	fine(t, graft.CheckRequestOptions(
		graft.RequestOption{}, graft.WithKind(graft.KindHidden), graft.WithMaxTokens(5), graft.WithMinTokens(1),
		graft.WithPooling(graft.PoolingLast), graft.WithGreedy(true), graft.WithTemperature(0.5), graft.WithTopK(3),
		graft.WithTopP(0.5), graft.WithMinP(0.5), graft.WithTypicalP(0.5), graft.WithSeed(1), graft.WithRepetitionPenalty(1.1),
		graft.WithFrequencyPenalty(0.1), graft.WithPresencePenalty(0.1), graft.WithPenaltyWindow(5), graft.WithNoRepeatNgram(3),
		graft.WithLogitBias(map[int64]float64{3: 1.5, 4: -1}), graft.WithAllowedTokens(1, 2), graft.WithBannedTokens(3),
		graft.WithStop("a", "b"), graft.WithStopTokens(4), graft.WithIgnoreEOS(true), graft.WithDeadline(time.Second),
		graft.WithNumBeams(2), graft.WithNumSequences(2), graft.WithLengthPenalty(0.5), graft.WithTopLogprobs(2),
		graft.WithPriority(-1), graft.WithCacheSalt("salt"), graft.WithRequestJSON(`{"top_k": 2}`), graft.WithTag(1)))
	for _, wrong := range []graft.RequestOption{
		graft.WithTemperature(math.NaN()), graft.WithStop(""), graft.WithLogitBias(map[int64]float64{-1: 0}),
		graft.WithStopTokens(-1), graft.WithDeadline(-time.Second), graft.WithKind(77), graft.WithPooling(77),
	} {
		is(t, graft.CheckRequestOptions(wrong), graft.ErrInvalidArgument)
	}
}

// TestLogitBiasReachesItsToken checks that ids and values go in as pairs: the favoured token is the one chosen.
func TestLogitBiasReachesItsToken(t *testing.T) {
	answers, err := engine(t).Complete(background, graft.Text("What is"), graft.WithGreedy(true), graft.WithMaxTokens(3),
		graft.WithLogitBias(map[int64]float64{30: 900, 31: 1000, 32: -1000}))
	fine(t, err)
	if !slices.Equal(answers[0].Tokens, []int64{31, 31, 31}) {
		t.Fatal(answers[0].Tokens)
	}
}

func TestProfile(t *testing.T) {
	e, err := graft.Open(background, model(), graft.WithThreads(1))
	fine(t, err)
	defer e.Close()
	_, err = e.TakeProfile()
	is(t, err, graft.ErrInvalidState)
	fine(t, e.Profile(true))
	_, err = e.Complete(background, graft.Text("What is"), graft.WithMaxTokens(4), graft.WithIgnoreEOS(true))
	fine(t, err)
	profile, err := e.TakeProfile()
	fine(t, err)
	defer profile.Close()
	passes, err := profile.Milliseconds()
	fine(t, err)
	if len(passes) < 4 || int64(len(passes)) != profile.Count() || passes[0] <= 0 {
		t.Fatal(passes)
	}
	table, err := profile.Table()
	if fine(t, err); !strings.Contains(table, `"forwards"`) {
		t.Fatal(table)
	}
}

func TestEngineShutsDownInOrder(t *testing.T) {
	e, err := graft.Open(background, model(), graft.WithThreads(1))
	fine(t, err)
	defer e.Close()
	request, err := e.Submit(background, graft.Text("What is"), graft.WithMaxTokens(240), graft.WithIgnoreEOS(true))
	fine(t, err)
	defer request.Close()
	fine(t, e.Shutdown(background))
	fine(t, e.Wait(background))
	_, err = e.Submit(background, graft.Text("What is"))
	is(t, err, graft.ErrClosed)
	var last graft.Event
	for event, err := range request.Events() {
		fine(t, err)
		last = event
	}
	if last.FinishReason != graft.FinishCancelled {
		t.Fatalf("%+v", last)
	}
}
