package graft;

/** Java's half of native/callbacks.c. Nothing thrown here reaches the library. */
final class Callbacks {
  /** What a progress listener threw on this thread, until {@link #rethrow}. */
  private static final ThreadLocal<Throwable> THROWN = new ThreadLocal<>();
  private static volatile LogListener listener;

  private Callbacks() {}

  static synchronized void listen(LogListener next) {
    Raw.graft_abi_version(); // loads the library
    listener = next;
    setLog(next != null);
  }

  /** Called by the library, on any thread. */
  static void log(int level, byte[] message) {
    LogListener now = listener;
    if (now == null) return;
    try {
      now.log(LogLevel.of(level), Utf8.text(message));
    } catch (Throwable dropped) {
      // A log line has no caller who could be told.
    }
  }

  /** Called by the library on the thread inside Engine.open; 0 to go on. */
  static int progress(Object progress, double fraction, byte[] what) {
    try {
      return ((ProgressListener) progress).progress(fraction, Utf8.text(what)) ? 0 : 1;
    } catch (Throwable thrown) {
      THROWN.set(thrown);
      return 1;
    }
  }

  /** Takes what a listener threw during the call that just ended, if it did. */
  static Throwable taken() {
    Throwable thrown = THROWN.get();
    if (thrown != null) THROWN.remove();
    return thrown;
  }

  static native void setLog(boolean on);

  static native long setProgress(long options, Object listener);

  static native void releaseProgress(long listener);
}
