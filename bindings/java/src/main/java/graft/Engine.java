package graft;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * One model, loaded, split over its devices, answering requests. Any thread may use it, and any number of engines may live
 * in one process.
 */
public final class Engine implements AutoCloseable {
  private final Handle handle;

  private Engine(long pointer) {
    handle = new Handle(this, "engine", pointer, Raw::graft_engine_free);
  }

  /**
   * Opens a model with every default. Blocks until it can answer.
   *
   * @param path a model directory: config.json, *.safetensors, tokenizer.json
   * @return the engine
   * @throws GraftException as {@link #open(Path, EngineOptions)}
   */
  public static Engine open(Path path) {
    return open(path.toString());
  }

  /**
   * Opens a model with every default, by the name of its directory: any name at all, also one that the character set of the
   * process's locale does not have, which {@link Path} refuses.
   *
   * @param path as {@link #open(Path)}
   * @return the engine
   * @throws GraftException as {@link #open(Path, EngineOptions)}
   */
  public static Engine open(String path) {
    return new Engine(Raw.graft_engine_open(Utf8.of(path), 0));
  }

  /**
   * Opens a model: reads its configuration, loads the weights, replaces layers, splits. Blocks until it can answer.
   *
   * @param path a model directory: config.json, *.safetensors, tokenizer.json
   * @param options how to open it
   * @return the engine
   * @throws GraftException NOT_FOUND (the path, or LibTorch), UNSUPPORTED (architecture, dtype, device), CORRUPT_DATA,
   *     IO_ERROR, OUT_OF_MEMORY, LIMIT_EXCEEDED (the memory limit), CANCELLED (by a progress listener), COMM_ERROR (a rank did
   *     not come), VERSION_MISMATCH (a foreign LibTorch)
   */
  public static Engine open(Path path, EngineOptions options) {
    return open(path.toString(), options);
  }

  /**
   * Opens a model by the name of its directory; see {@link #open(String)}.
   *
   * @param path as {@link #open(Path, EngineOptions)}
   * @param options how to open it
   * @return the engine
   * @throws GraftException as {@link #open(Path, EngineOptions)}
   */
  public static Engine open(String path, EngineOptions options) {
    byte[] bytes = Utf8.of(path);
    Callbacks.taken(); // what an inspect before left
    Engine engine = null;
    GraftException failure = null;
    try {
      engine = new Engine(options.handle().number(p -> Raw.graft_engine_open(bytes, p)));
    } catch (GraftException thrown) {
      failure = thrown;
    }
    Throwable ofListener = Callbacks.taken();
    if (ofListener == null && failure == null) return engine;
    if (engine != null) engine.close();
    if (ofListener instanceof Error error) throw error;
    if (ofListener instanceof RuntimeException exception) throw exception;
    if (ofListener != null) throw new IllegalStateException("the progress listener threw", ofListener);
    throw failure;
  }

  /**
   * Says what {@link #open} would do with a model. Loads no weights.
   *
   * @param path a model directory
   * @param options how it would be opened
   * @return a JSON object: policy matched, module tree, what would be replaced, the split over ranks, memory estimate
   * @throws GraftException NOT_FOUND, UNSUPPORTED, CORRUPT_DATA, IO_ERROR, VERSION_MISMATCH
   */
  public static String inspect(Path path, EngineOptions options) {
    return inspect(path.toString(), options);
  }

  /**
   * The same, by the name of the directory; see {@link #open(String)}.
   *
   * @param path as {@link #inspect(Path, EngineOptions)}
   * @param options how it would be opened
   * @return as {@link #inspect(Path, EngineOptions)}
   * @throws GraftException as {@link #inspect(Path, EngineOptions)}
   */
  public static String inspect(String path, EngineOptions options) {
    byte[] bytes = Utf8.of(path);
    return options.handle().call(p -> Utf8.text(out -> Raw.graft_engine_inspect(bytes, p, out)));
  }

  /**
   * Says what {@link #open(Path)} would do with a model. Loads no weights.
   *
   * @param path a model directory
   * @return as {@link #inspect(Path, EngineOptions)}
   * @throws GraftException as {@link #inspect(Path, EngineOptions)}
   */
  public static String inspect(Path path) {
    byte[] bytes = Utf8.of(path);
    return Utf8.text(out -> Raw.graft_engine_inspect(bytes, 0, out));
  }

  /**
   * Asks with every default.
   *
   * @param text what the model goes on from
   * @return the request, on its way
   * @throws GraftException as {@link #submit(Input, RequestOptions)}
   */
  public Request submit(String text) {
    return submit(text, null);
  }

  /**
   * Asks.
   *
   * @param text what the model goes on from
   * @param options what is wanted; null = all defaults
   * @return the request, on its way
   * @throws GraftException as {@link #submit(Input, RequestOptions)}
   */
  public Request submit(String text, RequestOptions options) {
    try (Input input = new Input().text(text)) {
      return submit(input, options);
    }
  }

  /**
   * Asks in a conversation, with the model's chat template.
   *
   * @param messages the messages, the oldest first
   * @param options what is wanted; null = all defaults
   * @return the request, on its way
   * @throws GraftException as {@link #submit(Input, RequestOptions)} and {@link Tokenizer#applyChatTemplate}
   */
  public Request submit(List<Message> messages, RequestOptions options) {
    try (Input input = new Input().chat(messages)) {
      return submit(input, options);
    }
  }

