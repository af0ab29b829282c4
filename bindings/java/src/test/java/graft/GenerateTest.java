package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GenerateTest {
  private static final RequestOptions LATE = RequestOptions.builder().maxTokens(200).ignoreEos(true)
      .deadline(Duration.ofMillis(1)).build();

  private static Request sum() {
    return Model.ENGINE.submit(Model.SUM, Model.GREEDY);
  }

  @Test
  void everyWayGivesTheSameAnswer() throws Exception {
    Completion whole = Model.ENGINE.complete(Model.SUM, Model.GREEDY);
    assertEquals("85", whole.text());
    assertEquals(FinishReason.STOP, whole.finishReason());
    assertTrue(whole.usage().promptTokens() > 0);
    try (Request request = sum()) {
      StringBuilder text = new StringBuilder();
      for (Event event : request) text.append(event.text());
      assertEquals("85", text.toString());
      assertNull(request.next());
    }
    try (Request request = sum(); Stream<String> text = request.text()) {
      assertEquals("85", text.collect(Collectors.joining()));
    }
    try (Request request = sum()) {
      assertEquals(whole, request.completion().get(1, TimeUnit.MINUTES));
    }
    try (Request request = sum(); EventBuffer buffer = new EventBuffer()) {
      StringBuilder text = new StringBuilder();
      byte[] bytes = new byte[64];
      assertFalse(buffer.isFilled());
      while (request.next(buffer, null) == Poll.EVENT) {
        assertTrue(buffer.isFilled());
        text.append(new String(bytes, 0, buffer.copyText(bytes, 0), java.nio.charset.StandardCharsets.UTF_8));
      }
      assertEquals("85", text.toString());
      assertEquals(FinishReason.STOP, buffer.finishReason());
    }
  }

  @Test
  void anIteratorEnds() {
    try (Request request = sum()) {
      Iterator<Event> events = request.iterator();
      while (events.hasNext()) assertNotNull(events.next());
      assertThrows(NoSuchElementException.class, events::next);
    }
  }

  @Test
  void topLogprobs() {
    RequestOptions options = RequestOptions.builder().greedy(true).topLogprobs(3).build();
    try (Request request = Model.ENGINE.submit(Model.SUM, options)) {
      List<Event> tokens = request.stream().filter(e -> e.token() >= 0).toList();
      assertFalse(tokens.isEmpty());
      for (Event event : tokens) {
        assertEquals(3, event.topLogprobs().size());
        assertEquals(event.token(), event.topLogprobs().get(0).token());
        assertEquals(event.logprob(), event.topLogprobs().get(0).logprob(), 1e-6);
        assertTrue(event.topLogprobs().get(1).logprob() <= event.topLogprobs().get(0).logprob());
      }
    }
  }

  @Test
  void severalSequences() {
    RequestOptions options = RequestOptions.builder().seed(3).numSequences(3).maxTokens(4).ignoreEos(true).build();
    try (Request request = Model.ENGINE.submit("What is", options)) {
      List<Event> events = request.stream().toList();
      assertEquals(3, events.stream().filter(e -> e.kind() == EventKind.FINISHED).count());
      assertEquals(1, events.stream().filter(Event::isLast).count());
      assertTrue(events.get(events.size() - 1).isLast());
    }
    assertEquals(3, Model.ENGINE.complete("What is", options).answers().size());
  }

  @Test
  void cancelEndsIt() {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG)) {
      int tokens = 0;
      FinishReason reason = null;
      for (Event event : request) {
        if (event.token() >= 0 && ++tokens == 3) request.cancel();
        if (event.kind() == EventKind.FINISHED) reason = event.finishReason();
      }
      assertEquals(FinishReason.CANCELLED, reason);
      assertTrue(tokens < 200);
      request.cancel();
    }
  }

  @Test
  void aFailureComesOutOfEveryWay() {
    try (Request request = Model.ENGINE.submit("What is", LATE)) {
      GraftException failure = assertThrows(GraftException.class, () -> request.forEach(e -> {}));
      assertEquals(StatusCode.DEADLINE_EXCEEDED, failure.status());
      assertEquals(failure.getMessage(), request.errorMessage());
      assertThrows(GraftException.class, () -> request.await(null));
    }
    try (Request request = Model.ENGINE.submit("What is", LATE)) {
      Throwable failure = assertThrows(ExecutionException.class, () -> request.completion().get()).getCause();
      assertEquals(StatusCode.DEADLINE_EXCEEDED, ((GraftException) failure).status());
    }
    try (Request request = Model.ENGINE.submit("What is", LATE); EventBuffer buffer = new EventBuffer()) {
      while (request.next(buffer, null) == Poll.EVENT && buffer.kind() != EventKind.ERROR) {
      }
      assertEquals(StatusCode.DEADLINE_EXCEEDED, buffer.error().status());
      assertEquals(Poll.END, request.next(buffer, null));
    }
  }

  @Test
  void waiting() {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG); EventBuffer buffer = new EventBuffer()) {
      assertFalse(request.await(Duration.ZERO));
      assertTrue(request.await(null));
      assertEquals(Poll.EVENT, request.next(buffer, Duration.ZERO));
      assertThrows(IllegalArgumentException.class, () -> request.await(Duration.ofMillis(-1)));
    }
  }

  @Test
  void cancellingTheFutureCancelsTheRequest() {
    try (Request request = Model.ENGINE.submit("What is", Model.LONG)) {
      CompletableFuture<Completion> future = request.completion();
      future.cancel(true);
      assertThrows(CancellationException.class, future::join);
      Model.assertCancelled(request);
    }
  }

  @Test
  void sixteenThreads() throws Exception {
    List<CompletableFuture<String>> all = new ArrayList<>();
    for (int i = 0; i < 16; ++i) {
      all.add(CompletableFuture.supplyAsync(() -> Model.ENGINE.complete(Model.SUM, Model.GREEDY).text(),
          task -> new Thread(task).start()));
    }
    for (CompletableFuture<String> one : all) assertEquals("85", one.get(1, TimeUnit.MINUTES));
  }
}
