package main

import (
	"fmt"
	"hash/fnv"
	"runtime"
	"strings"

	"graft.example/graft"
)

// object is something that is closed, and one use of it.
type object struct {
	close func() error
	use   func() error
}

// object makes one of what the case says.
func (c *testCase) object() (object, error) {
	switch c.keys["of"] {
	case "engine":
		engine, err := graft.Open(background, c.session.model, graft.WithThreads(1))
		return object{engine.Close, func() error { _, err := engine.Info(); return err }}, err
	case "tokenizer":
		tokenizer, err := graft.OpenTokenizer(c.session.model)
		return object{tokenizer.Close, func() error { _, err := tokenizer.Encode("a", false); return err }}, err
	case "request":
		engine, err := c.session.shared()
		if err != nil {
			return object{}, err
		}
		request, err := engine.Submit(background, graft.Text("What is"))
		return object{request.Close, func() error { _, err := request.Next(background); return err }}, err
	case "tensor":
		tensor, err := graft.NewFloat32Tensor([]int64{2}, []float32{1, 2})
		return object{tensor.Close, func() error { _, err := tensor.Bytes(); return err }}, err
	case "queue":
		queue, err := graft.NewQueue()
		return object{queue.Close, func() error { _, err := queue.Next(background); return err }}, err
	}
	return object{}, fmt.Errorf("no such object: %s", c.keys["of"])
}

func init() {
	kinds["double_close"] = func(c *testCase) (string, error) {
		made, err := c.object()
		if err != nil {
			return "", err
		}
		if err := made.close(); err != nil {
			return "", err
		}
		return "ok", made.close()
	}
	kinds["use_after_close"] = func(c *testCase) (string, error) {
		made, err := c.object()
		if err != nil {
			return "", err
		}
		if err := made.close(); err != nil {
			return "", err
		}
		return status(made.use()), nil
	}
	kinds["parent_first"] = parentFirst
	kinds["unreachable"] = func(c *testCase) (string, error) {
		if err := c.dropEverything(); err != nil {
			return "", err
		}
		for range 3 {
			runtime.GC()
		}
		return generate(c)
	}
	kinds["tensor"] = func(c *testCase) (string, error) {
		engine, release, err := c.open()
		if err != nil {
			return "", err
		}
		defer release()
		return describe(engine.Compute(background, c.keys["result"], c.input(), c.options()...))
	}
	kinds["embed"] = func(c *testCase) (outcome string, err error) {
		if c.session.embedder == nil {
			c.session.embedder, err = graft.Open(background, c.session.embedding, graft.WithThreads(1))
			if err != nil {
				return "", err
			}
		}
		options := c.options(graft.WithKind(graft.KindEmbed))
		return describe(c.session.embedder.Compute(background, "embedding", graft.Text(c.keys["text"]), options...))
	}
	kinds["tensor_new"] = func(c *testCase) (string, error) {
		tensor, err := graft.NewTensor(graft.DType(c.number("dtype", 0)), c.numbers("shape"), make([]byte, c.number("bytes", 0)))
		return "ok", ends(err, tensor.Close)
	}
	kinds["input_tensor"] = func(c *testCase) (string, error) {
		engine, err := c.session.shared()
		if err != nil {
			return "", err
		}
		size := int64(1)
		for _, dimension := range c.numbers("shape") {
			size *= dimension
		}
		tensor, err := graft.NewFloat32Tensor(c.numbers("shape"), make([]float32, size))
		if err != nil {
			return "", err
		}
		defer tensor.Close()
		request, err := engine.Submit(background, graft.Input{}.WithTensor(c.keys["result"], tensor))
		return "ok", ends(err, request.Close)
	}
}

func parentFirst(c *testCase) (string, error) {
	switch c.keys["of"] {
	case "engine", "request":
		engine, err := graft.Open(background, c.session.model, graft.WithThreads(1))
		if err != nil {
			return "", err
		}
		request, err := c.submit(engine)
		if err := ends(err, engine.Close); err != nil {
			return "", err
		}
		defer request.Close()
		if c.keys["of"] == "engine" {
			return text(request)
		}
		if err := request.Wait(background); err != nil {
			return "", err
		}
		tensor, err := request.Tensor("logits")
		return describe(tensor, ends(err, request.Close))
	case "tokenizer":
		tokenizer, err := graft.OpenTokenizer(c.session.model)
		if err != nil {
			return "", err
		}
		decoder, err := tokenizer.NewDecoder(true)
		if err := ends(err, tokenizer.Close); err != nil {
			return "", err
		}
		defer decoder.Close()
		var out strings.Builder
		for _, id := range c.numbers("tokens") {
			piece, err := decoder.Push(id)
			if err != nil {
				return "", err
			}
			out.WriteString(piece)
		}
		return out.String(), nil
	case "options": // Submit releases the library's options before it returns
		engine, err := c.session.shared()
		if err != nil {
			return "", err
		}
		request, err := c.submit(engine)
		if err != nil {
			return "", err
		}
		defer request.Close()
		return text(request)
	}
	return "", fmt.Errorf("no such parent: %s", c.keys["of"])
}

func (c *testCase) dropEverything() error {
	engine, err := graft.Open(background, c.session.model, graft.WithThreads(1))
	if err != nil {
		return err
	}
	if _, err = engine.Tokenizer(); err != nil {
		return err
	}
	request, err := c.submit(engine)
	if err != nil {
		return err
	}
	if _, err = request.Next(background); err != nil {
		return err
	}
	if _, err = graft.NewFloat32Tensor([]int64{1}, []float32{1}); err != nil {
		return err
	}
	_, err = graft.NewQueue()
	return err
}

// describe writes a tensor, read in place, and closes it.
func describe(tensor *graft.Tensor, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer tensor.Close()
	names := [...]string{"?", "float32", "bfloat16", "float16", "int8", "int4", "int32", "int64", "uint8", "boolean", "float64"}
	hash := fnv.New64a()
	err = tensor.View(func(data []byte) error {
		_, err := hash.Write(data)
		return err
	})
	return fmt.Sprintf("%s [%s] %016x", names[tensor.DType()], strings.ReplaceAll(words(tensor.Shape()), " ", ", "), hash.Sum64()), err
}