  /**
   * Hands an input to the engine and returns at once; the work begins when the engine has room.
   *
   * @param input the input; copied
   * @param options what is wanted; null = all defaults
   * @return the request, on its way
   * @throws GraftException INVALID_ARGUMENT (input or options do not fit the model), LIMIT_EXCEEDED (longer than the
   *     context), BUSY (too many requests wait), UNSUPPORTED, INVALID_STATE (this rank does not take requests), CLOSED (the
   *     engine was shut down)
   */
  public Request submit(Input input, RequestOptions options) {
    return new Request(submitTo(input, options, 0, 0));
  }

  /**
   * The same, with the events going to a queue.
   *
   * @param input the input; copied
   * @param options what is wanted; null = all defaults
   * @param queue where the events go
   * @param tag any number; comes back on every event
   * @return the request, on its way; closing it cancels it
   * @throws GraftException as {@link #submit(Input, RequestOptions)}
   */
  public Request submit(Input input, RequestOptions options, EventQueue queue, long tag) {
    return new Request(queue.handle.number(q -> submitTo(input, options, q, tag)));
  }

  private long submitTo(Input input, RequestOptions options, long queue, long tag) {
    return handle.number(e -> input.number(i -> options == null ? Raw.graft_request_submit(e, i, 0, queue, tag)
        : options.handle().number(o -> Raw.graft_request_submit(e, i, o, queue, tag))));
  }

  /**
   * Asks and waits for the whole answer.
   *
   * @param text what the model goes on from
   * @param options what is wanted; null = all defaults
   * @return the answer
   * @throws GraftException as {@link #submit(Input, RequestOptions)} and {@link Request#complete}
   */
  public Completion complete(String text, RequestOptions options) {
    try (Request request = submit(text, options)) {
      return request.complete();
    }
  }

  /**
   * Asks in a conversation and waits for the whole answer.
   *
   * @param messages the messages, the oldest first
   * @param options what is wanted; null = all defaults
   * @return the answer
   * @throws GraftException as {@link #submit(List, RequestOptions)} and {@link Request#complete}
   */
  public Completion complete(List<Message> messages, RequestOptions options) {
    try (Request request = submit(messages, options)) {
      return request.complete();
    }
  }

  /**
   * The embedding of a text, with the pooling of the model.
   *
   * @param text the text
   * @return float32 [hidden]
   * @throws GraftException UNSUPPORTED (the model makes none), LIMIT_EXCEEDED (a text longer than the model takes)
   */
  public Tensor embed(String text) {
    try (RequestOptions options = RequestOptions.builder().kind(RequestKind.EMBED).build();
        Request request = submit(text, options)) {
      request.await(null);
      return request.tensor("embedding");
    }
  }

  /**
   * The model's tokenizer. It does not need the engine to stay open.
   *
   * @return a new object for the same tokenizer
   * @throws GraftException NOT_FOUND (the model has none)
   */
  public Tokenizer tokenizer() {
    return new Tokenizer(handle.number(Raw::graft_engine_tokenizer));
  }

  /**
   * What the engine is.
   *
   * @return a JSON object: policy matched, dtype, devices, what was replaced, the split, context limit, memory
   */
  public String info() {
    return handle.call(p -> Utf8.text(out -> Raw.graft_engine_info(p, out)));
  }

  /**
   * What the engine has done since it was opened.
   *
   * @return a JSON object: requests, tokens, times, cache use
   */
  public String stats() {
    return handle.call(p -> Utf8.text(out -> Raw.graft_engine_stats(p, out)));
  }

  /**
   * Begins or ends measuring, from the next forward pass on.
   *
   * @param enabled whether to measure
   */
  public void profile(boolean enabled) {
    handle.number(p -> Raw.graft_engine_profile(p, enabled ? 1 : 0));
  }

  /**
   * Takes what was measured since the last take.
   *
   * @return the profile
   * @throws GraftException INVALID_STATE (nothing was measured; this process follows rank 0)
   */
  public Profile takeProfile() {
    return new Profile(handle.number(Raw::graft_profile_take));
  }

  /**
   * Writes the model as the engine holds it. Not in this release.
   *
   * @param directory created if absent, must be empty
   * @throws GraftException UNSUPPORTED
   */
  public void save(Path directory) {
    byte[] bytes = Utf8.of(directory);
    handle.number(p -> Raw.graft_engine_save(p, bytes));
  }

  /**
   * Ends the engine in an orderly way: refuses new requests, cancels those in flight, and waits until its threads and memory
   * are released. The object must still be closed. Not from a log listener.
   *
   * @param timeout how long to wait; null = for ever
   * @return false when it is still ending; call again
   */
  public boolean shutdown(Duration timeout) {
    long wait = Utf8.milliseconds(timeout);
    return handle.number(p -> Raw.graft_engine_close(p, wait)) == RawConstants.GRAFT_STATUS_OK;
  }

  /**
   * Waits until the engine has ended: was shut down, or failed; on a rank other than 0, until rank 0 ends or a rank fails.
   *
   * @param timeout how long to wait; null = for ever
   * @return false when it still works
   * @throws GraftException COMM_ERROR or DEVICE_ERROR (why it ended)
   */
  public boolean await(Duration timeout) {
    long wait = Utf8.milliseconds(timeout);
    return handle.number(p -> Raw.graft_engine_wait(p, wait)) == RawConstants.GRAFT_STATUS_OK;
  }

  /**
   * Releases the engine. Never blocks: requests in flight go on to their end ({@link #shutdown} ends them at once). What was
   * made by it stays valid.
   */
  @Override
  public void close() {
    handle.close();
  }
}
