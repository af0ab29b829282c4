package graft;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** Text and times on their way to the library and back. */
final class Utf8 {
  private Utf8() {}

  /** Strict: half a surrogate pair is a failure, no question mark. */
  static byte[] of(String text) {
    for (int i = 0, length = text.length(); i < length; ++i) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) continue;
      if (Character.isHighSurrogate(c) && i + 1 < length && Character.isLowSurrogate(text.charAt(i + 1))) {
        ++i;
        continue;
      }
      throw new GraftException(StatusCode.INVALID_ARGUMENT,
          String.format("text: half a surrogate pair (U+%04X) at index %d is no Unicode text", (int) c, i));
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] of(Path path) {
    return of(path.toString());
  }

  static String text(byte[] bytes) {
    return bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8);
  }

  /** A call that puts its text into the first element. */
  interface Call {
    void put(byte[][] out);
  }

  static String text(Call call) {
    byte[][] out = new byte[1][];
    call.put(out);
    return text(out[0]);
  }

  /** Milliseconds, rounded up; null is for ever. */
  static long milliseconds(Duration timeout) {
    if (timeout == null) return -1;
    if (timeout.isNegative()) throw new IllegalArgumentException("a negative time-out: " + timeout);
    try {
      return timeout.plusNanos(999_999).toMillis();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }
}
