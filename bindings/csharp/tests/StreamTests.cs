using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Graft;

internal static class StreamTests {
  private static readonly RequestOptions Greedy = new RequestOptions { Greedy = true };

  [Test(Smoke = true)]
  public static void AnswersWholeAndInPieces() {
    using (var question = Models.Question("What is 27 + 58?")) {
      var answer = Models.Engine.Generate(question, Greedy);
      Check.Equal("85", answer.Text);
      Check.Equal(FinishReason.Stop, answer.FinishReason);
      using (var request = Models.Engine.Submit(question, Greedy, null, 7)) {
        var events = request.ToList();
        Check.Equal("85", string.Concat(events.Select(e => e.Text)));
        Check.Equal(EventKind.Finished, events.Last().Kind);
        Check.That(events.All(e => e.Tag == 7), "tag");
        Check.That(events.Where(e => e.Token >= 0).Select(e => e.Token).SequenceEqual(answer.Tokens), "tokens");
        Event none;
        Check.Equal(Poll.End, request.TryNext(TimeSpan.Zero, out none));
        Check.That(none == null && request.Next() == null, "an event after the end");
        Check.Fails(Status.InvalidState, () => request.Complete());
      }
    }
  }

  [Test(Smoke = true)]
  public static void EventsAreSnapshots() {
    using (var request = Models.Engine.Submit("What is", new RequestOptions { MaxTokens = 20, IgnoreEos = true, Greedy = true, TopLogprobs = 3 })) {
      var events = request.Where(e => e.Token >= 0).ToList();
      Check.Equal(20, events.Count);
      Check.That(events.Select(e => e.Token).Distinct().Count() > 3, "all tokens are the last one");
      Check.That(events.All(e => e.TopLogprobs.Count == 3 && e.TopLogprobs[0].Logprob >= e.TopLogprobs[2].Logprob), "top logprobs");
      Check.That(events.All(e => e.TopLogprobs[0].Token == e.Token && e.TopLogprobs[0].Logprob == e.Logprob), "greedy takes the first");
    }
  }

  [Test]
  public static void ALoopThatIsLeftMayBeTakenUpAgain() {
    using (var request = Models.Engine.Submit("What is", new RequestOptions { MaxTokens = 20, IgnoreEos = true })) {
      int first = 0;
      foreach (var e in request) if (++first == 5) break;
      Check.That(request.Count(e => e.Token >= 0) >= 14, "the rest");
    }
  }

  [Test]
  public static void FailuresAreThrown() {
    var options = new RequestOptions { MaxTokens = 240, IgnoreEos = true, Deadline = TimeSpan.FromMilliseconds(1) };
    using (var request = Models.Engine.Submit("What is", options)) {
      var e = Check.Fails(Status.DeadlineExceeded, () => request.ToList());
      Check.Equal(e.Message, request.ErrorMessage);
      Check.Fails(Status.DeadlineExceeded, () => request.Wait());
    }
    using (var request = Models.Engine.Submit("What is", options)) {
      Event e;
      while ((e = request.Next()).Kind != EventKind.Error) {}
      Check.Equal(Status.DeadlineExceeded, e.Status);
      Check.That(e.Message.Length > 0, "message");
      Check.Fails(Status.DeadlineExceeded, e.ThrowIfError);
    }
  }

  [Test]
  public static void SeveralAnswers() {
    using (var request = Models.Engine.Submit("What is", new RequestOptions { Seed = 3, NumSequences = 3, MaxTokens = 6, IgnoreEos = true })) {
      var answers = request.CompleteAll();
      Check.That(answers.Select(answer => answer.Sequence).SequenceEqual(new long[] { 0, 1, 2 }), "order");
      Check.That(answers.Select(answer => answer.Text).Distinct().Count() > 1, "all the same");
    }
    using (var request = Models.Engine.Submit("What is", new RequestOptions { NumSequences = 3, MaxTokens = 6, IgnoreEos = true })) {
      var events = request.ToList();
      Check.That(events.Last().IsLast && events.Count(e => e.IsLast) == 1, "the last event alone is the last");
    }
  }

