package graft;

/** Receives log lines. */
@FunctionalInterface
public interface LogListener {
  /**
   * One line. Called from any thread, the library's own included, possibly from several at once. It should return soon; it
   * may call Graft, but must not wait in a request, a queue or an engine. What it throws is dropped.
   *
   * @param level how grave it is
   * @param message the line, without an end of line
   */
  void log(LogLevel level, String message);
}
