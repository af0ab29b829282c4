package graft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LifetimeTest {
  private static final int RACES = Integer.getInteger("graft.races");

  private static void assertClosed(org.junit.jupiter.api.function.Executable call) {
    String text = assertThrows(IllegalStateException.class, call).getMessage();
    assertTrue(text.contains("closed"), text);
  }

  private static CompletableFuture<Void> elsewhere(Runnable work) {
    return CompletableFuture.runAsync(work, task -> new Thread(task).start());
  }

  @Test
  void closedObjectsSaySo() {
    Engine engine = Engine.open(Model.PATH, Model.threads(1));
    Tokenizer tokenizer = engine.tokenizer();
    Decoder decoder = tokenizer.decoder(true);
    Request request = engine.submit("What is", Model.LONG);
    Tensor tensor = Tensor.of(new float[1], 1);
    Policy policy = Policy.fromJson("{}");
    Input input = new Input();
    EventBuffer buffer = new EventBuffer();
    engine.profile(true);
    Profile profile = engine.takeProfile();
    for (AutoCloseable one : List.of(engine, tokenizer, decoder, request, tensor, policy, input, buffer, profile)) {
      for (int i = 0; i < 2; ++i) {
        try {
          one.close();
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      }
    }
    assertClosed(engine::info);
    assertClosed(() -> engine.submit("x"));
    assertClosed(() -> engine.shutdown(null));
    assertClosed(tokenizer::vocabSize);
    assertClosed(() -> tokenizer.encode("x"));
    assertClosed(() -> decoder.push(1));
    assertClosed(request::next);
    assertClosed(() -> request.await(null));
    assertClosed(tensor::data);
    assertClosed(tensor::shape);
    assertClosed(() -> EngineOptions.builder().policy(policy));
    assertClosed(() -> input.text("x"));
    assertClosed(profile::table);
    try (Request other = Model.ENGINE.submit("x", Model.LONG)) {
      assertClosed(() -> other.next(buffer, null));
    }
    assertClosed(() -> new Input().tensor("x", tensor));
    request.cancel();
  }

  @Test
  void parentsMayGoFirst() {
    Engine engine = Engine.open(Model.PATH, Model.threads(1));
    Tokenizer tokenizer = engine.tokenizer();
    Decoder decoder = tokenizer.decoder(true);
    Request request = engine.submit(Model.SUM, Model.GREEDY);
    engine.close();
    tokenizer.close();
    assertEquals("85", request.complete().text());
    assertEquals("Hi", decoder.push(635) + decoder.finish());
    request.close();
    decoder.close();
  }

  @Test
  void shutdownEndsRequests() {
    try (Engine engine = Engine.open(Model.PATH, Model.threads(1)); Request request = engine.submit("What is", Model.LONG)) {
      assertTrue(engine.shutdown(Duration.ofMinutes(1)));
      assertTrue(engine.await(Duration.ZERO));
      assertEquals(FinishReason.CANCELLED, request.complete().finishReason());
      assertEquals(StatusCode.CLOSED, assertThrows(GraftException.class, () -> engine.submit("x")).status());
    }
  }

  /** Closing while other threads are inside calls of the same object: each call ends well or says "closed". */
  @Test
  void closeAgainstCalls() throws Exception {
    for (int round = 0; round < RACES; ++round) {
      Tokenizer tokenizer = Model.ENGINE.tokenizer();
      Decoder decoder = tokenizer.decoder(true);
      Tensor tensor = Tensor.of(new float[] {1, 2, 3}, 3);
      Request request = Model.ENGINE.submit("What is", Model.LONG);
      List<CompletableFuture<Void>> threads = new ArrayList<>();
      for (Runnable call : List.<Runnable>of(() -> tokenizer.encode("The quick brown fox."), () -> decoder.push(635),
          () -> assertEquals(3f, tensor.floats().get(2)), request::next)) {
        threads.add(elsewhere(() -> {
          try {
            while (true) call.run();
          } catch (IllegalStateException closed) {
            assertTrue(closed.getMessage().contains("closed"), closed.toString());
          }
        }));
      }
      if (round % 3 != 0) Thread.sleep(0, 300_000);
      for (AutoCloseable one : List.of(request, tensor, decoder, tokenizer)) one.close();
      for (CompletableFuture<Void> thread : threads) thread.get(1, TimeUnit.MINUTES);
    }
  }

  /** A thread that waits for ever in a request comes back when another one closes it. */
  @Test
  void closeWakesAWaiter() throws Exception {
    for (int round = 0; round < 20; ++round) {
      Request request = Model.ENGINE.submit("What is", Model.LONG);
      CompletableFuture<Void> waiting = elsewhere(() -> assertThrows(IllegalStateException.class, () -> {
        while (true) request.next();
      }));
      request.close();
      waiting.get(1, TimeUnit.MINUTES);
    }
  }

  @Test
  void engineClosedAgainstSubmits() throws Exception {
    for (int round = 0; round < 5; ++round) {
      Engine engine = Engine.open(Model.PATH, Model.threads(1));
      List<CompletableFuture<Void>> threads = new ArrayList<>();
      for (int i = 0; i < 3; ++i) {
        threads.add(elsewhere(() -> assertClosed(() -> {
          while (true) engine.complete(Model.SUM, Model.GREEDY);
        })));
      }
      Thread.sleep(20);
      engine.close();
      for (CompletableFuture<Void> thread : threads) thread.get(1, TimeUnit.MINUTES);
    }
  }

  /** Nothing is closed and everything is dropped at once, so the collector chooses the order. */
  @Test
  void whatIsDroppedIsReleasedInAnyOrder() throws Exception {
    List<java.lang.ref.WeakReference<Object>> dropped = new ArrayList<>();
    for (int i = 0; i < 3; ++i) drop(dropped);
    assertTrue(Model.collectUntil(() -> dropped.stream().allMatch(one -> one.get() == null)));
    assertEquals("85", Model.ENGINE.complete(Model.SUM, Model.GREEDY).text());
  }

  private static void drop(List<java.lang.ref.WeakReference<Object>> dropped) {
    Engine engine = Engine.open(Model.PATH, EngineOptions.builder().threads(1).progress((f, w) -> true).build());
    EventQueue queue = new EventQueue();
    Input input = new Input().text("What is");
    Tokenizer tokenizer = engine.tokenizer();
    Request inQueue = engine.submit(input, Model.LONG, queue, 1);
    Request request = engine.submit(input, Model.LONG);
    request.iterator().next();
    for (Object one : List.of(request, inQueue, tokenizer, tokenizer.decoder(true), input, queue, engine,
        Tensor.of(new float[1], 1).floats())) {
      dropped.add(new java.lang.ref.WeakReference<>(one));
    }
  }
}
