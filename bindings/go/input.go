package graft

import (
	"maps"
	"slices"
	"unicode/utf8"

	"graft.example/graft/internal/raw"
)

// Input is what a request is about: a text, tokens or a conversation, and what else the model takes in. It is a value:
// make one with Text, Tokens, Chat or ChatJSON, and use it for any number of requests.
type Input struct {
	set                      func(raw.Handle) error
	decoderTokens, tokenType []int64
	tensors                  map[string]*Tensor
}

// Text is a text; the model's tokenizer encodes it, with the special tokens that the model expects.
func Text(text string) Input {
	return Input{set: func(p raw.Handle) error { return raw.Graft_input_set_text(p, text) }}
}

// Tokens is ids as they are, each at least 0; nothing is added.
func Tokens(ids []int64) Input {
	ids = slices.Clone(ids)
	return Input{set: func(p raw.Handle) error { return raw.Graft_input_set_tokens(p, ids) }}
}

// Chat is a conversation, written out with the model's chat template and the start of the model's answer.
func Chat(messages ...Message) Input {
	text, err := messagesJSON(messages)
	if err != nil {
		return Input{set: func(raw.Handle) error { return err }}
	}
	return ChatJSON(text)
}

// ChatJSON is a conversation as a JSON array of {"role": ..., "content": ...}.
func ChatJSON(messages string) Input {
	return Input{set: func(p raw.Handle) error { return raw.Graft_input_set_chat(p, messages) }}
}

// WithDecoderTokens gives the ids that the decoder of an encoder-decoder model starts from; none = its start token.
func (i Input) WithDecoderTokens(ids []int64) Input {
	i.decoderTokens = slices.Clone(ids)
	return i
}

// WithTokenTypes gives the segment of each token, for models with segments; none = all in the first.
func (i Input) WithTokenTypes(types []int64) Input {
	i.tokenType = slices.Clone(types)
	return i
}

// WithTensor gives a tensor that the model takes in, "pixel_values" for example. The tensor must stay open until the
// request was submitted.
func (i Input) WithTensor(name string, tensor *Tensor) Input {
	i.tensors = maps.Clone(i.tensors)
	if i.tensors == nil {
		i.tensors = map[string]*Tensor{}
	}
	i.tensors[name] = tensor
	return i
}

// build makes the library's input; the caller frees it.
func (i Input) build() (p raw.Handle, err error) {
	if err := raw.Graft_input_new(&p); err != nil {
		return nil, failed(err)
	}
	if err := i.fill(p); err != nil {
		raw.Graft_input_free(p)
		return nil, failed(err)
	}
	return p, nil
}

func (i Input) fill(p raw.Handle) error {
	if i.set != nil {
		if err := i.set(p); err != nil {
			return err
		}
	}
	if i.decoderTokens != nil {
		if err := raw.Graft_input_set_decoder_tokens(p, i.decoderTokens); err != nil {
			return err
		}
	}
	if i.tokenType != nil {
		if err := raw.Graft_input_set_token_types(p, i.tokenType); err != nil {
			return err
		}
	}
	for name, tensor := range i.tensors {
		t, err := tensor.handle().use()
		if err != nil {
			return err
		}
		err = raw.Graft_input_set_tensor(p, name, t)
		tensor.h.done()
		if err != nil {
			return err
		}
	}
	return nil
}

func validText(what, text string) error {
	if !utf8.ValidString(text) {
		return invalid("%s: not valid UTF-8", what)
	}
	return nil
}
