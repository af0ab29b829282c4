package graft;

/** How grave a log line is. */
public enum LogLevel {
  /** No lines at all. */
  OFF(0),
  /** Failures. */
  ERROR(1),
  /** What may be wrong; the default. */
  WARNING(2),
  /** What is being done. */
  INFO(3),
  /** Everything. */
  DEBUG(4),
  /** One that this binding does not know yet. */
  UNKNOWN(Integer.MIN_VALUE);

  final int code;

  LogLevel(int code) {
    this.code = code;
  }

  private static final LogLevel[] ALL = values();

  static LogLevel of(long code) {
    for (LogLevel one : ALL) {
      if (one.code == code) return one;
    }
    return UNKNOWN;
  }
}
