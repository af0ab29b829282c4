package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PublisherTest {
  private static class Recorder implements Flow.Subscriber<Event> {
    final List<Event> events = Collections.synchronizedList(new ArrayList<>());
    final CountDownLatch ended = new CountDownLatch(1);
    volatile Flow.Subscription subscription;
    volatile Throwable failure;

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
    }

    @Override
    public void onNext(Event event) {
      events.add(event);
    }

    @Override
    public void onError(Throwable thrown) {
      failure = thrown;
      ended.countDown();
    }

    @Override
    public void onComplete() {
      ended.countDown();
    }

    void awaitCount(int count) throws InterruptedException {
      for (int i = 0; i < 600 && events.size() < count; ++i) Thread.sleep(50);
      assertTrue(events.size() >= count, "only " + events.size());
    }

    void awaitEnd() throws InterruptedException {
      assertTrue(ended.await(1, TimeUnit.MINUTES));
    }
  }

  @Test
  void eventsComeAsTheyAreAskedFor() throws Exception {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG)) {
      Recorder recorder = new Recorder();
      request.publisher().subscribe(recorder);
      Thread.sleep(100);
      assertEquals(0, recorder.events.size());
      recorder.subscription.request(3);
      recorder.awaitCount(3);
      assertTrue(request.await(Duration.ofMinutes(1))); // all 200 are there
      Thread.sleep(100);
      assertEquals(3, recorder.events.size());
      recorder.subscription.request(Long.MAX_VALUE);
      recorder.subscription.request(Long.MAX_VALUE);
      recorder.awaitEnd();
      assertNull(recorder.failure);
      assertEquals(200, recorder.events.stream().filter(e -> e.token() >= 0).count());
    }
  }

  @Test
  void theEndNeedsNoDemand() throws Exception {
    int count;
    try (Request request = Model.ENGINE.submit(Model.SUM, Model.GREEDY)) {
      count = (int) request.stream().filter(e -> e.kind() != EventKind.PROGRESS).count();
    }
    try (Request request = Model.ENGINE.submit(Model.SUM, Model.GREEDY)) {
      assertTrue(request.await(null));
      Recorder recorder = new Recorder();
      request.publisher().subscribe(recorder);
      while (recorder.events.stream().filter(e -> e.kind() != EventKind.PROGRESS).count() < count) {
        int before = recorder.events.size();
        recorder.subscription.request(1);
        recorder.awaitCount(before + 1);
      }
      recorder.awaitEnd();
      assertNull(recorder.failure);
    }
  }

  @Test
  void cancellingTheSubscriptionCancelsTheRequest() throws Exception {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG)) {
      Recorder recorder = new Recorder();
      request.publisher().subscribe(recorder);
      recorder.subscription.request(1);
      recorder.awaitCount(1);
      recorder.subscription.cancel();
      Model.assertCancelled(request);
      recorder.subscription.request(100);
      Thread.sleep(50);
      assertEquals(1, recorder.events.size());
    }
  }

  @Test
  void askingForNothingIsAnError() throws Exception {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG)) {
      Recorder recorder = new Recorder();
      request.publisher().subscribe(recorder);
      recorder.subscription.request(0);
      recorder.awaitEnd();
      assertInstanceOf(IllegalArgumentException.class, recorder.failure);
    }
  }

  @Test
  void aSecondSubscriberIsRefused() throws Exception {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG)) {
      Flow.Publisher<Event> publisher = request.publisher();
      publisher.subscribe(new Recorder());
      Recorder second = new Recorder();
      publisher.subscribe(second);
      second.awaitEnd();
      assertInstanceOf(IllegalStateException.class, second.failure);
    }
  }

  @Test
  void aSubscriberThatThrowsIsTold() throws Exception {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG)) {
      Recorder recorder = new Recorder() {
        @Override
        public void onNext(Event event) {
          throw new UnsupportedOperationException("thrown by the test");
        }
      };
      request.publisher().subscribe(recorder);
      recorder.subscription.request(5);
      recorder.awaitEnd();
      assertInstanceOf(UnsupportedOperationException.class, recorder.failure);
    }
  }
}
