import graft.Engine;
import graft.EngineOptions;
import graft.EventBuffer;
import graft.Graft;
import graft.GraftException;
import graft.Poll;
import graft.Request;
import graft.RequestOptions;
import graft.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** What the binding costs for one call, and for one event of an answer: medians of batches, after a time of warming up. */
public final class Bench {
  private static final int BATCHES = 101;
  private static final int WARMING_ANSWERS = 60;
  private static final int ANSWERS = 31;

  /** What keeps a call from being left out. */
  private static volatile long sink;

  private Bench() {}

  private interface Call {
    long run();
  }

  private static void report(String name, double[] samples) {
    Arrays.sort(samples);
    System.out.printf(Locale.ROOT, "{\"language\": \"java\", \"case\": \"%s\", \"ns\": %.1f}%n", name,
        samples[samples.length / 2]);
  }

  /** Batches of less than a time slice: on a busy machine a longer one would hold what others did. */
  private static void measure(String name, Call call, int warming, int calls) {
    for (int i = 0; i < warming; ++i) sink += call.run();
    double[] samples = new double[BATCHES];
    for (int batch = 0; batch < BATCHES; ++batch) {
      long begin = System.nanoTime();
      for (int i = 0; i < calls; ++i) sink += call.run();
      samples[batch] = (double) (System.nanoTime() - begin) / calls;
    }
    report(name, samples);
  }

  private static double measureAnswer(Engine engine, RequestOptions options, EventBuffer event) {
    try (Request request = engine.submit("What is", options)) {
      request.await(null);
      int events = 0;
      long sum = 0;
      long begin = System.nanoTime();
      while (request.next(event, null) == Poll.EVENT) {
        sum += event.kind().ordinal() + event.token() + (long) event.logprob() + event.text().length();
        ++events;
      }
      double each = (double) (System.nanoTime() - begin) / events;
      sink += sum;
      return each;
    }
  }

  private static long fail(EngineOptions.Builder builder) {
    try {
      builder.json("{\"colour\": 1}");
      throw new IllegalStateException("it did not fail");
    } catch (GraftException failure) {
      return failure.code() + failure.getMessage().length();
    }
  }

  /**
   * Measures.
   *
   * @param arguments MODEL
   */
  public static void main(String[] arguments) {
    try (Engine engine = Engine.open(Path.of(arguments[0])); Tokenizer tokenizer = engine.tokenizer();
        EventBuffer event = new EventBuffer();
        RequestOptions options = RequestOptions.builder().greedy(true).ignoreEos(true).maxTokens(250).build()) {
      EngineOptions.Builder builder = EngineOptions.builder();
      measure("abi", Graft::abiVersion, 2_000_000, 20_000);
      measure("vocab_size", tokenizer::vocabSize, 2_000_000, 20_000);
      measure("encode", () -> tokenizer.encode("What is 27 + 58?", false).length, 20_000, 50);
      measure("failure", () -> fail(builder), 3000, 10);
      double[] samples = new double[ANSWERS];
      for (int answer = -WARMING_ANSWERS; answer < ANSWERS; ++answer) {
        double each = measureAnswer(engine, options, event);
        if (answer >= 0) samples[answer] = each;
      }
      report("token", samples);
    }
  }
}
