package graft;

import java.nio.charset.StandardCharsets;

/** What Graft throws: the status, and the library's text, which names the file, key or argument. */
public final class GraftException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** The number of the status. */
  private final int code;

  GraftException(int code, String message) {
    super(message);
    this.code = code;
  }

  GraftException(StatusCode status, String message) {
    this(status.ordinal(), message);
  }

  /** Called by the glue. */
  static GraftException of(int code, byte[] message) {
    return new GraftException(code, new String(message, StandardCharsets.UTF_8));
  }

  /**
   * The status.
   *
   * @return the status; {@link StatusCode#UNKNOWN} for one that this binding does not know
   */
  public StatusCode status() {
    return StatusCode.of(code);
  }

  /**
   * The status as a number, also of a library that is newer than this binding.
   *
   * @return the number that the C ABI gives it
   */
  public int code() {
    return code;
  }

  /**
   * The status and the text.
   *
   * @return for example {@code graft.GraftException: NOT_FOUND: /x: no such file}
   */
  @Override
  public String toString() {
    return getClass().getName() + ": " + (status() == StatusCode.UNKNOWN ? "status " + code : status().name()) + ": "
        + getMessage();
  }
}
