package graft;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assertions;

/** The small model that the tests share, opened once. */
final class Model {
  static final Path PATH = Path.of(System.getProperty("graft.model"));
  static final List<Message> SUM = List.of(new Message("user", "What is 27 + 58?"));
  static final Engine ENGINE = Engine.open(PATH, threads(1));
  static final RequestOptions GREEDY = RequestOptions.builder().greedy(true).build();
  /** Goes on until it is stopped. */
  static final RequestOptions LONG = RequestOptions.builder().greedy(true).ignoreEos(true).maxTokens(200).build();

  private Model() {}

  static EngineOptions threads(long count) {
    return EngineOptions.builder().threads(count).build();
  }

  static void assertCancelled(Request request) {
    GraftException failure =
        Assertions.assertThrows(GraftException.class, () -> request.await(Duration.ofMinutes(1)));
    Assertions.assertEquals(StatusCode.CANCELLED, failure.status());
  }

  /** Collects garbage until something is so; false after half a minute. */
  static boolean collectUntil(BooleanSupplier done) throws InterruptedException {
    for (int i = 0; i < 600; ++i) {
      System.gc();
      if (done.getAsBoolean()) return true;
      Thread.sleep(50);
    }
    return false;
  }
}
