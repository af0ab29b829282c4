package graft;

/** Turns a stream of ids into whole characters; made by {@link Tokenizer#decoder}. One thread at a time. */
public final class Decoder implements AutoCloseable {
  private final Handle handle;

  Decoder(long pointer) {
    handle = new Handle(this, "decoder", pointer, Raw::graft_decoder_free);
  }

  /**
   * Feeds one id.
   *
   * @param token the id
   * @return the characters that became complete with it, often none
   * @throws GraftException INVALID_ARGUMENT (an id outside the vocabulary)
   */
  public synchronized String push(long token) {
    return handle.call(p -> Utf8.text(out -> Raw.graft_decoder_push(p, token, out)));
  }

  /**
   * Ends the stream.
   *
   * @return what was left
   */
  public String finish() {
    return push(-1);
  }

  /** Releases the decoder. Never blocks; optional. */
  @Override
  public void close() {
    handle.close();
  }
}