  [Test(Smoke = true)]
  public static void TasksAndTheirTokens() {
    Check.Equal("85", Models.Engine.GenerateAsync(Models.Question("What is 27 + 58?"), Greedy).Result.Text);
    using (var source = new CancellationTokenSource()) {
      var task = Models.Engine.GenerateAsync("What is", Models.Long, source.Token);
      source.Cancel();
      Check.Throws<AggregateException>(() => task.Wait(TimeSpan.FromSeconds(60)));
      Check.That(task.IsCanceled, "the task is " + task.Status);
      Check.That(Models.Engine.GenerateAsync("What is", Models.Long, source.Token).IsCanceled, "cancelled beforehand");
    }
    var failing = Models.Engine.GenerateAsync("What is", new RequestOptions { MaxTokens = 240, IgnoreEos = true, Deadline = TimeSpan.FromMilliseconds(1) });
    var e = Check.Throws<AggregateException>(() => failing.Wait());
    Check.Equal(Status.DeadlineExceeded, ((GraftException)e.InnerException).Status);
    using (var opened = Engine.OpenAsync(Models.Chat, Models.OneThread).Result) Check.That(opened.Info().Length > 0, "info");
  }

  [Test]
  public static void ManyTasksAtOnce() {
    var tasks = Enumerable.Range(0, 32).Select(i => Models.Engine.GenerateAsync(Models.Question("Sort 41, 7, 23."), Greedy)).ToArray();
    Task.WaitAll(tasks);
    Check.That(tasks.All(task => task.Result.Text == "7, 23, 41"), tasks[0].Result.Text);
  }

  [Test]
  public static void ThreadsShareOneStream() {
    using (var request = Models.Engine.Submit("What is", Models.Long)) {
      int tokens = 0;
      var threads = Enumerable.Range(0, 4).Select(i => new Thread(() => {
        for (var e = request.Next(); e != null; e = request.Next()) if (e.Token >= 0) Interlocked.Increment(ref tokens);
      })).ToList();
      threads.ForEach(thread => thread.Start());
      threads.ForEach(thread => thread.Join());
      Check.Equal(200, tokens);
    }
  }

  [Test]
  public static void DisposingCancelsAndSendsPullersOn() {
    for (int round = 0; round < 20; ++round) {
      var request = Models.Engine.Submit("What is", Models.Long);
      var puller = new Thread(() => {
        try {
          while (request.Next() != null) {}
        } catch (ObjectDisposedException) {
          // as it should be
        }
      });
      puller.Start();
      Thread.Sleep(round % 5);
      request.Dispose();
      Check.That(puller.Join(TimeSpan.FromSeconds(30)), "the puller hangs");
    }
  }

  [Test]
  public static void OneQueueForManyRequests() {
    using (var queue = new EventQueue())
    using (var input = Models.Question("Sort 41, 7, 23.")) {
      var requests = Enumerable.Range(0, 16).Select(i => Models.Engine.Submit(input, Greedy, queue, i)).ToList();
      var texts = new string[16];
      int finished = 0;
      Event e;
      while (finished < 16 && queue.TryNext(TimeSpan.FromSeconds(60), out e) == Poll.Event) {
        texts[e.Tag] += e.Text;
        if (e.IsLast) ++finished;
      }
      Check.That(texts.All(text => text == "7, 23, 41"), string.Join("|", texts));
      requests.ForEach(request => request.Dispose());
    }
  }

  [Test]
  public static void ResultsAndProfiles() {
    using (var engine = Engine.Open(Models.Chat)) {
      engine.SetProfiling(true);
      using (var input = Input.FromTokens(new long[] { 5, 9, 2 }))
      using (var logits = engine.Compute(input, RequestKind.Logits)) {
        Check.That(logits.Shape.SequenceEqual(new long[] { 3, 896 }), "shape");
        Check.That(logits.ToFloats().All(value => !float.IsNaN(value)), "a NaN");
        Check.Fails(Status.InvalidArgument, () => engine.Compute(input, RequestKind.Generate));
      }
      using (var profile = engine.TakeProfile()) {
        Check.That(profile.Count >= 1 && profile.Milliseconds().Length == profile.Count && profile.Milliseconds()[0] > 0, "times");
        Check.That(profile.Table().Contains("\"ops\""), "table");
      }
      engine.SetProfiling(false);
      Check.Fails(Status.InvalidState, () => engine.TakeProfile());
      Check.That(!engine.Wait(TimeSpan.Zero), "it ended by itself");
      Check.That(engine.Shutdown(Timeout.InfiniteTimeSpan) && engine.Wait(TimeSpan.Zero), "shutdown");
      Check.Fails(Status.Closed, () => engine.Submit("a"));
    }
  }
}
