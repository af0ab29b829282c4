using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using Graft;

internal static class OptionTests {
  // Names that are one thing more in C than in C#.
  private static readonly Dictionary<string, string> Renamed = new Dictionary<string, string> {
    { "Dtype", "DType" }, { "Quantization", "QuantizationBits" }, { "DeadlineMs", "Deadline" }, { "RunAheadMs", "RunAhead" }, { "Policy", "Policies" }
  };

  private static string Pascal(string name) =>
    string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word.Substring(1)));

  private static void HasEverySetter(Type options, string prefix) {
    var raw = options.Assembly.GetType("Graft.Raw.graft_raw", true);
    var setters = raw.GetMethods().Select(method => method.Name).Where(name => name.StartsWith(prefix + "set_") || name.StartsWith(prefix + "add_")).ToList();
    Check.That(setters.Count > 15, "only " + setters.Count + " setters");
    foreach (string setter in setters) {
      string name = Pascal(setter.Substring(prefix.Length + 4));
      if (Renamed.TryGetValue(name, out var other)) name = other;
      Check.That(options.GetProperty(name) != null, options.Name + " has no " + name + " for " + setter);
    }
  }

  [Test(Smoke = true)]
  public static void EverySetterHasAProperty() {
    HasEverySetter(typeof(EngineOptions), "graft_engine_options_");
    HasEverySetter(typeof(RequestOptions), "graft_request_options_");
  }

  [Test(Smoke = true)]
  public static void EveryPropertyReachesItsSetter() {
    var wrong = new Dictionary<string, RequestOptions> {
      { "kind", new RequestOptions { Kind = (RequestKind)99 } }, { "max_tokens", new RequestOptions { MaxTokens = -2 } },
      { "min_tokens", new RequestOptions { MinTokens = -1 } }, { "pooling", new RequestOptions { Pooling = (Pooling)99 } },
      { "temperature", new RequestOptions { Temperature = double.NaN } }, { "top_k", new RequestOptions { TopK = -1 } },
      { "top_p", new RequestOptions { TopP = 2 } }, { "min_p", new RequestOptions { MinP = 2 } },
      { "typical_p", new RequestOptions { TypicalP = 2 } }, { "seed", new RequestOptions { Seed = -2 } },
      { "repetition_penalty", new RequestOptions { RepetitionPenalty = 0 } },
      { "frequency_penalty", new RequestOptions { FrequencyPenalty = double.NaN } },
      { "presence_penalty", new RequestOptions { PresencePenalty = double.NaN } },
      { "penalty_window", new RequestOptions { PenaltyWindow = -1 } }, { "no_repeat_ngram", new RequestOptions { NoRepeatNgram = -1 } },
      { "logit_bias", new RequestOptions { LogitBias = new Dictionary<long, double> { { -1, 0 } } } },
      { "allowed_tokens", new RequestOptions { AllowedTokens = new long[] { -1 } } },
      { "banned_tokens", new RequestOptions { BannedTokens = new long[] { -1 } } },
      { "stop", new RequestOptions { Stop = { "" } } }, { "stop_tokens", new RequestOptions { StopTokens = new long[] { -1 } } },
      { "deadline_ms", new RequestOptions { Deadline = TimeSpan.FromSeconds(-1) } },
      { "num_beams", new RequestOptions { NumBeams = 0 } }, { "num_sequences", new RequestOptions { NumSequences = 0 } },
      { "length_penalty", new RequestOptions { LengthPenalty = double.NaN } }, { "top_logprobs", new RequestOptions { TopLogprobs = -1 } },
      { "json", new RequestOptions { Json = "{\"no_such_key\": 1}" } }
    };
    foreach (var pair in wrong) Check.Fails(Status.InvalidArgument, pair.Value.Validate, pair.Key);
    var engines = new Dictionary<string, EngineOptions> {
      { "device", new EngineOptions { Device = "quantum" } }, { "dtype", new EngineOptions { DType = "float128" } },
      { "quantization", new EngineOptions { QuantizationBits = 3 } }, { "tensor_parallel", new EngineOptions { TensorParallel = 0 } },
      { "expert_parallel", new EngineOptions { ExpertParallel = 0 } }, { "rank", new EngineOptions { Rank = new RankOptions { World = -1 } } },
      { "injection", new EngineOptions { Injection = "some" } }, { "threads", new EngineOptions { Threads = -1 } },
      { "context_limit", new EngineOptions { ContextLimit = -1 } }, { "max_sequences", new EngineOptions { MaxSequences = -1 } },
      { "max_queue", new EngineOptions { MaxQueue = -1 } }, { "run_ahead_ms", new EngineOptions { RunAhead = TimeSpan.FromSeconds(-1) } },
      { "memory_limit", new EngineOptions { MemoryLimit = -1 } },
      { "weights", new EngineOptions { Weights = (Weights)99 } }, { "json", new EngineOptions { Json = "[]" } }
    };
    foreach (var pair in engines) Check.Fails(Status.InvalidArgument, pair.Value.Validate, pair.Key);
  }

  [Test(Smoke = true)]
  public static void EveryPropertyTakesAGoodValue() {
    new RequestOptions {
      Kind = RequestKind.Embed, MaxTokens = 5, MinTokens = 1, Pooling = Pooling.Mean, Greedy = false, Temperature = 0.5, TopK = 5, TopP = 0.5,
      MinP = 0.1, TypicalP = 0.9, Seed = 1, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1, PresencePenalty = 0.1, PenaltyWindow = 10,
      NoRepeatNgram = 3, LogitBias = new Dictionary<long, double> { { 5, -1.5 } }, AllowedTokens = new long[] { 1, 2 },
      BannedTokens = new long[] { 3 }, Stop = { "a", "b\0" }, StopTokens = new long[] { 4 }, IgnoreEos = true,
      Deadline = TimeSpan.FromSeconds(5), NumBeams = 2, NumSequences = 2, LengthPenalty = 1.5, TopLogprobs = 2, Priority = -3,
      CacheSalt = "salt", Json = "{\"max_tokens\": 7}"
    }.Validate();
    using (var policy = Policy.FromJson("{\"model_type\": \"mine\"}")) {
      new EngineOptions {
        Device = "cpu", DType = "float32", QuantizationBits = 8, QuantizationGroupSize = 64, TensorParallel = 2, ExpertParallel = 2,
        Rank = new RankOptions { Rank = 0, World = 2, Address = "localhost", Port = 29500, Timeout = TimeSpan.FromSeconds(1) },
        Injection = "kernel", Graph = false, Threads = 2, ContextLimit = 100, MaxSequences = 2, MaxQueue = 3, RunAhead = TimeSpan.FromMilliseconds(5), MemoryLimit = 1 << 30,
        Weights = Weights.Read, LibraryDirectory = "/nowhere", Progress = (fraction, what) => true, Policies = { policy },
        Json = "{\"threads\": 1}"
      }.Validate();
      policy.Dispose();
      Check.Throws<ObjectDisposedException>(() => new EngineOptions { Policies = { policy } }.Validate());
    }
  }

  [Test]
  public static void PropertiesGoBeforeJsonAndTakeEffect() {
    var options = new RequestOptions { Json = "{\"max_tokens\": 50, \"ignore_eos\": true, \"greedy\": true}", MaxTokens = 3 };
    Check.Equal(3L, Models.Engine.Generate("What is", options).Usage.CompletionTokens);
    options.MaxTokens = null;
    options.Stop.Add("a");
    Check.That(!Models.Engine.Generate("What is", options).Text.Contains("a"), "stop");
    using (var engine = Engine.Open(Models.Chat, new EngineOptions { ContextLimit = 17, DType = "float32" })) {
      Check.That(engine.Info().Contains("17"), engine.Info());
      Check.That(Engine.Inspect(Models.Chat, new EngineOptions { DType = "float32" }).Contains("float32"), "inspect");
    }
  }
}
