using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;
using Graft;

/// <summary>Options, policies, measuring, callbacks.</summary>
internal static class OptionKinds {
  internal static void Add(IDictionary<string, Func<Case, string>> kinds) {
    kinds["engine_options"] = c => Valid(new EngineOptions { Json = c.Text("json") });
    kinds["request_options"] = c => Valid(new RequestOptions { Json = c.Text("json") });
    kinds["set"] = Set;
    kinds["policy"] = c => Closed(Policy.FromJson(c.Text("json")));
    kinds["row_parallel"] = c =>
      Closed(Policy.RowParallel(c.Text("class"), c.Text("names").Split(new[] { ',' }, StringSplitOptions.RemoveEmptyEntries)));
    kinds["empty_arrays"] = EmptyArrays;
    kinds["profile"] = TakeProfile;
    kinds["profile_off"] = c => Closed(c.Session.Engine.TakeProfile());
    kinds["log"] = Log;
    kinds["log_throws"] = LogThrows;
    kinds["progress"] = Progress;
    kinds["progress_cancel"] = c => Open(c, (fraction, what) => false);
    kinds["progress_throws"] = ProgressThrows;
  }

  private static string Valid(EngineOptions options) {
    options.Validate();
    return "ok";
  }

  private static string Valid(RequestOptions options) {
    options.Validate();
    return "ok";
  }

  private static string Closed(IDisposable made) {
    made.Dispose();
    return "ok";
  }

  private static string Set(Case c) {
    double real = double.Parse(c.Text("value"), CultureInfo.InvariantCulture);
    Func<long> whole = () => long.Parse(c.Text("value"), CultureInfo.InvariantCulture);
    switch (c.Text("name")) {
      case "temperature": return Valid(new RequestOptions { Temperature = real });
      case "top_p": return Valid(new RequestOptions { TopP = real });
      case "max_tokens": return Valid(new RequestOptions { MaxTokens = whole() });
      case "top_k": return Valid(new RequestOptions { TopK = whole() });
      case "seed": return Valid(new RequestOptions { Seed = whole() });
      case "threads": return Valid(new EngineOptions { Threads = whole() });
      case "tensor_parallel": return Valid(new EngineOptions { TensorParallel = whole() });
      default: return "no such setter";
    }
  }

  private static string EmptyArrays(Case c) {
    var none = new long[0];
    using (var input = new Input()) input.SetTokens(none).SetDecoderTokens(none).SetTokenTypes(none);
    Valid(new RequestOptions { LogitBias = new Dictionary<long, double>(), AllowedTokens = none, BannedTokens = none, StopTokens = none });
    string text = c.Session.Tokenizer.Decode(none);
    return text.Length == 0 ? "ok" : text;
  }

  private static string TakeProfile(Case c) {
    using (var engine = Engine.Open(c.Session.Model)) {
      engine.SetProfiling(true);
      using (var request = c.Submit(engine)) foreach (var e in request) {}
      using (var profile = engine.TakeProfile()) {
        var times = profile.Milliseconds();
        var explained = Regex.Match(profile.Table(), "\"explained\": *([0-9.eE+-]+)");
        return (times.Length > 0 && times.Length == profile.Count && times[0] > 0 ? "forwards" : "none") +
          (explained.Success && double.Parse(explained.Groups[1].Value, CultureInfo.InvariantCulture) > 0.5 ? " explained" : " unexplained");
      }
    }
  }

  private static string Log(Case c) {
    string line = null;
    GraftLibrary.SetLogHandler((level, message) => line = line ?? (int)level + " " + message);
    try {
      Valid(new EngineOptions { Json = c.Text("json") });
    } finally {
      GraftLibrary.SetLogHandler(null);
    }
    return line ?? "";
  }

  private static string LogThrows(Case c) {
    bool called = false;
    GraftLibrary.SetLogHandler((level, message) => {
      called = true;
      throw new InvalidOperationException("thrown by a log handler");
    });
    try {
      Valid(new EngineOptions { Json = c.Text("json") });
    } finally {
      GraftLibrary.SetLogHandler(null);
    }
    return called ? "ok" : "not called";
  }

  private static string Open(Case c, ProgressHandler handler) {
    Engine.Open(c.Text("path"), new EngineOptions { Progress = handler }).Dispose();
    return "opened";
  }

  private static string Progress(Case c) {
    double last = -1;
    bool falls = false;
    Open(c, (fraction, what) => {
      falls |= fraction < last || what.Length == 0;
      last = fraction;
      return true;
    });
    return !falls && last == 1 ? "rising to 1" : "not rising to 1";
  }

  private static string ProgressThrows(Case c) {
    var mine = new InvalidOperationException("thrown by a progress handler");
    try {
      return Open(c, (fraction, what) => { throw mine; });
    } catch (InvalidOperationException e) {
      return ReferenceEquals(e, mine) ? "thrown" : "another was thrown";
    }
  }
}
