using System;
using System.Diagnostics;
using System.Globalization;
using Graft;

/// <summary>What the cases of bindings/bench/README.md cost in C#: bench MODEL.</summary>
internal static class Bench {
  private const int Batches = 101, Calls = 2000, Answers = 30;
  private static long sink;  // what keeps a call from being left out

  private static double Nanoseconds(long ticks) => ticks * 1e9 / Stopwatch.Frequency;

  private static void Report(string name, double[] samples) {
    Array.Sort(samples);
    string ns = samples[samples.Length / 2].ToString("F1", CultureInfo.InvariantCulture);
    Console.WriteLine("{\"language\": \"csharp\", \"case\": \"" + name + "\", \"ns\": " + ns + "}");
  }

  private static void Measure(string name, int calls, Action call) {
    var samples = new double[Batches];
    for (int batch = 0; batch < Batches; ++batch) {
      long begin = Stopwatch.GetTimestamp();
      for (int i = 0; i < calls; ++i) call();
      samples[batch] = Nanoseconds(Stopwatch.GetTimestamp() - begin) / calls;
    }
    Report(name, samples);
  }

  private static void MeasureTokens(Engine engine) {
    var options = new RequestOptions { Greedy = true, IgnoreEos = true, MaxTokens = 250 };
    var samples = new double[Answers];
    for (int answer = 0; answer < Answers; ++answer) {
      using (var request = engine.Submit("What is", options)) {
        request.Wait();  // so that no model's time is in it
        int events = 0;
        long begin = Stopwatch.GetTimestamp();
        foreach (var e in request) {
          sink += (long)e.Kind + e.Token + (long)e.Logprob + e.Text.Length;
          ++events;
        }
        samples[answer] = Nanoseconds(Stopwatch.GetTimestamp() - begin) / events;
      }
    }
    Report("token", samples);
  }

  private static int Main(string[] arguments) {
    if (arguments.Length != 1) {
      Console.Error.WriteLine("usage: bench MODEL");
      return 2;
    }
    using (var engine = Engine.Open(arguments[0]))
    using (var tokenizer = engine.OpenTokenizer()) {
      var ids = new long[32];
      var wrong = new EngineOptions { Json = "{\"colour\": 1}" };
      Measure("abi", Calls, () => sink += GraftLibrary.AbiVersion);
      Measure("vocab_size", Calls, () => sink += tokenizer.VocabularySize);
      Measure("encode", Calls / 10, () => sink += tokenizer.Encode("What is 27 + 58?", false, ids));
      Measure("failure", Calls / 100, () => {
        try {
          wrong.Validate();
        } catch (GraftException e) {
          sink += (long)e.Status + e.Message.Length;
        }
      });
      MeasureTokens(engine);
    }
    return sink == 0 ? 1 : 0;
  }
}
