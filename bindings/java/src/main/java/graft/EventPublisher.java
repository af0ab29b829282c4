package graft;

import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** The events of a request for one subscriber, pulled as they are asked for. */
final class EventPublisher implements Flow.Publisher<Event> {
  private final Request request;
  private final Executor executor;
  private final AtomicBoolean taken = new AtomicBoolean();

  EventPublisher(Request request, Executor executor) {
    this.request = request;
    this.executor = executor;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super Event> subscriber) {
    Objects.requireNonNull(subscriber);
    if (taken.compareAndSet(false, true)) {
      subscriber.onSubscribe(new Pulling(subscriber));
      return;
    }
    subscriber.onSubscribe(new Flow.Subscription() {
      @Override
      public void request(long n) {}

      @Override
      public void cancel() {}
    });
    subscriber.onError(new IllegalStateException("the events of a request are there for one subscriber"));
  }

  private final class Pulling implements Flow.Subscription {
    private final Flow.Subscriber<? super Event> subscriber;
    private final AtomicLong demand = new AtomicLong();
    /** Calls of {@link #wake} not worked off: above 0 exactly while a thread pulls, so signals come one at a time. */
    private final AtomicInteger wakes = new AtomicInteger();
    private volatile boolean ended;
    private volatile IllegalArgumentException refused;

    Pulling(Flow.Subscriber<? super Event> subscriber) {
      this.subscriber = subscriber;
    }

    @Override
    public void request(long n) {
      if (n <= 0) {
        refused = new IllegalArgumentException("request(" + n + "): events are asked for one at least");
      } else {
        demand.getAndUpdate(now -> now + n < 0 ? Long.MAX_VALUE : now + n);
      }
      wake();
    }

    @Override
    public void cancel() {
      ended = true;
      request.cancel();
    }

    private void wake() {
      if (wakes.getAndIncrement() != 0) return;
      try {
        executor.execute(this::work);
      } catch (RuntimeException rejected) {
        end(rejected);
      }
    }

    private void work() {
      for (int seen = wakes.get(); seen != 0; seen = wakes.addAndGet(-seen)) {
        while (!ended && (demand.get() > 0 || refused != null)) step();
      }
    }

    private void step() {
      if (refused != null) {
        end(refused);
        return;
      }
      Event event;
      try {
        event = request.next();
      } catch (RuntimeException | Error failure) {
        if (!ended) end(failure);
        return;
      }
      if (ended) return;
      if (event == null) {
        end(null);
        return;
      }
      demand.getAndUpdate(now -> now == Long.MAX_VALUE ? now : now - 1);
      try {
        subscriber.onNext(event);
      } catch (RuntimeException | Error thrown) {
        if (!ended) end(thrown);
        return;
      }
      // The end needs no demand.
      if (event.isLast() && !ended) end(null);
    }

    private void end(Throwable failure) {
      ended = true;
      if (failure == null) {
        subscriber.onComplete();
      } else {
        request.cancel();
        subscriber.onError(failure);
      }
    }
  }
}
