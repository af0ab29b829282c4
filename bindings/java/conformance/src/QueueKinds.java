import graft.Event;
import graft.EventBuffer;
import graft.EventKind;
import graft.EventQueue;
import graft.Poll;
import graft.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Many requests, one queue. */
final class QueueKinds {
  private QueueKinds() {}

  static void addTo(Map<String, Conformance.Kind> kinds) {
    kinds.put("queue", QueueKinds::many);
    kinds.put("queue_timeout", c -> {
      try (EventQueue queue = new EventQueue()) {
        return wait(queue, Duration.ofMillis(10));
      }
    });
    kinds.put("queue_wake", c -> {
      try (EventQueue queue = new EventQueue()) {
        return waitWhile(queue, queue::wake);
      }
    });
    kinds.put("queue_close", c -> {
      EventQueue queue = new EventQueue();
      return waitWhile(queue, queue::close);
    });
    kinds.put("next_with_queue", c -> Session.withEngine(c, engine -> {
      try (EventQueue queue = new EventQueue(); Request request = Session.submit(c, engine, queue, 0)) {
        request.next();
        return "ok";
      }
    }));
  }

  private static String many(Case c) throws Exception {
    int count = (int) c.number("count", 1);
    return Session.withEngine(c, engine -> {
      List<Request> requests = new ArrayList<>();
      List<StringBuilder> texts = new ArrayList<>();
      int finished = 0;
      try (EventQueue queue = new EventQueue()) {
        for (int tag = 0; tag < count; ++tag) {
          texts.add(new StringBuilder());
          requests.add(Session.submit(c, engine, queue, tag));
        }
        while (finished < count) {
          Event event = queue.next(Duration.ofMinutes(1));
          texts.get((int) event.tag()).append(event.text());
          if (event.kind() == EventKind.FINISHED || event.kind() == EventKind.ERROR) ++finished;
        }
      } finally {
        requests.forEach(Request::close);
      }
      String first = texts.get(0).toString();
      long equal = texts.stream().filter(text -> text.length() > 0 && text.toString().equals(first)).count();
      return finished + " finished, " + equal + " equal";
    });
  }

  private static String wait(EventQueue queue, Duration timeout) {
    try (EventBuffer buffer = new EventBuffer()) {
      Poll poll = queue.next(buffer, timeout);
      return poll == Poll.EVENT ? "OK" : poll.name();
    } catch (IllegalStateException failure) {
      return failure.getMessage().contains("closed") ? "CLOSED" : failure.toString();
    }
  }

  private static String waitWhile(EventQueue queue, Runnable other) throws InterruptedException {
    Thread thread = new Thread(() -> {
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      other.run();
    });
    thread.start();
    String outcome = wait(queue, null);
    thread.join();
    return outcome;
  }
}
