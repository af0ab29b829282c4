package graft;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.function.LongConsumer;

/**
 * How to open a model. Everything has a default. Never changes once built: any number of engines may be opened with it, on
 * any threads. A setting that this release, the model or the machine does not offer makes {@link Engine#open} throw
 * UNSUPPORTED with a text that names it.
 */
public final class EngineOptions implements AutoCloseable {
  /** Kept: the options are released when it is collected. */
  private final Builder made;

  private EngineOptions(Builder made) {
    this.made = made;
  }

  Handle handle() {
    return made.handle;
  }

  /**
   * Begins with every default.
   *
   * @return a builder
   * @throws GraftException OUT_OF_MEMORY
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Releases the options; what was made with them is not touched. Optional: they are collected like any other object. */
  @Override
  public void close() {
    made.handle.close();
  }

  /**
   * Sets options one by one. A value that is refused throws {@link GraftException} at once, INVALID_ARGUMENT with a text
   * that names it, and the old value stands. After {@link #build} a builder throws {@link IllegalStateException}. One
   * thread at a time.
   */
  public static final class Builder {
    private final long[] listener = {0};
    private final Handle handle;
    private boolean built;

    private Builder() {
      handle = new Handle(this, "options object", Raw.graft_engine_options_new(), free(listener));
    }

    private synchronized Builder set(Handle.NumberCall call) {
      if (built) throw new IllegalStateException("these options were built already");
      handle.number(call);
      return this;
    }

    /**
     * Where the model runs.
     *
     * @param device "auto" (default: a CUDA device if one is usable, else the CPU), "cpu", "cuda" or "cuda:N"
     * @return this
     */
    public Builder device(String device) {
      byte[] bytes = Utf8.of(device);
      return set(p -> Raw.graft_engine_options_set_device(p, bytes));
    }

    /**
     * Type of weights and arithmetic.
     *
     * @param dtype "auto" (default: as stored), "float32", "bfloat16", "float16", "int8" or "int4"
     * @return this
     */
    public Builder dtype(String dtype) {
      byte[] bytes = Utf8.of(dtype);
      return set(p -> Raw.graft_engine_options_set_dtype(p, bytes));
    }

    /**
     * Quantises the weights while loading, in groups along the input dimension.
     *
     * @param bits 0 (default: none), 4 or 8
     * @param groupSize values that share one scale; 0 = the default of the format
     * @return this
     */
    public Builder quantization(int bits, long groupSize) {
      return set(p -> Raw.graft_engine_options_set_quantization(p, bits, groupSize));
    }

    /**
     * Over how many ranks each layer is split.
     *
     * @param ranks 1 (default) or more
     * @return this
     */
    public Builder tensorParallel(long ranks) {
      return set(p -> Raw.graft_engine_options_set_tensor_parallel(p, ranks));
    }

    /**
     * Over how many ranks the experts are shared out.
     *
     * @param ranks 1 (default) or more; must divide those of {@link #tensorParallel}
     * @return this
     */
    public Builder expertParallel(long ranks) {
      return set(p -> Raw.graft_engine_options_set_expert_parallel(p, ranks));
    }

    /**
     * Makes this process one rank of several, instead of all ranks living here.
     *
     * @param rank this process: 0 to world - 1; -1 (default) = all ranks in this process, and world is then 0
     * @param world number of processes
     * @param address host that rank 0 listens on; may be empty only with world 0 or 1
     * @param port 0 to 65535; 0 only with world 0 or 1
     * @param timeout after which a silent rank is an error on all others; null = a minute
     * @return this
     */
    public Builder rank(long rank, long world, String address, long port, Duration timeout) {
      byte[] bytes = Utf8.of(address);
      long wait = timeout == null ? 0 : Utf8.milliseconds(timeout);
      return set(p -> Raw.graft_engine_options_set_rank(p, rank, world, bytes, port, wait));
    }

    /**
     * How much of the model is replaced.
     *
     * @param injection "kernel" (default: fused layers), "auto" (only split over ranks) or "none" (the plain model, op by op)
     * @return this
     */
    public Builder injection(String injection) {
      byte[] bytes = Utf8.of(injection);
      return set(p -> Raw.graft_engine_options_set_injection(p, bytes));
    }

