import graft.Decoder;
import graft.Engine;
import graft.EngineOptions;
import graft.EventQueue;
import graft.GraftException;
import graft.Input;
import graft.Request;
import graft.RequestKind;
import graft.RequestOptions;
import graft.Tensor;
import graft.Tokenizer;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;

/** What is closed twice, before its children or never; tensors read in place; failures of two threads. */
final class LifetimeKinds {
  private LifetimeKinds() {}

  static void addTo(Map<String, Conformance.Kind> kinds) {
    kinds.put("double_close", c -> {
      AutoCloseable made = make(c);
      made.close();
      made.close();
      return "ok";
    });
    kinds.put("use_after_close", c -> {
      AutoCloseable made = make(c);
      made.close();
      try {
        use(made);
        return "it could be used";
      } catch (IllegalStateException failure) {
        return failure.getMessage().contains("closed") ? "CLOSED" : failure.toString();
      }
    });
    kinds.put("parent_first", LifetimeKinds::parentFirst);
    kinds.put("unreachable", LifetimeKinds::unreachable);
    kinds.put("tensor", c -> Session.withEngine(c, engine -> {
      try (Request request = Session.submit(c, engine)) {
        return result(request, c.text("result"));
      }
    }));
    kinds.put("embed", c -> {
      try (Input input = new Input().text(c.text("text"));
          RequestOptions options = Session.options(c).kind(RequestKind.EMBED).build();
          Request request = c.session.embedder().submit(input, options)) {
        return result(request, "embedding");
      }
    });
    kinds.put("tensor_new", c -> {
      ByteBuffer bytes = ByteBuffer.allocate((int) c.number("bytes", 0));
      Tensor.of((int) c.number("dtype", 0), c.numbers("shape"), bytes).close();
      return "ok";
    });
    kinds.put("input_tensor", c -> {
      long[] shape = c.numbers("shape");
      int count = 1;
      for (long size : shape) count *= (int) size;
      try (Tensor tensor = Tensor.of(new float[count], shape); Input input = new Input().tensor(c.text("result"), tensor)) {
        c.session.shared().submit(input, null).close();
        return "ok";
      }
    });
    kinds.put("error_threads", LifetimeKinds::errorThreads);
  }

  private static AutoCloseable make(Case c) {
    return switch (c.text("of")) {
      case "engine" -> c.session.openOwn();
      case "tokenizer" -> Tokenizer.open(c.session.model());
      case "request" -> c.session.shared().submit("What is");
      case "tensor" -> Tensor.of(new float[] {1, 2}, 2);
      case "queue" -> new EventQueue();
      default -> throw new IllegalArgumentException("no such object: " + c.text("of"));
    };
  }

  private static void use(AutoCloseable closed) {
    if (closed instanceof Engine engine) engine.info();
    if (closed instanceof Tokenizer tokenizer) tokenizer.vocabSize();
    if (closed instanceof Request request) request.next();
    if (closed instanceof Tensor tensor) tensor.data();
    if (closed instanceof EventQueue queue) queue.next(Duration.ZERO);
  }

  private static String result(Request request, String name) {
    request.await(null);
    try (Tensor tensor = request.tensor(name)) {
      return Session.describe(tensor);
    }
  }

  private static String parentFirst(Case c) {
    switch (c.text("of")) {
      case "engine" -> {
        Engine engine = c.session.openOwn();
        Request request = Session.submit(c, engine);
        engine.close();
        return answer(request);
      }
      case "tokenizer" -> {
        Tokenizer tokenizer = Tokenizer.open(c.session.model());
        StringBuilder text = new StringBuilder();
        try (Decoder decoder = tokenizer.decoder(true)) {
          tokenizer.close();
          for (long id : c.numbers("tokens")) text.append(decoder.push(id));
        }
        return text.toString();
      }
      case "request" -> {
        Engine engine = c.session.openOwn();
        Request request = Session.submit(c, engine);
        request.await(null);
        try (Tensor tensor = request.tensor("logits")) {
          request.close();
          engine.close();
          return Session.describe(tensor);
        }
      }
      case "options" -> {
        return answer(Session.submit(c, c.session.shared())); // submit closes them
      }
      default -> throw new IllegalArgumentException("no such parent: " + c.text("of"));
    }
  }

  private static String answer(Request request) {
    try (request) {
      return request.complete().text();
    }
  }

  private static String unreachable(Case c) throws Exception {
    List<WeakReference<Object>> dropped = drop(c);
    for (int i = 0; i < 600 && dropped.stream().anyMatch(one -> one.get() != null); ++i) {
      System.gc();
      Thread.sleep(50);
    }
    if (dropped.stream().anyMatch(one -> one.get() != null)) return "something was not collected";
    return GenerateKinds.generate(c);
  }

  private static List<WeakReference<Object>> drop(Case c) {
    Engine engine = c.session.openOwn();
    Tokenizer tokenizer = engine.tokenizer();
    Request request = Session.submit(c, engine);
    request.next();
    List<WeakReference<Object>> dropped = new ArrayList<>();
    for (Object one : List.of(engine, tokenizer, request, Tensor.of(new float[] {1}, 1), new EventQueue())) {
      dropped.add(new WeakReference<>(one));
    }
    return dropped;
  }

  /** One thread's failures; the text of the first, "mixed" when a later one differs. */
  private static final class Failing extends Thread {
    private final CyclicBarrier barrier;
    private final long rounds;
    private final Runnable call;
    private String outcome;

    Failing(CyclicBarrier barrier, long rounds, Runnable call) {
      this.barrier = barrier;
      this.rounds = rounds;
      this.call = call;
    }

    @Override
    public void run() {
      try {
        for (long i = 0; i < rounds; ++i) {
          barrier.await();
          String now = "did not fail";
          GraftException failure = null;
          try {
            call.run();
          } catch (GraftException thrown) {
            failure = thrown;
          }
          barrier.await(); // both have failed before either reads its text
          if (failure != null) now = Conformance.failure(failure);
          outcome = outcome == null || outcome.equals(now) ? now : "mixed";
        }
      } catch (Exception broken) {
        outcome = broken.toString();
      }
    }
  }

  private static String errorThreads(Case c) throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(2);
    long rounds = c.number("rounds", 1);
    EngineOptions.Builder options = EngineOptions.builder();
    Failing here = new Failing(barrier, rounds, () -> Engine.open(c.text("path")));
    Failing there = new Failing(barrier, rounds, () -> options.json(c.text("json")));
    here.start();
    there.start();
    here.join();
    there.join();
    boolean mixed = here.outcome.equals("mixed") || there.outcome.equals("mixed");
    return mixed ? "mixed" : here.outcome + " || " + there.outcome;
  }
}
