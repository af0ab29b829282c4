using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Graft;

/// <summary>Many requests, one queue.</summary>
internal static class QueueKinds {
  private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

  internal static void Add(IDictionary<string, Func<Case, string>> kinds) {
    kinds["queue"] = All;
    kinds["queue_timeout"] = c => { using (var queue = new EventQueue()) return Wait(queue, TimeSpan.FromMilliseconds(10)); };
    kinds["queue_wake"] = c => Meanwhile(queue => queue.Wake());
    kinds["queue_close"] = c => Meanwhile(queue => queue.Dispose());
    kinds["next_with_queue"] = NextWithQueue;
  }

  private static string Wait(EventQueue queue, TimeSpan timeout) => queue.TryNext(timeout, out var e).ToString().ToUpperInvariant();

  private static string Meanwhile(Action<EventQueue> act) {
    using (var queue = new EventQueue()) {
      var thread = new Thread(() => {
        Thread.Sleep(50);
        act(queue);
      });
      thread.Start();
      try {
        return Wait(queue, Timeout.InfiniteTimeSpan);
      } finally {
        thread.Join();
      }
    }
  }

  private static string All(Case c) => c.WithEngine(engine => {
    var texts = new StringBuilder[c.Number("count", 1)];
    var requests = new List<Request>();
    using (var queue = new EventQueue()) {
      for (int i = 0; i < texts.Length; ++i) {
        texts[i] = new StringBuilder();
        requests.Add(c.Submit(engine, null, queue, i));
      }
      int finished = 0;
      Event e;  // mcs compiles no "out var" in a lambda
      while (finished < texts.Length && queue.TryNext(Minute, out e) == Poll.Event) {
        texts[e.Tag].Append(e.Text);
        if (e.Kind == EventKind.Finished || e.Kind == EventKind.Error) ++finished;
      }
      requests.ForEach(request => request.Dispose());
      return finished + " finished, " + texts.Count(text => text.Length > 0 && text.ToString() == texts[0].ToString()) + " equal";
    }
  });

  private static string NextWithQueue(Case c) => c.WithEngine(engine => {
    using (var queue = new EventQueue())
    using (var request = c.Submit(engine, null, queue)) {
      request.Next();
      return "ok";
    }
  });
}
