package graft;

/** The library itself: its version, what the machine offers, its log. Any thread. */
public final class Graft {
  private Graft() {}

  /**
   * The release.
   *
   * @return "MAJOR.MINOR.PATCH"
   */
  public static String version() {
    return Utf8.text(Raw.graft_version());
  }

  /**
   * The ABI version of the library, which was compared with the one these classes need when it was loaded.
   *
   * @return the number in libgraft.so.N
   */
  public static int abiVersion() {
    return Raw.graft_abi_version();
  }

  /**
   * Says what this machine offers. The first call loads LibTorch, which takes about a second.
   *
   * @return a JSON object: versions, where LibTorch was looked for and found, devices, kernel variants; what is missing is a
   *     line of it, no failure
   * @throws GraftException OUT_OF_MEMORY
   */
  public static String doctor() {
    return Utf8.text(Raw::graft_doctor);
  }

  /**
   * Lets through log lines of this level and graver ones, in the whole process.
   *
   * @param level {@link LogLevel#WARNING} until told otherwise
   * @throws GraftException INVALID_ARGUMENT (UNKNOWN)
   */
  public static void logLevel(LogLevel level) {
    Raw.graft_log_set_level(level.code);
  }

  /**
   * Sends log lines to a listener, in the whole process. A line that another thread is just writing may still reach the one
   * before.
   *
   * @param listener receives lines; null writes them to stderr again
   */
  public static void log(LogListener listener) {
    Callbacks.listen(listener);
  }
}
