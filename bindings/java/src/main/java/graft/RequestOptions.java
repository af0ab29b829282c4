package graft;

import java.time.Duration;
import java.util.Map;

/**
 * What a request wants, and how tokens are chosen. Everything has a default: sample from the model's distribution until it
 * ends its answer or the context is full. Never changes once built: any number of requests may be submitted with it, on any
 * threads. A setting that this release, the model or the device does not offer makes {@link Engine#submit} throw
 * UNSUPPORTED with a text that names it.
 */
public final class RequestOptions implements AutoCloseable {
  /** Kept: the options are released when it is collected. */
  private final Builder made;

  private RequestOptions(Builder made) {
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
    private final Handle handle;
    private boolean built;

    private Builder() {
      handle = new Handle(this, "options object", Raw.graft_request_options_new(), Raw::graft_request_options_free);
    }

    private synchronized Builder set(Handle.NumberCall call) {
      if (built) throw new IllegalStateException("these options were built already");
      handle.number(call);
      return this;
    }

    /**
     * What the request yields.
     *
     * @param kind {@link RequestKind#GENERATE} by default
     * @return this
     */
    public Builder kind(RequestKind kind) {
      int code = kind.code;
      return set(p -> Raw.graft_request_options_set_kind(p, code));
    }

    /**
     * Most tokens to generate.
     *
     * @param tokens 0 or more; -1 (default) = as many as the context holds
     * @return this
     */
    public Builder maxTokens(long tokens) {
      return set(p -> Raw.graft_request_options_set_max_tokens(p, tokens));
    }

    /**
     * Fewest tokens to generate before the model may end its answer.
     *
     * @param tokens 0 (default) or more
     * @return this
     */
    public Builder minTokens(long tokens) {
      return set(p -> Raw.graft_request_options_set_min_tokens(p, tokens));
    }

    /**
     * How an embedding is made of the hidden rows.
     *
     * @param pooling {@link Pooling#MODEL} by default
     * @return this
     */
    public Builder pooling(Pooling pooling) {
      int code = pooling.code;
      return set(p -> Raw.graft_request_options_set_pooling(p, code));
    }

    /**
     * Takes the most likely token each time; penalties, bias and bans still hold.
     *
     * @param enabled false by default
     * @return this
     */
    public Builder greedy(boolean enabled) {
      return set(p -> Raw.graft_request_options_set_greedy(p, enabled ? 1 : 0));
    }

    /**
     * Divides the logits.
     *
     * @param temperature 0 (the same as greedy) or more; 1 by default
     * @return this
     */
    public Builder temperature(double temperature) {
      return set(p -> Raw.graft_request_options_set_temperature(p, temperature));
    }

    /**
     * Keeps the most likely tokens.
     *
     * @param count how many: 1 or more; 0 (default) = all
     * @return this
     */
    public Builder topK(long count) {
      return set(p -> Raw.graft_request_options_set_top_k(p, count));
    }

    /**
     * Keeps the most likely tokens that together reach a probability.
     *
     * @param probability above 0, at most 1 (default = all)
     * @return this
     */
    public Builder topP(double probability) {
      return set(p -> Raw.graft_request_options_set_top_p(p, probability));
    }

    /**
     * Keeps tokens at least this likely relative to the most likely one.
     *
     * @param probability 0 (default = all) to 1
     * @return this
     */
    public Builder minP(double probability) {
      return set(p -> Raw.graft_request_options_set_min_p(p, probability));
    }

    /**
     * Keeps the tokens of most typical surprise that reach a probability together.
     *
     * @param probability above 0, at most 1 (default = all)
     * @return this
     */
    public Builder typicalP(double probability) {
      return set(p -> Raw.graft_request_options_set_typical_p(p, probability));
    }

    /**
     * Seed of the random choices.
     *
     * @param seed 0 or more repeats them; -1 (default) = drawn anew
     * @return this
     */
    public Builder seed(long seed) {
      return set(p -> Raw.graft_request_options_set_seed(p, seed));
    }

    /**
     * Divides positive and multiplies negative logits of tokens of prompt and answer.
     *
     * @param penalty above 0; 1 (default) = off
     * @return this
     */
    public Builder repetitionPenalty(double penalty) {
      return set(p -> Raw.graft_request_options_set_repetition_penalty(p, penalty));
    }

    /**
     * Subtracted from a logit once for each time its token was generated.
     *
     * @param penalty 0 (default) = off
     * @return this
     */
    public Builder frequencyPenalty(double penalty) {
      return set(p -> Raw.graft_request_options_set_frequency_penalty(p, penalty));
    }

    /**
     * Subtracted from the logit of a token that was generated at all.
     *
     * @param penalty 0 (default) = off
     * @return this
     */
    public Builder presencePenalty(double penalty) {
      return set(p -> Raw.graft_request_options_set_presence_penalty(p, penalty));
    }

    /**
     * How many last tokens the penalties look at.
     *
     * @param tokens 1 or more; 0 (default) = all
     * @return this
     */
    public Builder penaltyWindow(long tokens) {
      return set(p -> Raw.graft_request_options_set_penalty_window(p, tokens));
    }

    /**
     * No run of this many tokens occurs twice.
     *
     * @param length 1 or more; 0 (default) = off
     * @return this
     */
    public Builder noRepeatNgram(long length) {
      return set(p -> Raw.graft_request_options_set_no_repeat_ngram(p, length));
    }

    /**
     * Added to the logits of single tokens.
     *
     * @param bias token ids, each at least 0, and values, not NaN; empty (default) = none
     * @return this
     */
    public Builder logitBias(Map<Long, Double> bias) {
      long[] packed = new long[2 * bias.size()];
      int i = 0;
      for (Map.Entry<Long, Double> entry : bias.entrySet()) {
        if (2 * i >= packed.length) break; // it grew meanwhile
        packed[i] = entry.getKey();
        packed[packed.length / 2 + i++] = Double.doubleToRawLongBits(entry.getValue());
      }
      return set(p -> Raw.graft_request_options_set_logit_bias(p, packed));
    }

    /**
     * Only these tokens may be chosen.
     *
     * @param tokens ids; none (default) = all may
     * @return this
     */
    public Builder allowedTokens(long... tokens) {
      long[] numbers = tokens.clone();
      return set(p -> Raw.graft_request_options_set_allowed_tokens(p, numbers));
    }

    /**
     * These tokens are never chosen.
     *
     * @param tokens ids
     * @return this
     */
    public Builder bannedTokens(long... tokens) {
      long[] numbers = tokens.clone();
      return set(p -> Raw.graft_request_options_set_banned_tokens(p, numbers));
    }

    /**
     * Ends the answer before this text, wherever it falls between tokens. May be called several times.
     *
     * @param text not empty
     * @return this
     */
    public Builder stop(String text) {
      byte[] bytes = Utf8.of(text);
      return set(p -> Raw.graft_request_options_add_stop(p, bytes));
    }

    /**
     * Ends the answer at any of these tokens, besides the model's own.
     *
     * @param tokens ids
     * @return this
     */
    public Builder stopTokens(long... tokens) {
      long[] numbers = tokens.clone();
      return set(p -> Raw.graft_request_options_set_stop_tokens(p, numbers));
    }

    /**
     * Goes on when the model ends its answer.
     *
     * @param enabled false by default
     * @return this
     */
    public Builder ignoreEos(boolean enabled) {
      return set(p -> Raw.graft_request_options_set_ignore_eos(p, enabled ? 1 : 0));
    }

    /**
     * Time from submit after which the request fails with DEADLINE_EXCEEDED.
     *
     * @param deadline zero (default) = none
     * @return this
     */
    public Builder deadline(Duration deadline) {
      long wait = Utf8.milliseconds(java.util.Objects.requireNonNull(deadline));
      return set(p -> Raw.graft_request_options_set_deadline_ms(p, wait));
    }

    /**
     * Beam search; answers come when the search has ended, the best first.
     *
     * @param beams 1 (default = none) or more
     * @return this
     */
    public Builder numBeams(long beams) {
      return set(p -> Raw.graft_request_options_set_num_beams(p, beams));
    }

    /**
     * Answers to give; {@link Event#sequence()} tells them apart.
     *
     * @param sequences 1 (default) or more
     * @return this
     */
    public Builder numSequences(long sequences) {
      return set(p -> Raw.graft_request_options_set_num_sequences(p, sequences));
    }

    /**
     * Beam search: exponent of the length by which a score is divided.
     *
     * @param penalty 1 by default
     * @return this
     */
    public Builder lengthPenalty(double penalty) {
      return set(p -> Raw.graft_request_options_set_length_penalty(p, penalty));
    }

    /**
     * How many of the most likely tokens each event reports.
     *
     * @param count 0 (default) or more
     * @return this
     */
    public Builder topLogprobs(long count) {
      return set(p -> Raw.graft_request_options_set_top_logprobs(p, count));
    }

    /**
     * Requests of higher priority are started first.
     *
     * @param priority any number, 0 by default
     * @return this
     */
    public Builder priority(long priority) {
      return set(p -> Raw.graft_request_options_set_priority(p, priority));
    }

    /**
     * Only requests with the same salt share cached prefixes.
     *
     * @param salt empty (default) = the common one
     * @return this
     */
    public Builder cacheSalt(String salt) {
      byte[] bytes = Utf8.of(salt);
      return set(p -> Raw.graft_request_options_set_cache_salt(p, bytes));
    }

    /**
     * Sets many options from a JSON object whose keys are the names of the C ABI's setters ("max_tokens"). When one is
     * refused nothing is set.
     *
     * @param json the object
     * @return this
     */
    public Builder json(String json) {
      byte[] bytes = Utf8.of(json);
      return set(p -> Raw.graft_request_options_set_json(p, bytes));
    }

    /**
     * Ends the building.
     *
     * @return the options
     */
    public synchronized RequestOptions build() {
      if (built) throw new IllegalStateException("these options were built already");
      built = true;
      return new RequestOptions(this);
    }
  }
}
