package graft;

import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * One input on its way through an engine, made by {@link Engine#submit}. Its events are there once: take them in one of the
 * ways below. {@link #cancel}, {@link #await} and {@link #close} may be called on any thread at any time; of the ways to take
 * events, one thread at a time (another one waits until it is its turn).
 *
 * <p>A request that is closed or collected before its end is cancelled, so leaving a loop over its events and closing the
 * request, as try-with-resources does, ends the work on it.
 */
public final class Request implements AutoCloseable, Iterable<Event> {
  private static final class Threads {
    static final ExecutorService POOL = Executors.newCachedThreadPool(task -> {
      Thread thread = new Thread(task, "graft-events");
      thread.setDaemon(true);
      return thread;
    });
  }

  private final Handle handle;
  private final ReentrantLock pulling = new ReentrantLock();
  private EventBuffer buffer;

  Request(long pointer) {
    handle = new Handle(this, "request", pointer, Raw::graft_request_free);
  }

  /**
   * Waits for the next event and fills the caller's buffer with it. A failure of the request is an event of kind {@link
   * EventKind#ERROR} here, with {@link Poll#END} after it.
   *
   * @param event refilled when the result is {@link Poll#EVENT}
   * @param timeout how long to wait; null = for ever
   * @return what came of it
   * @throws GraftException INVALID_STATE (the events of this request go to a queue)
   */
  public Poll next(EventBuffer event, Duration timeout) {
    long wait = Utf8.milliseconds(timeout);
    pulling.lock();
    try {
      return Poll.of(event.refill(handle, false, wait));
    } finally {
      pulling.unlock();
    }
  }

  /**
   * Waits for the next event.
   *
   * @return the event; null when nothing more will come
   * @throws GraftException the request's failure; INVALID_STATE (its events go to a queue)
   */
  public Event next() {
    pulling.lock();
    try {
      return pull() ? buffer.toEvent() : null;
    } finally {
      pulling.unlock();
    }
  }

  /** Waits until the request's own buffer is filled; false at the end. Only with the lock. */
  private boolean pull() {
    if (handle.isClosed()) throw handle.closed();
    if (buffer == null) buffer = new EventBuffer();
    int status = buffer.refill(handle, false, -1);
    if (status != RawConstants.GRAFT_STATUS_OK) return false;
    if (buffer.error() != null) throw buffer.error();
    return true;
  }

  /**
   * The events still to come, each waited for. It throws the request's failure in its place.
   *
   * @return an iterator over the same events for every caller
   */
  @Override
  public Iterator<Event> iterator() {
    return new Iterator<>() {
      private Event ahead;
      private boolean ended;

      @Override
      public boolean hasNext() {
        if (ahead == null && !ended) {
          ahead = Request.this.next();
          ended = ahead == null;
        }
        return ahead != null;
      }

      @Override
      public Event next() {
        if (!hasNext()) throw new NoSuchElementException();
        Event event = ahead;
        ahead = null;
        return event;
      }
    };
  }

  /**
   * The events still to come as a stream. Closing it closes the request.
   *
   * @return a sequential stream
   */
  public Stream<Event> stream() {
    int facts = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), facts), false).onClose(this::close);
  }

  /**
   * The text still to come, piece by piece, each of whole characters and not empty; with several sequences that of the
   * first. Closing the stream closes the request.
   *
   * @return a sequential stream
   */
  public Stream<String> text() {
    return stream().filter(event -> event.sequence() == 0 && !event.text().isEmpty()).map(Event::text);
  }

  /**
   * The events still to come, for one subscriber. An event is pulled when the subscriber has asked for it and not before:
   * what is not asked for stays with the engine. Cancelling the subscription cancels the request; a failure is given to
   * onError. Signals come on threads of Graft's own.
   *
   * @return a publisher; a second subscriber is refused
   */
  public Flow.Publisher<Event> publisher() {
    return publisher(Threads.POOL);
  }

  /**
   * The same, with an executor of the caller's.
   *
   * @param executor runs the waiting for events; one of its threads is taken while events are asked for and none is there
   * @return a publisher
   */
  public Flow.Publisher<Event> publisher(Executor executor) {
    return new EventPublisher(this, Objects.requireNonNull(executor));
  }

  /**
   * Waits for the whole answer.
   *
   * @return what is still to come, put together
   * @throws GraftException the request's failure
   */
  public Completion complete() {
    pulling.lock();
    try {
      Completion.Collector collector = new Completion.Collector();
      while (pull()) collector.add(buffer);
      return collector.completion();
    } finally {
      pulling.unlock();
    }
  }

  /**
   * The whole answer, later. Cancelling the future, or its time-out, cancels the request.
   *
   * @return completed on a thread of Graft's own, or with the request's failure
   */
  public CompletableFuture<Completion> completion() {
    CompletableFuture<Completion> future = new CompletableFuture<>();
    future.whenComplete((completion, failure) -> {
      if (failure != null) cancel();
    });
    Threads.POOL.execute(() -> {
      try {
        future.complete(complete());
      } catch (Throwable failure) {
        future.completeExceptionally(failure);
      }
    });
    return future;
  }

  /**
   * Asks the engine to stop working on the request; it ends with {@link FinishReason#CANCELLED} unless it has ended before.
   * Does nothing after the end or after close.
   */
  public void cancel() {
    try {
      handle.number(Raw::graft_request_cancel);
    } catch (IllegalStateException closed) {
      // Closing has cancelled it.
    }
  }

  /**
   * Waits until the request has ended; its events stay where they are.
   *
   * @param timeout how long to wait; null = for ever
   * @return false when it still works
   * @throws GraftException how it ended, if it failed
   */
  public boolean await(Duration timeout) {
    long wait = Utf8.milliseconds(timeout);
    return handle.number(p -> Raw.graft_request_wait(p, wait)) == RawConstants.GRAFT_STATUS_OK;
  }

  /**
   * The result of a request that has ended, of kind logits, embed or hidden.
   *
   * @param name "logits", "embedding", "hidden" or "scores"
   * @return a tensor that outlives the request
   * @throws GraftException NOT_FOUND (the request has no such result), INVALID_STATE (not ended)
   */
  public Tensor tensor(String name) {
    byte[] bytes = Utf8.of(name);
    return new Tensor(handle.number(p -> Raw.graft_request_tensor(p, bytes)));
  }

  /**
   * Text of the request's failure.
   *
   * @return empty when there is none
   */
  public String errorMessage() {
    return Utf8.text(handle.call(Raw::graft_request_error_message));
  }

  /** Cancels the request if it has not ended, and releases it. Never blocks. */
  @Override
  public void close() {
    cancel();
    handle.close();
    EventBuffer own = buffer;
    if (own != null) own.close();
  }
}
