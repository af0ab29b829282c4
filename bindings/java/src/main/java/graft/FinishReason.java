package graft;

/** Why a sequence ended. */
public enum FinishReason {
  /** Not finished. */
  NONE(0),
  /** The model ended its answer, or a stop text or token came. */
  STOP(1),
  /** The most tokens asked for, or the context is full. */
  LENGTH(2),
  /** {@link Request#cancel()}, or the engine was shut down. */
  CANCELLED(3),
  /** Its deadline passed. */
  DEADLINE(4),
  /** It failed. */
  ERROR(5),
  /** One that this binding does not know yet. */
  UNKNOWN(Integer.MIN_VALUE);

  final int code;

  FinishReason(int code) {
    this.code = code;
  }

  private static final FinishReason[] ALL = values();

  static FinishReason of(long code) {
    for (FinishReason one : ALL) {
      if (one.code == code) return one;
    }
    return UNKNOWN;
  }
}
