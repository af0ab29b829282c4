package main

import (
	"fmt"
	"strings"

	"graft.example/graft"
)

func init() {
	kinds["abi"] = func(*testCase) (string, error) { return fmt.Sprint(graft.ABIVersion()), nil }
	kinds["version"] = func(*testCase) (string, error) { return graft.Version(), nil }
	kinds["doctor"] = func(c *testCase) (string, error) { return c.contains(graft.Doctor()) }
	kinds["open"] = func(c *testCase) (string, error) {
		var options []graft.EngineOption
		if c.has("engine") {
			options = append(options, graft.WithEngineJSON(c.keys["engine"]))
		}
		engine, err := graft.Open(background, c.keys["path"], options...)
		return "ok", ends(err, engine.Close)
	}
	kinds["inspect"] = func(c *testCase) (string, error) { return c.contains(graft.Inspect(c.keys["path"])) }
	kinds["info"] = func(c *testCase) (string, error) { return c.ofEngine((*graft.Engine).Info) }
	kinds["stats"] = func(c *testCase) (string, error) { return c.ofEngine((*graft.Engine).Stats) }
	kinds["tokenizer"] = func(c *testCase) (string, error) {
		tokenizer, err := graft.OpenTokenizer(c.keys["path"])
		defer tokenizer.Close()
		return fmt.Sprintf("vocab=%d", tokenizer.VocabSize()), err
	}
	kinds["encode"] = func(c *testCase) (string, error) {
		ids, err := c.tokenizer().Encode(c.keys["text"], c.number("special", 1) == 1)
		return words(ids), err
	}
	kinds["decode"] = func(c *testCase) (string, error) {
		return c.tokenizer().Decode(c.numbers("tokens"), c.number("skip", 1) == 1)
	}
	kinds["roundtrip"] = func(c *testCase) (string, error) {
		ids, err := c.tokenizer().Encode(c.keys["text"], false)
		if err != nil {
			return "", err
		}
		text, err := c.tokenizer().Decode(ids, false)
		if text == c.keys["text"] {
			text = "same"
		}
		return text, err
	}
	kinds["piece"] = func(c *testCase) (string, error) { return c.tokenizer().Piece(c.number("token", 0)) }
	kinds["id_of"] = func(c *testCase) (string, error) {
		id, err := c.tokenizer().ID(c.keys["piece"])
		return fmt.Sprint(id), err
	}
	kinds["decoder"] = func(c *testCase) (string, error) {
		decoder, err := c.tokenizer().NewDecoder(c.number("skip", 1) == 1)
		if err != nil {
			return "", err
		}
		defer decoder.Close()
		var out strings.Builder
		for _, id := range c.numbers("tokens") {
			text, err := decoder.Push(id)
			if err != nil {
				return "", err
			}
			out.WriteString(text + "|")
		}
		text, err := decoder.End()
		return out.String() + text + "|", err
	}
	kinds["template"] = func(c *testCase) (string, error) {
		return c.tokenizer().ApplyChatTemplateJSON(c.keys["messages"], c.keys["template_options"])
	}
}

// tokenizer is the one of the model, opened once; nil, which fails everywhere, when it cannot be.
func (c *testCase) tokenizer() *graft.Tokenizer {
	if c.session.tokenizer == nil {
		c.session.tokenizer, _ = graft.OpenTokenizer(c.session.model)
	}
	return c.session.tokenizer
}

func (c *testCase) contains(text string, err error) (string, error) {
	if strings.Contains(text, c.keys["contains"]) {
		return "yes", err
	}
	return "no", err
}

func (c *testCase) ofEngine(text func(*graft.Engine) (string, error)) (string, error) {
	engine, release, err := c.open()
	if err != nil {
		return "", err
	}
	defer release()
	return c.contains(text(engine))
}

func words(numbers []int64) string { return strings.Trim(fmt.Sprint(numbers), "[]") }

// ends releases what a call may have made, and gives the call's error.
func ends(err error, release func() error) error {
	if err == nil {
		err = release()
	}
	return err
}
