using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Graft;

/// <summary>Answers: whole, event by event, cancelled, refused, many at once.</summary>
internal static class GenerateKinds {
  internal static void Add(IDictionary<string, Func<Case, string>> kinds) {
    kinds["generate"] = Generate;
    kinds["tokens_of"] = TokensOf;
    kinds["events"] = Events;
    kinds["sequences"] = Sequences;
    kinds["logprobs"] = Logprobs;
    kinds["cancel_decode"] = c => Cancel(c, false);
    kinds["cancel_prefill"] = c => Cancel(c, false);
    kinds["cancel_elsewhere"] = c => Cancel(c, true);
    kinds["failure"] = Failure;
    kinds["wait"] = Wait;
    kinds["busy"] = Busy;
    kinds["shutdown"] = Shutdown;
    kinds["threads"] = Threads;
  }

  internal static string Generate(Case c) => c.WithEngine(engine => {
    using (var request = c.Submit(engine)) {
      var answer = request.Complete();
      return answer.FinishReason.ToString().ToUpperInvariant() + " " + answer.Usage.PromptTokens + "/" +
        answer.Usage.CompletionTokens + " " + answer.Text;
    }
  });

  private static string TokensOf(Case c) {
    var ids = new List<long>();
    c.Pull((e, request) => { if (e.Token >= 0) ids.Add(e.Token); });
    return string.Join(" ", ids);
  }

  private static string Events(Case c) {
    var runs = new List<KeyValuePair<EventKind, int>>();
    c.Pull((e, request) => {
      if (e.Kind == EventKind.Progress) return;
      int last = runs.Count - 1;
      if (last >= 0 && runs[last].Key == e.Kind) runs[last] = new KeyValuePair<EventKind, int>(e.Kind, runs[last].Value + 1);
      else runs.Add(new KeyValuePair<EventKind, int>(e.Kind, 1));
    });
    return string.Join(" ", runs.Select(run => run.Key.ToString().ToUpperInvariant() + (run.Value > 1 ? "*" + run.Value : "")));
  }

  private static string Sequences(Case c) => c.WithEngine(engine => {
    using (var request = c.Submit(engine)) return string.Concat(request.CompleteAll().Select(answer => answer.Text + "|"));
  });

  private static string Logprobs(Case c) {
    var steps = new List<string>();
    c.Pull((e, request) => {
      if (e.Token < 0) return;
      steps.Add(One(e.Token, e.Logprob) + "[" + string.Join(",", e.TopLogprobs.Select(top => One(top.Token, top.Logprob))) + "]");
    });
    return string.Join(" ", steps);
  }

  private static string One(long token, double logprob) => token + ":" + (long)Math.Floor(logprob * 1000 + 0.5);

  private static string Cancel(Case c, bool elsewhere) => c.WithEngine(engine => {
    long tokens = 0, after = c.Number("after", 0);
    var reason = FinishReason.None;
    using (var request = c.Submit(engine)) {
      if (after == 0) request.Cancel();
      foreach (var e in request) {
        if (e.Kind == EventKind.Finished) reason = e.FinishReason;
        if (e.Token < 0 || ++tokens != after) continue;
        if (!elsewhere) {
          request.Cancel();
          continue;
        }
        var thread = new Thread(request.Cancel);
        thread.Start();
        thread.Join();
      }
    }
    return reason.ToString().ToUpperInvariant() + (reason != FinishReason.Cancelled ? "" : tokens < 200 ? " early" : " late");
  });

  private static string Failure(Case c) {
    try {
      c.Pull((e, request) => {});
      return "none";
    } catch (GraftException e) {
      return e.StatusName;
    }
  }

  private static string Wait(Case c) => c.WithEngine(engine => {
    using (var request = c.Submit(engine)) {
      string at_once = request.Wait(TimeSpan.Zero) ? "OK" : "TIMEOUT";
      return at_once + (request.Wait(Timeout.InfiniteTimeSpan) ? " OK" : " TIMEOUT");
    }
  });

  private static string Busy(Case c) => c.WithEngine(engine => {
    var requests = new List<Request>();
    try {
      for (long i = 0; i < c.Number("count", 0); ++i) requests.Add(c.Submit(engine));
      return "none";
    } finally {
      requests.ForEach(request => request.Dispose());
    }
  });

  private static string Shutdown(Case c) {
    using (var engine = Engine.Open(c.Session.Model)) {
      engine.Shutdown(Timeout.InfiniteTimeSpan);
      using (c.Submit(engine)) return "submitted";
    }
  }

  private static string Threads(Case c) {
    string alone = Generate(c);
    var found = new string[c.Number("count", 1)];
    var threads = found.Select((text, i) => new Thread(() => {
      try {
        found[i] = Generate(c);
      } catch (GraftException e) {
        found[i] = Driver.Failure(e);
      }
    })).ToList();
    threads.ForEach(thread => thread.Start());
    threads.ForEach(thread => thread.Join());
    return found.Count(text => text == alone) + " equal";
  }
}
