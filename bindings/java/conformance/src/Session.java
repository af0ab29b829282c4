import graft.Engine;
import graft.EngineOptions;
import graft.Event;
import graft.EventQueue;
import graft.Input;
import graft.Request;
import graft.RequestOptions;
import graft.Tensor;
import graft.Tokenizer;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.function.Consumer;

/** What the cases share: directories, engines that are opened once, submitting and pulling. */
final class Session {
  private static final String[] NAMES = {"${model}", "${embedding}", "${scratch}"};
  private final String[] paths;
  private Engine engine;
  private Engine embedder;
  private Tokenizer tokenizer;

  Session(String model, String embedding, String scratch) {
    paths = new String[] {model, embedding, scratch};
  }

  String model() {
    return paths[0];
  }

  String withPaths(String text) {
    for (int i = 0; i < paths.length; ++i) text = text.replace(NAMES[i], paths[i]);
    return text;
  }

  String withNames(String text) {
    for (int i = 0; i < paths.length; ++i) text = text.replace(paths[i], NAMES[i]);
    return text;
  }

  static Engine open(String path, String json) {
    try (EngineOptions options = json == null ? EngineOptions.builder().build() : EngineOptions.builder().json(json).build()) {
      return Engine.open(path, options);
    }
  }

  Engine openOwn() {
    return open(model(), "{\"threads\": 1}");
  }

  synchronized Engine shared() {
    if (engine == null) engine = openOwn();
    return engine;
  }

  synchronized Engine embedder() {
    if (embedder == null) embedder = open(paths[1], "{\"threads\": 1}");
    return embedder;
  }

  synchronized Tokenizer tokenizer() {
    if (tokenizer == null) tokenizer = Tokenizer.open(model());
    return tokenizer;
  }

  /** Work with the engine of a case. */
  interface Work {
    String with(Engine engine) throws Exception;
  }

  static String withEngine(Case c, Work work) throws Exception {
    if (c.optional("engine") == null) return work.with(c.session.shared());
    try (Engine own = open(c.session.model(), c.text("engine"))) {
      return work.with(own);
    }
  }

  static RequestOptions.Builder options(Case c) {
    RequestOptions.Builder builder = RequestOptions.builder();
    return c.optional("options") == null ? builder : builder.json(c.text("options"));
  }

  static Input input(Case c) {
    Input input = new Input();
    if (c.optional("prompt") != null) input.text(c.text("prompt"));
    if (c.optional("chat") != null) input.chat(c.text("chat"));
    if (c.optional("tokens") != null) input.tokens(c.numbers("tokens"));
    return input;
  }

  static Request submit(Case c, Engine engine) {
    try (Input input = input(c); RequestOptions options = options(c).build()) {
      return engine.submit(input, options);
    }
  }

  static Request submit(Case c, Engine engine, EventQueue queue, long tag) {
    try (Input input = input(c); RequestOptions options = options(c).build()) {
      return engine.submit(input, options, queue, tag);
    }
  }

  /** Submits and pulls to the end; throws the request's failure. */
  static void pull(Case c, Consumer<Event> visit) throws Exception {
    withEngine(c, engine -> {
      try (Request request = submit(c, engine)) {
        request.forEach(visit);
      }
      return "";
    });
  }

  static String describe(Tensor tensor) {
    long hash = 0xCBF29CE484222325L;
    for (ByteBuffer bytes = tensor.data(); bytes.hasRemaining();) hash = (hash ^ (bytes.get() & 0xFF)) * 0x100000001B3L;
    StringJoiner shape = new StringJoiner(", ", "[", "]");
    for (long size : tensor.shape()) shape.add(Long.toString(size));
    return tensor.dtype().name().toLowerCase(Locale.ROOT) + " " + shape + " " + String.format("%016x", hash);
  }
}
