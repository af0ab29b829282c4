package graft;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

/**
 * A native object and who is using it. It is freed when it was closed and the last call in it has returned, whatever
 * threads these are on. The count is in steps of two; its lowest bit says "closed".
 */
final class Handle {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Apart from the handle, which the owner refers to: the cleaner must not keep the owner alive. */
  private static final class State extends AtomicInteger implements Runnable {
    private static final long serialVersionUID = 1;
    private final long pointer;
    private final transient LongConsumer free;

    State(long pointer, LongConsumer free) {
      this.pointer = pointer;
      this.free = free;
    }

    boolean enter() {
      for (int state = get(); (state & 1) == 0; state = get()) {
        if (compareAndSet(state, state + 2)) return true;
      }
      return false;
    }

    void leave() {
      if (addAndGet(-2) == 1) free.accept(pointer);
    }

    /** Closes. */
    @Override
    public void run() {
      for (int state = get(); (state & 1) == 0; state = get()) {
        if (!compareAndSet(state, state | 1)) continue;
        if (state == 0) free.accept(pointer);
        return;
      }
    }
  }

  private final State state;
  private final String name;
  private final Cleaner.Cleanable cleanable;

  /**
   * @param owner when it is collected the handle is closed
   * @param name what the owner is, for the text of the failure
   * @param free frees the pointer; must not refer to the owner
   */
  Handle(Object owner, String name, long pointer, LongConsumer free) {
    this.name = name;
    this.state = new State(pointer, free);
    this.cleanable = CLEANER.register(owner, state);
  }

  /** The pointer, which stays valid until {@link #leave}. */
  long enter() {
    if (!state.enter()) throw closed();
    return state.pointer;
  }

  void leave() {
    state.leave();
  }

  /** Keeps the native object alive, closed or not, until another object is collected. */
  void keepFor(Object other) {
    enter();
    State kept = state;
    CLEANER.register(other, kept::leave);
  }

  boolean isClosed() {
    return (state.get() & 1) != 0;
  }

  /** Whether a call is inside. */
  boolean isUsed() {
    return state.get() > 1;
  }

  IllegalStateException closed() {
    return new IllegalStateException("the " + name + " is closed");
  }

  void close() {
    cleanable.clean();
  }

  /** Closes, then calls: for what must reach threads that are inside when nobody can enter any more. */
  void closeAfter(NumberCall call) {
    if (!state.enter()) return;
    try {
      cleanable.clean();
      call.with(state.pointer);
    } finally {
      state.leave();
    }
  }

  /** One call with the pointer. */
  interface Call<T> {
    T with(long pointer);
  }

  <T> T call(Call<T> call) {
    long pointer = enter();
    try {
      return call.with(pointer);
    } finally {
      leave();
    }
  }

  /** One call with the pointer that gives a number. */
  interface NumberCall {
    long with(long pointer);
  }

  long number(NumberCall call) {
    long pointer = enter();
    try {
      return call.with(pointer);
    } finally {
      leave();
    }
  }
}