    /**
     * Whether the step is recorded once and replayed.
     *
     * @param enabled true by default
     * @return this
     */
    public Builder graph(boolean enabled) {
      return set(p -> Raw.graft_engine_options_set_graph(p, enabled ? 1 : 0));
    }

    /**
     * Kernel threads of the engine, all ranks of this process together.
     *
     * @param threads 0 (default) = one per core
     * @return this
     */
    public Builder threads(long threads) {
      return set(p -> Raw.graft_engine_options_set_threads(p, threads));
    }

    /**
     * Longest sequence, prompt and answer together.
     *
     * @param tokens 0 (default) = the model's own limit
     * @return this
     */
    public Builder contextLimit(long tokens) {
      return set(p -> Raw.graft_engine_options_set_context_limit(p, tokens));
    }

    /**
     * Sequences worked on at the same time.
     *
     * @param sequences 0 (default) = the engine chooses
     * @return this
     */
    public Builder maxSequences(long sequences) {
      return set(p -> Raw.graft_engine_options_set_max_sequences(p, sequences));
    }

    /**
     * Requests that may wait; one more makes {@link Engine#submit} throw BUSY.
     *
     * @param requests 0 (default) = the engine chooses
     * @return this
     */
    public Builder maxQueue(long requests) {
      return set(p -> Raw.graft_engine_options_set_max_queue(p, requests));
    }

    /**
     * How far a GPU may run ahead of the host. Then the host spends less on each token, but hears of tokens, and the GPU
     * of a new request, up to so much later.
     *
     * @param time of its work: up to a minute, 10 ms by default; zero = the host hears of each token at once
     * @return this
     */
    public Builder runAhead(Duration time) {
      long milliseconds = Utf8.milliseconds(java.util.Objects.requireNonNull(time));
      return set(p -> Raw.graft_engine_options_set_run_ahead_ms(p, milliseconds));
    }

    /**
     * Memory on each device that the engine may use, weights included.
     *
     * @param bytes 0 (default) = no limit of its own
     * @return this
     */
    public Builder memoryLimit(long bytes) {
      return set(p -> Raw.graft_engine_options_set_memory_limit(p, bytes));
    }

    /**
     * Mapped or copied weights.
     *
     * @param weights {@link Weights#MAP} by default
     * @return this
     */
    public Builder weights(Weights weights) {
      int code = weights.code;
      return set(p -> Raw.graft_engine_options_set_weights(p, code));
    }

    /**
     * Where to look for LibTorch before all other places. Only the first engine or tokenizer of a process loads it.
     *
     * @param directory that of libtorch_cpu.so, or the package directory above it
     * @return this
     */
    public Builder libraryDirectory(Path directory) {
      byte[] bytes = Utf8.of(directory);
      return set(p -> Raw.graft_engine_options_set_library_directory(p, bytes));
    }

    /**
     * Adds a policy; the options keep their own copy. Policies are asked in the order given.
     *
     * @param policy the policy; it may be closed afterwards
     * @return this
     */
    public Builder policy(Policy policy) {
      return set(p -> policy.handle.number(q -> Raw.graft_engine_options_add_policy(p, q)));
    }

    /**
     * Sets many options from a JSON object whose keys are the names of the C ABI's setters ("tensor_parallel"), or those of a
     * DeepSpeed-Inference configuration. When one is refused nothing is set.
     *
     * @param json the object
     * @return this
     */
    public Builder json(String json) {
      byte[] bytes = Utf8.of(json);
      return set(p -> Raw.graft_engine_options_set_json(p, bytes));
    }

    /**
     * Tells a listener of the load's progress.
     *
     * @param listener called on the thread inside {@link Engine#open}
     * @return this
     */
    public Builder progress(ProgressListener listener) {
      Objects.requireNonNull(listener);
      return set(p -> {
        long before = this.listener[0];
        this.listener[0] = Callbacks.setProgress(p, listener);
        if (before != 0) Callbacks.releaseProgress(before);
        return 0;
      });
    }

    private static LongConsumer free(long[] listener) {
      return pointer -> {
        Raw.graft_engine_options_free(pointer);
        if (listener[0] != 0) Callbacks.releaseProgress(listener[0]);
      };
    }

    /**
     * Ends the building.
     *
     * @return the options
     */
    public synchronized EngineOptions build() {
      if (built) throw new IllegalStateException("these options were built already");
      built = true;
      return new EngineOptions(this);
    }
  }
}
