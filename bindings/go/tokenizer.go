package graft

import (
	"encoding/json"
	"runtime"
	"sync"

	"graft.example/graft/internal/raw"
)

// Tokenizer turns text into token ids and back. It needs neither weights nor an engine.
type Tokenizer struct{ h handle }

// OpenTokenizer opens the tokenizer of a model directory, or a tokenizer.json. ErrNotFound, ErrCorruptData,
// ErrUnsupported, ErrIOError, ErrVersionMismatch.
func OpenTokenizer(path string) (*Tokenizer, error) {
	return newTokenizer(func(out *raw.Handle) error { return raw.Graft_tokenizer_open(path, out) })
}

func newTokenizer(call func(*raw.Handle) error) (*Tokenizer, error) {
	t := &Tokenizer{}
	if err := t.h.made(call, raw.Graft_tokenizer_free); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Tokenizer) handle() *handle {
	if t == nil {
		return nil
	}
	return &t.h
}

// Encode turns text into ids; addSpecial adds what the model expects around a text, a begin-of-sequence token for
// example. ErrLimitExceeded: the text is too long. ErrInvalidArgument: it is not UTF-8.
func (t *Tokenizer) Encode(text string, addSpecial bool) ([]int64, error) {
	p, err := t.handle().use()
	if err != nil {
		return nil, err
	}
	defer t.h.done()
	// A token is seldom shorter than two bytes; when it is, the second round has the room.
	ids := make([]int64, 1+len(text)/2+8)
	for {
		if err := raw.Graft_tokenizer_encode(p, text, flag(addSpecial), ids); err != nil {
			return nil, failed(err)
		}
		count := int(ids[0])
		if count < len(ids) {
			return ids[1 : 1+count : 1+count], nil
		}
		ids = make([]int64, 1+count)
	}
}

// Decode turns ids into text; skipSpecial leaves special tokens out. ErrInvalidArgument: an id outside the vocabulary.
func (t *Tokenizer) Decode(ids []int64, skipSpecial bool) (string, error) {
	return t.text(func(p raw.Handle, out *string) error {
		return raw.Graft_tokenizer_decode(p, ids, flag(skipSpecial), out)
	})
}

// Piece gives the vocabulary's entry of an id, which need not be readable text. ErrNotFound or ErrInvalidArgument: there
// is no such id.
func (t *Tokenizer) Piece(id int64) (string, error) {
	return t.text(func(p raw.Handle, out *string) error { return raw.Graft_tokenizer_piece(p, id, out) })
}

// ID gives the id of an entry of the vocabulary. ErrNotFound: there is no such entry.
func (t *Tokenizer) ID(piece string) (int64, error) {
	p, err := t.handle().use()
	if err != nil {
		return 0, err
	}
	defer t.h.done()
	var id int64
	if err := raw.Graft_tokenizer_id_of(p, piece, &id); err != nil {
		return 0, failed(err)
	}
	return id, nil
}

// VocabSize gives the number of ids, special tokens included; 0 after Close.
func (t *Tokenizer) VocabSize() int64 {
	p, err := t.handle().use()
	if err != nil {
		return 0
	}
	size := raw.Graft_tokenizer_vocab_size(p)
	t.h.done()
	return size
}

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ApplyChatTemplate writes a conversation as the text that the model was trained on, with the start of the model's
// answer. The text holds the special tokens: encode it without adding them. ErrUnsupported: the model has no template, or
// one that this release cannot run. ErrInvalidArgument: the template refused, in its own words.
func (t *Tokenizer) ApplyChatTemplate(messages ...Message) (string, error) {
	text, err := messagesJSON(messages)
	if err != nil {
		return "", err
	}
	return t.ApplyChatTemplateJSON(text, "")
}

// ApplyChatTemplateJSON does the same with a JSON array of messages as the model's template wants them, and a JSON object
// of options ("" for none): add_generation_prompt, continue_final_message, tools, documents, chat_template, and variables
// of the template. ErrCorruptData: the template is broken. ErrLimitExceeded: it ran too long or wrote too much.
func (t *Tokenizer) ApplyChatTemplateJSON(messages, options string) (string, error) {
	return t.text(func(p raw.Handle, out *string) error {
		return raw.Graft_tokenizer_apply_chat_template(p, messages, options, out)
	})
}

func messagesJSON(messages []Message) (string, error) {
	if messages == nil {
		messages = []Message{}
	}
	for _, message := range messages {
		if err := validText("messages", message.Role+message.Content); err != nil {
			return "", err // encoding/json would write something else for it
		}
	}
	text, err := json.Marshal(messages)
	if err != nil {
		return "", invalid("messages: %v", err)
	}
	return string(text), nil
}

func (t *Tokenizer) text(call func(raw.Handle, *string) error) (string, error) {
	return t.handle().text(call)
}

// text calls something that hands out a text.
func (h *handle) text(call func(raw.Handle, *string) error) (string, error) {
	p, err := h.use()
	if err != nil {
		return "", err
	}
	defer h.done()
	var text string
	if err := call(p, &text); err != nil {
		return "", failed(err)
	}
	return text, nil
}

// NewDecoder makes a decoder for one stream of ids; skipSpecial as for Decode. It does not need the tokenizer to stay
// open.
func (t *Tokenizer) NewDecoder(skipSpecial bool) (*Decoder, error) {
	p, err := t.handle().use()
	if err != nil {
		return nil, err
	}
	defer t.h.done()
	d := &Decoder{}
	err = d.h.made(func(out *raw.Handle) error {
		return raw.Graft_decoder_new(p, flag(skipSpecial), out)
	}, raw.Graft_decoder_free)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Close releases the tokenizer; its decoders stay valid.
func (t *Tokenizer) Close() error { return t.handle().close() }

// Decoder turns a stream of ids into whole characters.
type Decoder struct {
	h    handle
	push sync.Mutex // the library lets one caller in at a time
}

func (d *Decoder) handle() *handle {
	if d == nil {
		return nil
	}
	return &d.h
}

// Push feeds one id and gives the characters that became complete with it, often none. ErrInvalidArgument: an id outside
// the vocabulary.
func (d *Decoder) Push(id int64) (string, error) {
	if id < 0 {
		return "", invalid("id: %d is outside the vocabulary", id)
	}
	return d.feed(id)
}

// End ends the stream and gives what is left.
func (d *Decoder) End() (string, error) { return d.feed(-1) }

func (d *Decoder) feed(id int64) (string, error) {
	defer runtime.KeepAlive(d)
	return d.handle().text(func(p raw.Handle, out *string) error {
		d.push.Lock()
		defer d.push.Unlock()
		return raw.Graft_decoder_push(p, id, out)
	})
}

// Close releases the decoder.
func (d *Decoder) Close() error { return d.handle().close() }
