// Command conformance runs the cases that every language must answer alike; bindings/conformance/README.md says what it
// prints.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"graft.example/graft"
)

var background = context.Background()

// kinds is what the driver can do: each gives an outcome, or fails.
var kinds = map[string]func(*testCase) (string, error){}

// testCase is one line of the table.
type testCase struct {
	name, kind string
	keys       map[string]string
	session    *session
}

func (c *testCase) has(key string) bool {
	_, found := c.keys[key]
	return found
}

func (c *testCase) number(key string, otherwise int64) int64 {
	number, err := strconv.ParseInt(c.keys[key], 10, 64)
	if err != nil {
		return otherwise
	}
	return number
}

func (c *testCase) numbers(key string) []int64 {
	numbers := []int64{}
	for _, word := range strings.Fields(c.keys[key]) {
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			panic(fmt.Sprintf("%s: %s: %v", c.name, key, err))
		}
		numbers = append(numbers, number)
	}
	return numbers
}

// session is what the cases share.
type session struct {
	model, embedding, scratch string
	engine, embedder          *graft.Engine
	tokenizer                 *graft.Tokenizer
}

func (s *session) replacer(back bool) *strings.Replacer {
	pairs := []string{"${model}", s.model, "${embedding}", s.embedding, "${scratch}", s.scratch}
	if back {
		slices.Reverse(pairs)
	}
	return strings.NewReplacer(pairs...)
}

func (s *session) shared() (engine *graft.Engine, err error) {
	if s.engine == nil {
		s.engine, err = graft.Open(background, s.model, graft.WithThreads(1))
	}
	return s.engine, err
}

// open gives the engine of a case, and how to release it.
func (c *testCase) open() (*graft.Engine, func(), error) {
	if !c.has("engine") {
		engine, err := c.session.shared()
		return engine, func() {}, err
	}
	engine, err := graft.Open(background, c.session.model, graft.WithEngineJSON(c.keys["engine"]))
	return engine, func() { engine.Close() }, err
}

func (c *testCase) input() graft.Input {
	switch {
	case c.has("prompt"):
		return graft.Text(c.keys["prompt"])
	case c.has("chat"):
		return graft.ChatJSON(c.keys["chat"])
	case c.has("tokens"):
		return graft.Tokens(c.numbers("tokens"))
	}
	return graft.Input{}
}

func (c *testCase) options(more ...graft.RequestOption) []graft.RequestOption {
	if c.has("options") {
		more = append(more, graft.WithRequestJSON(c.keys["options"]))
	}
	return more
}

func (c *testCase) submit(engine *graft.Engine, more ...graft.RequestOption) (*graft.Request, error) {
	return engine.Submit(background, c.input(), c.options(more...)...)
}

// failure writes an error as the table has it.
func failure(err error) string {
	var known *graft.Error
	if errors.As(err, &known) {
		return known.Status.String() + " " + known.Text
	}
	return "NOT OF GRAFT " + err.Error()
}

// status is the code of an error by name.
func status(err error) string {
	if err == nil {
		return "OK"
	}
	word, _, _ := strings.Cut(failure(err), " ")
	return word
}

var escapes = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`)

func unescape(text string) (string, error) {
	var made strings.Builder
	for text != "" {
		before, after, found := strings.Cut(text, `\`)
		made.WriteString(before)
		if text = after; !found {
			break
		}
		if text == "" {
			return "", errors.New("a backslash ends the value")
		}
		letter := text[0]
		text = text[1:]
		switch letter {
		case '\\':
			made.WriteByte('\\')
		case 'n':
			made.WriteByte('\n')
		case 'r':
			made.WriteByte('\r')
		case 't':
			made.WriteByte('\t')
		case '0':
			made.WriteByte(0)
		case 'u':
			digits, rest, closed := strings.Cut(strings.TrimPrefix(text, "{"), "}")
			point, err := strconv.ParseUint(digits, 16, 21)
			if err != nil || !closed {
				return "", fmt.Errorf("no such escape: \\u%s", text)
			}
			made.WriteRune(rune(point))
			text = rest
		default:
			return "", fmt.Errorf("no such escape: \\%c", letter)
		}
	}
	return made.String(), nil
}

func run(arguments []string) error {
	s := &session{model: arguments[1], embedding: arguments[2], scratch: arguments[3]}
	wanted := arguments[4:]
	file, err := os.Open(arguments[0])
	if err != nil {
		return err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Split(line, "\t")
		c := &testCase{name: words[0], kind: words[1], keys: map[string]string{}, session: s}
		if len(wanted) > 0 && !slices.Contains(wanted, c.name) {
			continue
		}
		for _, pair := range words[2:] {
			key, value, _ := strings.Cut(pair, "=")
			if value, err = unescape(value); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.keys[key] = s.replacer(false).Replace(value)
		}
		kind, found := kinds[c.kind]
		if !found {
			return fmt.Errorf("%s: no kind %q", c.name, c.kind)
		}
		outcome, err := kind(c)
		if err != nil {
			outcome = failure(err)
		}
		fmt.Printf("%s\t%s\n", c.name, escapes.Replace(s.replacer(true).Replace(outcome)))
	}
	s.engine.Close()
	s.embedder.Close()
	s.tokenizer.Close()
	return nil
}

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintf(os.Stderr, "usage: %s CASES MODEL EMBEDDING_MODEL SCRATCH [NAME...]\n", os.Args[0])
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
