using System;
using System.Collections.Generic;
using Graft.Raw;

namespace Graft {

/// <summary>
/// What a request wants, and how tokens are chosen. A property that is null has the library's default: sample from the
/// model's distribution until it ends its answer or the context is full.
/// <code>new RequestOptions { MaxTokens = 64, Temperature = 0.7, Stop = { "\n\n" } }</code>
/// The library checks the values when a request is submitted, or at <see cref="Validate"/>; a wrong one is a
/// GraftException with <see cref="Status.InvalidArgument"/> that names it. Options may be used for any number of requests
/// and changed in between; they hold nothing native. One thread at a time may change them.
/// </summary>
public sealed class RequestOptions {
  /// <summary>What the request yields; a kind that the model cannot give is Unsupported at submit.</summary>
  public RequestKind? Kind { get; set; }
  /// <summary>Most tokens to generate: 0 or more; -1 (default) = as many as the context holds.</summary>
  public long? MaxTokens { get; set; }
  /// <summary>Fewest tokens before the model may end its answer: 0 (default) or more.</summary>
  public long? MinTokens { get; set; }
  /// <summary>How an embedding is made of the hidden rows.</summary>
  public Pooling? Pooling { get; set; }
  /// <summary>Takes the most likely token each time instead of sampling; penalties, bias and bans still hold.</summary>
  public bool? Greedy { get; set; }
  /// <summary>Divides the logits: 0 (the same as greedy) or more; 1 by default.</summary>
  public double? Temperature { get; set; }
  /// <summary>Keeps the k most likely tokens: 1 or more; 0 (default) = all.</summary>
  public long? TopK { get; set; }
  /// <summary>Keeps the most likely tokens that together reach this probability: above 0, at most 1 (default).</summary>
  public double? TopP { get; set; }
  /// <summary>Keeps tokens at least this likely relative to the most likely one: 0 (default) to 1.</summary>
  public double? MinP { get; set; }
  /// <summary>Keeps the tokens of most typical surprise that reach this probability: above 0, at most 1 (default).</summary>
  public double? TypicalP { get; set; }
  /// <summary>Seed of the random choices: 0 or more repeats them; -1 (default) = drawn anew.</summary>
  public long? Seed { get; set; }
  /// <summary>Divides positive and multiplies negative logits of tokens seen: above 0; 1 (default) = off.</summary>
  public double? RepetitionPenalty { get; set; }
  /// <summary>Subtracted from a logit once for each time its token was generated; 0 (default) = off.</summary>
  public double? FrequencyPenalty { get; set; }
  /// <summary>Subtracted from the logit of a token that was generated at all; 0 (default) = off.</summary>
  public double? PresencePenalty { get; set; }
  /// <summary>How many last tokens the penalties look at: 1 or more; 0 (default) = all.</summary>
  public long? PenaltyWindow { get; set; }
  /// <summary>No run of this many tokens occurs twice: 1 or more; 0 (default) = off.</summary>
  public long? NoRepeatNgram { get; set; }
  /// <summary>Added to the logits of single tokens, by id.</summary>
  public IDictionary<long, double> LogitBias { get; set; }
  /// <summary>Only these tokens may be chosen; none = all may.</summary>
  public long[] AllowedTokens { get; set; }
  /// <summary>These tokens are never chosen.</summary>
  public long[] BannedTokens { get; set; }
  /// <summary>Ends the answer before any of these texts, wherever it falls between tokens; besides those of <see cref="Json"/>.</summary>
  public IList<string> Stop { get; } = new List<string>();
  /// <summary>Ends the answer at any of these tokens, besides the model's own.</summary>
  public long[] StopTokens { get; set; }
  /// <summary>Goes on when the model ends its answer.</summary>
  public bool? IgnoreEos { get; set; }
  /// <summary>Time from submit after which the request fails with DeadlineExceeded, in whole milliseconds; zero (default) = none.</summary>
  public TimeSpan? Deadline { get; set; }
  /// <summary>Beam search over this many beams: 1 (default = none) or more.</summary>
  public long? NumBeams { get; set; }
  /// <summary>Answers to give: 1 (default) or more; <see cref="Event.Sequence"/> tells them apart.</summary>
  public long? NumSequences { get; set; }
  /// <summary>Beam search: exponent of the length by which a score is divided; 1 by default.</summary>
  public double? LengthPenalty { get; set; }
  /// <summary>How many of the most likely tokens each event reports: 0 (default) or more.</summary>
  public long? TopLogprobs { get; set; }
  /// <summary>Requests of higher priority are started first; 0 by default.</summary>
  public long? Priority { get; set; }
  /// <summary>Only requests with the same salt share cached prefixes; empty (default) = the common one.</summary>
  public string CacheSalt { get; set; }
  /// <summary>
  /// Many options as a JSON object whose keys are the library's names ({"max_tokens": 64, "stop": ["\n\n"]}); set first, so
  /// that properties have the last word.
  /// </summary>
  public string Json { get; set; }

