package graft;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Text to token ids and back. It needs no weights and no engine. Any number of threads may use it at once. */
public final class Tokenizer implements AutoCloseable {
  private final Handle handle;

  Tokenizer(long pointer) {
    handle = new Handle(this, "tokenizer", pointer, Raw::graft_tokenizer_free);
  }

  /**
   * Opens the tokenizer of a model; loads no weights.
   *
   * @param path a model directory, or a tokenizer.json
   * @return the tokenizer
   * @throws GraftException NOT_FOUND, CORRUPT_DATA, UNSUPPORTED, IO_ERROR, VERSION_MISMATCH
   */
  public static Tokenizer open(Path path) {
    return open(path.toString());
  }

  /**
   * The same, by name: any name at all, also one that {@link Path} refuses in the locale of the process.
   *
   * @param path as {@link #open(Path)}
   * @return the tokenizer
   * @throws GraftException as {@link #open(Path)}
   */
  public static Tokenizer open(String path) {
    return new Tokenizer(Raw.graft_tokenizer_open(Utf8.of(path)));
  }

  /**
   * Text to ids, with nothing added around the text.
   *
   * @param text the text
   * @return ids
   * @throws GraftException LIMIT_EXCEEDED (the text is too long)
   */
  public long[] encode(String text) {
    return encode(text, false);
  }

  /**
   * Text to ids.
   *
   * @param text the text
   * @param addSpecial whether to add what the model expects around a text (for example a begin-of-sequence token)
   * @return ids
   * @throws GraftException LIMIT_EXCEEDED (the text is too long)
   */
  public long[] encode(String text, boolean addSpecial) {
    byte[] bytes = Utf8.of(text);
    long pointer = handle.enter();
    try {
      // A guess that is nearly always enough: few tokenizers make more than one id of a byte.
      long[] tokens = new long[bytes.length + 8];
      long count = Raw.graft_tokenizer_encode(pointer, bytes, addSpecial ? 1 : 0, tokens);
      if (count > tokens.length) {
        tokens = new long[(int) count];
        Raw.graft_tokenizer_encode(pointer, bytes, addSpecial ? 1 : 0, tokens);
      }
      return count == tokens.length ? tokens : Arrays.copyOf(tokens, (int) count);
    } finally {
      handle.leave();
    }
  }

  /**
   * Ids to text; special tokens are left out.
   *
   * @param tokens ids
   * @return the text
   * @throws GraftException INVALID_ARGUMENT (an id outside the vocabulary)
   */
  public String decode(long... tokens) {
    return decode(tokens, true);
  }

  /**
   * Ids to text.
   *
   * @param tokens ids
   * @param skipSpecial whether to leave special tokens out
   * @return the text
   * @throws GraftException INVALID_ARGUMENT (an id outside the vocabulary)
   */
  public String decode(long[] tokens, boolean skipSpecial) {
    long[] numbers = tokens.clone();
    return handle.call(p -> Utf8.text(out -> Raw.graft_tokenizer_decode(p, numbers, skipSpecial ? 1 : 0, out)));
  }

  /**
   * The vocabulary entry of an id, as the vocabulary spells it; it need not be readable text.
   *
   * @param token the id
   * @return the entry
   * @throws GraftException NOT_FOUND or INVALID_ARGUMENT (no such id)
   */
  public String piece(long token) {
    return handle.call(p -> Utf8.text(out -> Raw.graft_tokenizer_piece(p, token, out)));
  }

  /**
   * The id of a vocabulary entry.
   *
   * @param piece the entry
   * @return its id
   * @throws GraftException NOT_FOUND
   */
  public long idOf(String piece) {
    byte[] bytes = Utf8.of(piece);
    return handle.number(p -> Raw.graft_tokenizer_id_of(p, bytes));
  }

  /**
   * Number of ids, special tokens included.
   *
   * @return the number
   */
  public long vocabSize() {
    long pointer = handle.enter();
    try {
      return Raw.graft_tokenizer_vocab_size(pointer);
    } finally {
      handle.leave();
    }
  }

  /**
   * Writes a conversation as the text the model was trained on, with the model's own template and the start of the model's
   * answer. The text holds the special tokens: {@link #encode(String)} it.
   *
   * @param messages the messages, the oldest first
   * @return the text
   * @throws GraftException as {@link #applyChatTemplate(String, String)}
   */
  public String applyChatTemplate(List<Message> messages) {
    return applyChatTemplate(Message.json(messages), null);
  }

  /**
   * The same, from JSON.
   *
   * @param messages a JSON array of {@code {"role": ..., "content": ...}}
   * @param options a JSON object of the template's options and variables (add_generation_prompt, tools, ...); null = none
   * @return the text
   * @throws GraftException UNSUPPORTED (no template, or one that this release cannot run), INVALID_ARGUMENT (not such JSON,
   *     or the template refused), CORRUPT_DATA (the template is broken), LIMIT_EXCEEDED
   */
  public String applyChatTemplate(String messages, String options) {
    byte[] bytes = Utf8.of(messages);
    byte[] more = options == null ? null : Utf8.of(options);
    return handle.call(p -> Utf8.text(out -> Raw.graft_tokenizer_apply_chat_template(p, bytes, more, out)));
  }

  /**
   * Makes a decoder for one stream of ids. It does not need the tokenizer to stay open.
   *
   * @param skipSpecial whether to leave special tokens out
   * @return the decoder
   * @throws GraftException OUT_OF_MEMORY
   */
  public Decoder decoder(boolean skipSpecial) {
    return new Decoder(handle.number(p -> Raw.graft_decoder_new(p, skipSpecial ? 1 : 0)));
  }

  /** Releases the tokenizer; its decoders stay valid. Never blocks. */
  @Override
  public void close() {
    handle.close();
  }
}
