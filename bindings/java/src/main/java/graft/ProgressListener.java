package graft;

/** Told of a load's progress, on the thread inside {@link Engine#open}. */
@FunctionalInterface
public interface ProgressListener {
  /**
   * Something was done. What this throws comes out of {@link Engine#open} as it is, and the load is cancelled.
   *
   * @param fraction in [0, 1], never falling
   * @param what what is being done
   * @return true to go on; false cancels the load, and open throws CANCELLED
   */
  boolean progress(double fraction, String what);
}