  /// <summary>Has the library check every value.</summary>
  /// <exception cref="GraftException">InvalidArgument, naming the option.</exception>
  public void Validate() => Make(null).Dispose();

  /// <summary>The native options, to be disposed by the caller.</summary>
  internal Handle Make(RequestKind? kind) {
    var made = new Handle(Handle.Kind.RequestOptions);
    try {
      graft_raw.graft_request_options_new(made);
      if (Json != null) graft_raw.graft_request_options_set_json(made, Json);
      SetChoice(made);
      SetRest(made);
      var wanted = kind ?? Kind;
      if (wanted.HasValue) graft_raw.graft_request_options_set_kind(made, (int)wanted.Value);
      return made;
    } catch {
      made.Dispose();
      throw;
    }
  }

  private void SetChoice(Handle made) {
    if (Greedy.HasValue) graft_raw.graft_request_options_set_greedy(made, Greedy.Value ? 1 : 0);
    if (Temperature.HasValue) graft_raw.graft_request_options_set_temperature(made, Temperature.Value);
    if (TopK.HasValue) graft_raw.graft_request_options_set_top_k(made, TopK.Value);
    if (TopP.HasValue) graft_raw.graft_request_options_set_top_p(made, TopP.Value);
    if (MinP.HasValue) graft_raw.graft_request_options_set_min_p(made, MinP.Value);
    if (TypicalP.HasValue) graft_raw.graft_request_options_set_typical_p(made, TypicalP.Value);
    if (Seed.HasValue) graft_raw.graft_request_options_set_seed(made, Seed.Value);
    if (RepetitionPenalty.HasValue) graft_raw.graft_request_options_set_repetition_penalty(made, RepetitionPenalty.Value);
    if (FrequencyPenalty.HasValue) graft_raw.graft_request_options_set_frequency_penalty(made, FrequencyPenalty.Value);
    if (PresencePenalty.HasValue) graft_raw.graft_request_options_set_presence_penalty(made, PresencePenalty.Value);
    if (PenaltyWindow.HasValue) graft_raw.graft_request_options_set_penalty_window(made, PenaltyWindow.Value);
    if (NoRepeatNgram.HasValue) graft_raw.graft_request_options_set_no_repeat_ngram(made, NoRepeatNgram.Value);
    if (LogitBias != null) SetLogitBias(made);
    if (AllowedTokens != null) graft_raw.graft_request_options_set_allowed_tokens(made, AllowedTokens);
    if (BannedTokens != null) graft_raw.graft_request_options_set_banned_tokens(made, BannedTokens);
  }

  private void SetRest(Handle made) {
    if (MaxTokens.HasValue) graft_raw.graft_request_options_set_max_tokens(made, MaxTokens.Value);
    if (MinTokens.HasValue) graft_raw.graft_request_options_set_min_tokens(made, MinTokens.Value);
    if (Pooling.HasValue) graft_raw.graft_request_options_set_pooling(made, (int)Pooling.Value);
    foreach (string text in Stop) graft_raw.graft_request_options_add_stop(made, text);
    if (StopTokens != null) graft_raw.graft_request_options_set_stop_tokens(made, StopTokens);
    if (IgnoreEos.HasValue) graft_raw.graft_request_options_set_ignore_eos(made, IgnoreEos.Value ? 1 : 0);
    if (Deadline.HasValue) graft_raw.graft_request_options_set_deadline_ms(made, (long)Math.Ceiling(Deadline.Value.TotalMilliseconds));
    if (NumBeams.HasValue) graft_raw.graft_request_options_set_num_beams(made, NumBeams.Value);
    if (NumSequences.HasValue) graft_raw.graft_request_options_set_num_sequences(made, NumSequences.Value);
    if (LengthPenalty.HasValue) graft_raw.graft_request_options_set_length_penalty(made, LengthPenalty.Value);
    if (TopLogprobs.HasValue) graft_raw.graft_request_options_set_top_logprobs(made, TopLogprobs.Value);
    if (Priority.HasValue) graft_raw.graft_request_options_set_priority(made, Priority.Value);
    if (CacheSalt != null) graft_raw.graft_request_options_set_cache_salt(made, CacheSalt);
  }

  private unsafe void SetLogitBias(Handle made) {
    var bias = new List<KeyValuePair<long, double>>(LogitBias);
    var tokens = new long[bias.Count + 1];  // one more, so that pinning gives a pointer
    var values = new double[bias.Count + 1];
    for (int i = 0; i < bias.Count; ++i) {
      tokens[i] = bias[i].Key;
      values[i] = bias[i].Value;
    }
    fixed (long* ids = tokens) {
      fixed (double* added = values) {
        var buffer = new NativeBuffer { Numbers = ids, Values = added, Capacity = bias.Count };
        graft_raw.graft_request_options_set_logit_bias(made, ref buffer);
      }
    }
  }
}

}
