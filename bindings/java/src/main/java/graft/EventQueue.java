package graft;

import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The events of any number of requests, of any engines, in one place, so that one thread can serve thousands. Any number of
 * threads may use it at once; each event goes to one of them. Events of requests that are in the queue when a request is
 * closed still come.
 */
public final class EventQueue implements AutoCloseable {
  final Handle handle;
  /** For {@link #next(Duration)}: as many as there were threads in it at once. */
  private final ConcurrentLinkedQueue<EventBuffer> buffers = new ConcurrentLinkedQueue<>();

  /**
   * Makes an empty queue.
   *
   * @throws GraftException OUT_OF_MEMORY; NOT_FOUND and VERSION_MISMATCH (LibTorch, as for {@link Engine#open})
   */
  public EventQueue() {
    handle = new Handle(this, "queue", Raw.graft_queue_new(), Raw::graft_queue_free);
  }

  /**
   * Waits for the next event of any request and fills the caller's buffer with it; {@link EventBuffer#tag} says whose it is.
   *
   * @param event of the calling thread; refilled when the result is {@link Poll#EVENT}
   * @param timeout how long to wait; null = for ever
   * @return {@link Poll#EVENT}, or {@link Poll#TIMEOUT} when nothing came or {@link #wake} was called
   * @throws IllegalStateException the queue is closed, or was closed meanwhile
   */
  public Poll next(EventBuffer event, Duration timeout) {
    int status = event.refill(handle, true, Utf8.milliseconds(timeout));
    if (status == RawConstants.GRAFT_STATUS_OK || !handle.isClosed()) return Poll.of(status);
    throw handle.closed();
  }

  /**
   * Waits for the next event of any request. A failure of a request is an event of kind {@link EventKind#ERROR}.
   *
   * @param timeout how long to wait; null = for ever
   * @return the event; null when nothing came or {@link #wake} was called
   * @throws IllegalStateException the queue is closed, or was closed meanwhile
   */
  public Event next(Duration timeout) {
    EventBuffer buffer = buffers.poll();
    if (buffer == null) buffer = new EventBuffer();
    try {
      return next(buffer, timeout) == Poll.EVENT ? buffer.toEvent() : null;
    } finally {
      buffers.add(buffer);
    }
  }

  /** Makes one waiting thread return with nothing, or the next one if none waits: to tell it something. */
  public void wake() {
    handle.number(Raw::graft_queue_wake);
  }

  /** Releases the queue; threads that wait in it throw, later events of its requests are dropped. Never blocks. */
  @Override
  public void close() {
    handle.closeAfter(Raw::graft_queue_wake);
  }
}
