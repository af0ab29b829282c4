package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class QueueTest {
  private static <T> CompletableFuture<T> elsewhere(java.util.function.Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, task -> new Thread(task).start());
  }

  @Test
  void oneThreadServesMany() {
    List<Request> requests = new ArrayList<>();
    Map<Long, StringBuilder> texts = new HashMap<>();
    try (EventQueue queue = new EventQueue(); Input input = new Input().chat(Model.SUM)) {
      for (long tag = 0; tag < 8; ++tag) requests.add(Model.ENGINE.submit(input, Model.GREEDY, queue, tag));
      for (int finished = 0; finished < 8;) {
        Event event = queue.next(Duration.ofMinutes(1));
        texts.computeIfAbsent(event.tag(), t -> new StringBuilder()).append(event.text());
        if (event.isLast()) ++finished;
        assertEquals(event.kind() == EventKind.FINISHED, event.isLast());
      }
      assertThrows(GraftException.class, () -> requests.get(0).next());
    }
    assertEquals(8, texts.values().stream().filter(t -> t.toString().equals("85")).count());
    requests.forEach(Request::close);
  }

  @Test
  void waitingEnds() throws Exception {
    try (EventQueue queue = new EventQueue(); EventBuffer buffer = new EventBuffer()) {
      assertNull(queue.next(Duration.ofMillis(10)));
      CompletableFuture<Poll> waiting = elsewhere(() -> queue.next(buffer, null));
      Thread.sleep(20);
      queue.wake();
      assertEquals(Poll.TIMEOUT, waiting.get(1, TimeUnit.MINUTES));
    }
  }

  @Test
  void closingSendsAllWaitersAway() throws Exception {
    for (int round = 0; round < Integer.getInteger("graft.races"); ++round) {
      EventQueue queue = new EventQueue();
      List<CompletableFuture<Event>> waiters = new ArrayList<>();
      for (int i = 0; i < 4; ++i) waiters.add(elsewhere(() -> queue.next((Duration) null)));
      if (round % 2 == 0) Thread.sleep(2);
      queue.close();
      for (CompletableFuture<Event> waiter : waiters) {
        Throwable failure = assertThrows(ExecutionException.class, () -> waiter.get(1, TimeUnit.MINUTES)).getCause();
        assertTrue(failure instanceof IllegalStateException && failure.getMessage().contains("closed"), failure.toString());
      }
      assertThrows(IllegalStateException.class, queue::wake);
      queue.close();
    }
  }
}
