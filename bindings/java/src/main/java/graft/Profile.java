package graft;

/** Where the time went, taken from an engine by {@link Engine#takeProfile}. Never changes; any thread. */
public final class Profile implements AutoCloseable {
  private final Handle handle;

  Profile(long pointer) {
    handle = new Handle(this, "profile", pointer, Raw::graft_profile_free);
  }

  /**
   * Number of forward passes that {@link #milliseconds} gives.
   *
   * @return the number
   */
  public long count() {
    return handle.number(Raw::graft_profile_count);
  }

  /**
   * How long each forward pass took, oldest first: the newest 65536.
   *
   * @return milliseconds
   */
  public double[] milliseconds() {
    return handle.call(p -> {
      double[] all = new double[(int) Raw.graft_profile_count(p)];
      Raw.graft_profile_milliseconds(p, all);
      return all;
    });
  }

  /**
   * The profile by operation.
   *
   * @return a JSON object: forwards, dropped, forward_ms, explained, ops
   */
  public String table() {
    return handle.call(p -> Utf8.text(out -> Raw.graft_profile_table(p, out)));
  }

  /** Releases the profile. Never blocks; optional. */
  @Override
  public void close() {
    handle.close();
  }
}
