package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"graft.example/graft"
)

func init() {
	kinds["engine_options"] = func(c *testCase) (string, error) {
		return "ok", graft.CheckEngineOptions(graft.WithEngineJSON(c.keys["json"]))
	}
	kinds["request_options"] = func(c *testCase) (string, error) {
		return "ok", graft.CheckRequestOptions(graft.WithRequestJSON(c.keys["json"]))
	}
	kinds["set"] = set
	kinds["policy"] = func(c *testCase) (string, error) {
		policy, err := graft.PolicyFromJSON(c.keys["json"])
		return "ok", ends(err, policy.Close)
	}
	kinds["row_parallel"] = func(c *testCase) (string, error) {
		var names []string
		if c.keys["names"] != "" {
			names = strings.Split(c.keys["names"], ",")
		}
		policy, err := graft.RowParallelPolicy(c.keys["class"], names...)
		return "ok", ends(err, policy.Close)
	}
	kinds["empty_arrays"] = func(c *testCase) (string, error) {
		engine, err := c.session.shared()
		if err != nil {
			return "", err
		}
		input := graft.Tokens(nil).WithDecoderTokens([]int64{}).WithTokenTypes([]int64{})
		// An input without a token is refused when it is submitted, after all of these were set.
		request, err := engine.Submit(background, input, graft.WithLogitBias(nil), graft.WithAllowedTokens(),
			graft.WithBannedTokens(), graft.WithStopTokens())
		if err == nil {
			request.Close()
		} else if !errors.Is(err, graft.ErrInvalidArgument) || !strings.Contains(err.Error(), "token") {
			return "", err
		}
		text, err := c.tokenizer().Decode(nil, true)
		return text + "ok", err
	}
	kinds["profile"] = profile
	kinds["profile_off"] = func(c *testCase) (string, error) {
		engine, err := c.session.shared()
		if err != nil {
			return "", err
		}
		taken, err := engine.TakeProfile()
		return "ok", ends(err, taken.Close)
	}
	kinds["log"] = func(c *testCase) (string, error) {
		line := ""
		err := withLog(c, func(level graft.LogLevel, message string) {
			if line == "" {
				line = fmt.Sprintf("%d %s", level, message)
			}
		})
		return line, err
	}
	kinds["log_throws"] = func(c *testCase) (string, error) {
		return "ok", withLog(c, func(graft.LogLevel, string) { panic("thrown") })
	}
	kinds["progress"] = func(c *testCase) (string, error) {
		last, rising := -1.0, true
		err := open(c, func(fraction float64, what string) bool {
			rising = rising && fraction >= last && what != ""
			last = fraction
			return true
		})
		if rising && last == 1 {
			return "rising to 1", err
		}
		return "not rising to 1", err
	}
	kinds["progress_cancel"] = func(c *testCase) (string, error) {
		return "opened", open(c, func(float64, string) bool { return false })
	}
	kinds["progress_throws"] = func(c *testCase) (string, error) {
		thrown := errors.New("thrown")
		err := open(c, func(float64, string) bool { panic(thrown) })
		if errors.Is(err, thrown) {
			return "thrown", nil
		}
		return "not thrown", err
	}
}

func set(c *testCase) (string, error) {
	given := c.keys["value"]
	real, _ := strconv.ParseFloat(given, 64)
	number, _ := strconv.ParseInt(given, 10, 64)
	requests := map[string]graft.RequestOption{
		"temperature": graft.WithTemperature(real), "top_p": graft.WithTopP(real), "max_tokens": graft.WithMaxTokens(number),
		"top_k": graft.WithTopK(number), "seed": graft.WithSeed(number),
	}
	engines := map[string]graft.EngineOption{
		"threads": graft.WithThreads(number), "tensor_parallel": graft.WithTensorParallel(number),
	}
	if option, found := requests[c.keys["name"]]; found {
		return "ok", graft.CheckRequestOptions(option)
	}
	if option, found := engines[c.keys["name"]]; found {
		return "ok", graft.CheckEngineOptions(option)
	}
	return "", fmt.Errorf("no such setter: %s", c.keys["name"])
}

func profile(c *testCase) (string, error) {
	engine, err := graft.Open(background, c.session.model)
	if err != nil {
		return "", err
	}
	defer engine.Close()
	if err := engine.Profile(true); err != nil {
		return "", err
	}
	if _, err := engine.Complete(background, c.input(), c.options()...); err != nil {
		return "", err
	}
	taken, err := engine.TakeProfile()
	if err != nil {
		return "", err
	}
	defer taken.Close()
	passes, err := taken.Milliseconds()
	if err != nil {
		return "", err
	}
	table, err := taken.Table()
	if err != nil {
		return "", err
	}
	var parsed struct{ Explained float64 }
	outcome := "none"
	if len(passes) > 0 && int64(len(passes)) == taken.Count() && passes[0] > 0 {
		outcome = "forwards"
	}
	if err := json.Unmarshal([]byte(table), &parsed); err == nil && parsed.Explained > 0.5 {
		return outcome + " explained", nil
	}
	return outcome + " unexplained", nil
}

func withLog(c *testCase, f func(graft.LogLevel, string)) error {
	if err := graft.SetLog(f); err != nil {
		return err
	}
	err := graft.CheckEngineOptions(graft.WithEngineJSON(c.keys["json"]))
	return errors.Join(err, graft.SetLog(nil))
}

func open(c *testCase, f func(float64, string) bool) error {
	engine, err := graft.Open(background, c.keys["path"], graft.WithProgress(f))
	return ends(err, engine.Close)
}
