package graft;

import java.util.List;

/**
 * What a request is about: text, or token ids, or a conversation, and what else the model takes in. Exactly one of text,
 * tokens and chat must be set when it is submitted; setting one again replaces it. Submitting copies it, so it can be
 * submitted any number of times and closed at once. One thread at a time.
 *
 * <p>What this release or the model does not take in makes {@link Engine#submit} throw UNSUPPORTED with a text that names it.
 */
public final class Input implements AutoCloseable {
  final Handle handle;

  /**
   * Makes an empty input.
   *
   * @throws GraftException OUT_OF_MEMORY
   */
  public Input() {
    handle = new Handle(this, "input", Raw.graft_input_new(), Raw::graft_input_free);
  }

  /** Setters and submitting exclude each other. */
  synchronized long number(Handle.NumberCall call) {
    return handle.number(call);
  }

  private Input set(Handle.NumberCall call) {
    number(call);
    return this;
  }

  /**
   * A text; the model's tokenizer encodes it, with the special tokens the model expects.
   *
   * @param text the text
   * @return this
   */
  public Input text(String text) {
    byte[] bytes = Utf8.of(text);
    return set(p -> Raw.graft_input_set_text(p, bytes));
  }

  /**
   * Token ids as they are; nothing is added.
   *
   * @param tokens ids, each at least 0
   * @return this
   */
  public Input tokens(long... tokens) {
    long[] numbers = tokens.clone();
    return set(p -> Raw.graft_input_set_tokens(p, numbers));
  }

  /**
   * A conversation, written out with the model's chat template, with the start of the model's answer.
   *
   * @param messages the messages, the oldest first
   * @return this
   */
  public Input chat(List<Message> messages) {
    return chat(Message.json(messages));
  }

  /**
   * A conversation as JSON.
   *
   * @param messages a JSON array of {@code {"role": ..., "content": ...}}
   * @return this
   */
  public Input chat(String messages) {
    byte[] bytes = Utf8.of(messages);
    return set(p -> Raw.graft_input_set_chat(p, bytes));
  }

  /**
   * Encoder-decoder models: ids that the decoder starts from.
   *
   * @param tokens ids, each at least 0; none = the model's start token
   * @return this
   */
  public Input decoderTokens(long... tokens) {
    long[] numbers = tokens.clone();
    return set(p -> Raw.graft_input_set_decoder_tokens(p, numbers));
  }

  /**
   * Models with segments: the segment of each token.
   *
   * @param types each at least 0; none = all in the first
   * @return this
   */
  public Input tokenTypes(long... types) {
    long[] numbers = types.clone();
    return set(p -> Raw.graft_input_set_token_types(p, numbers));
  }

  /**
   * A named tensor that the model takes in; the same name replaces it.
   *
   * @param name for example "pixel_values"
   * @param tensor its storage is shared; it may be closed afterwards. null removes the name
   * @return this
   */
  public Input tensor(String name, Tensor tensor) {
    byte[] bytes = Utf8.of(name);
    if (tensor == null) return set(p -> Raw.graft_input_set_tensor(p, bytes, 0));
    return set(p -> tensor.handle.number(q -> Raw.graft_input_set_tensor(p, bytes, q)));
  }

  /** Releases the input; requests submitted with it are not touched. Never blocks; optional. */
  @Override
  public void close() {
    handle.close();
  }
}
