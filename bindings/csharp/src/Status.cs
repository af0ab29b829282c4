using System;
using Graft.Raw;

namespace Graft {

/// <summary>
/// How a call ended. A library newer than this assembly may give a number that has no name here; it is kept as it is.
/// </summary>
public enum Status {
  /// <summary>It succeeded.</summary>
  Ok = graft_raw.GRAFT_STATUS_OK,
  /// <summary>An argument is wrong; the text names it.</summary>
  InvalidArgument = graft_raw.GRAFT_STATUS_INVALID_ARGUMENT,
  /// <summary>The right call at the wrong moment.</summary>
  InvalidState = graft_raw.GRAFT_STATUS_INVALID_STATE,
  /// <summary>A file, a library, a tensor or a token does not exist.</summary>
  NotFound = graft_raw.GRAFT_STATUS_NOT_FOUND,
  /// <summary>Understood, but not offered by this release, model or machine.</summary>
  Unsupported = graft_raw.GRAFT_STATUS_UNSUPPORTED,
  /// <summary>Longer than the context, larger than a stated limit.</summary>
  LimitExceeded = graft_raw.GRAFT_STATUS_LIMIT_EXCEEDED,
  /// <summary>The engine's waiting queue is full; try again later.</summary>
  Busy = graft_raw.GRAFT_STATUS_BUSY,
  /// <summary>Memory of the host or a device is used up.</summary>
  OutOfMemory = graft_raw.GRAFT_STATUS_OUT_OF_MEMORY,
  /// <summary>The device or its driver failed.</summary>
  DeviceError = graft_raw.GRAFT_STATUS_DEVICE_ERROR,
  /// <summary>Another rank died, hung or could not be reached.</summary>
  CommError = graft_raw.GRAFT_STATUS_COMM_ERROR,
  /// <summary>A file could not be read, written or loaded.</summary>
  IoError = graft_raw.GRAFT_STATUS_IO_ERROR,
  /// <summary>A file is damaged or not what it claims to be.</summary>
  CorruptData = graft_raw.GRAFT_STATUS_CORRUPT_DATA,
  /// <summary>A buffer was too small; this assembly makes it larger and asks again, so it is not seen.</summary>
  BufferTooSmall = graft_raw.GRAFT_STATUS_BUFFER_TOO_SMALL,
  /// <summary>Somebody cancelled it.</summary>
  Cancelled = graft_raw.GRAFT_STATUS_CANCELLED,
  /// <summary>Nothing yet. Not a failure.</summary>
  Timeout = graft_raw.GRAFT_STATUS_TIMEOUT,
  /// <summary>The request's own deadline passed.</summary>
  DeadlineExceeded = graft_raw.GRAFT_STATUS_DEADLINE_EXCEEDED,
  /// <summary>The engine or queue was closed.</summary>
  Closed = graft_raw.GRAFT_STATUS_CLOSED,
  /// <summary>Two libraries of different versions met.</summary>
  VersionMismatch = graft_raw.GRAFT_STATUS_VERSION_MISMATCH,
  /// <summary>Nothing more will come. Not a failure.</summary>
  End = graft_raw.GRAFT_STATUS_END,
  /// <summary>A defect of Graft; please report it with the text.</summary>
  Internal = graft_raw.GRAFT_STATUS_INTERNAL
}

/// <summary>What a call of Graft failed with: the status, and the library's own text, which names file, key or argument.</summary>
public class GraftException : Exception {
  /// <summary>An exception of this status and text.</summary>
  /// <param name="status">How the call ended.</param>
  /// <param name="message">What was wrong, what was found, what was expected.</param>
  public GraftException(Status status, string message) : base(message) {
    Status = status;
  }

  /// <summary>How the call ended; may be a number without a name.</summary>
  public Status Status { get; }

  /// <summary>The status as the C library spells it, "NOT_FOUND" for example; "UNKNOWN" for a number that it does not know.</summary>
  public string StatusName => graft_raw.graft_status_name((int)Status);
}

}
