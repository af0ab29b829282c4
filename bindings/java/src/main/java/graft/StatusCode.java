package graft;

/** Why a call failed. */
public enum StatusCode {
  /** No failure. */
  OK,
  /** An argument is wrong; the text names it. */
  INVALID_ARGUMENT,
  /** The right call at the wrong moment. */
  INVALID_STATE,
  /** A file, a library, a tensor or a token does not exist. */
  NOT_FOUND,
  /** Understood, but not offered by this release, model or machine. */
  UNSUPPORTED,
  /** Longer than the context, or larger than a stated limit. */
  LIMIT_EXCEEDED,
  /** Too many requests wait; try again later. */
  BUSY,
  /** Host or device memory is full. */
  OUT_OF_MEMORY,
  /** The device or its driver failed. */
  DEVICE_ERROR,
  /** Another rank died, hung or could not be reached. */
  COMM_ERROR,
  /** A file could not be read, written or loaded. */
  IO_ERROR,
  /** A file is damaged or not what it claims to be. */
  CORRUPT_DATA,
  /** A buffer of the caller's is too small. */
  BUFFER_TOO_SMALL,
  /** Somebody cancelled it. */
  CANCELLED,
  /** Nothing came in time. */
  TIMEOUT,
  /** The request's own deadline passed. */
  DEADLINE_EXCEEDED,
  /** The engine or queue was closed. */
  CLOSED,
  /** Two libraries of different versions met. */
  VERSION_MISMATCH,
  /** Nothing more will come. */
  END,
  /** A defect of Graft; please report it with the text. */
  INTERNAL,
  /** A status of a newer library; {@link GraftException#code()} has its number. */
  UNKNOWN;

  private static final StatusCode[] ALL = values();

  static StatusCode of(int code) {
    return code >= 0 && code < UNKNOWN.ordinal() ? ALL[code] : UNKNOWN;
  }
}
