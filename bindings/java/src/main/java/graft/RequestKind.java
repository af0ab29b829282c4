package graft;

/** What a request yields. */
public enum RequestKind {
  /** Tokens and text, one event after another. */
  GENERATE(0),
  /** {@link Request#tensor} "logits", float32 [tokens, vocabulary or labels]. */
  LOGITS(1),
  /** {@link Request#tensor} "embedding", float32 [hidden]. */
  EMBED(2),
  /** {@link Request#tensor} "hidden", float32 [tokens, hidden]. */
  HIDDEN(3);

  final int code;

  RequestKind(int code) {
    this.code = code;
  }
}
