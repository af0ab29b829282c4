package graft;

/** What came of waiting for an event. */
public enum Poll {
  /** The buffer holds the next event. */
  EVENT,
  /** Nothing came in time, or the queue was woken. */
  TIMEOUT,
  /** Nothing more will come. */
  END;

  static Poll of(int status) {
    return status == RawConstants.GRAFT_STATUS_OK ? EVENT : status == RawConstants.GRAFT_STATUS_END ? END : TIMEOUT;
  }
}
