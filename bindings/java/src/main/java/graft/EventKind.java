package graft;

/** What happened to a request. */
public enum EventKind {
  /** One token was chosen; its text, if whole characters became complete with it. */
  TOKEN(0),
  /** Text alone: characters that were held back (a possible stop text, half a character). */
  TEXT(1),
  /** The prompt is being read; see {@link Event#progress()}. */
  PROGRESS(2),
  /** One sequence ended; see {@link Event#finishReason()} and {@link Event#usage()}. */
  FINISHED(3),
  /** The request failed; see {@link Event#error()}. */
  ERROR(4),
  /** One that this binding does not know yet. */
  UNKNOWN(Integer.MIN_VALUE);

  final int code;

  EventKind(int code) {
    this.code = code;
  }

  private static final EventKind[] ALL = values();

  static EventKind of(long code) {
    for (EventKind one : ALL) {
      if (one.code == code) return one;
    }
    return UNKNOWN;
  }
}
