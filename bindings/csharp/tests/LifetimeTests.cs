using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Graft;

internal static class LifetimeTests {
  [DllImport("libc.so.6")] private static extern int malloc_trim(UIntPtr pad);

  private static object Argument(ParameterInfo parameter) {
    var type = parameter.ParameterType;
    if (parameter.IsOut) return null;
    if (type == typeof(string)) return "a";
    if (type == typeof(Input)) return Input.FromText("a");
    if (type == typeof(IEnumerable<ChatMessage>) || type == typeof(ChatMessage[])) return new[] { new ChatMessage("user", "a") };
    if (type == typeof(RequestKind)) return RequestKind.Embed;
    return type.IsValueType ? Activator.CreateInstance(type) : null;
  }

  /// <summary>Every public member of a disposed object throws ObjectDisposedException, with "closed" in its text.</summary>
  private static int RefusesEverything(IDisposable closed) {
    int checked_ = 0;
    const BindingFlags own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
    foreach (var method in closed.GetType().GetMethods(own)) {
      string name = closed.GetType().Name + "." + method.Name;
      var parameters = method.GetParameters();
      bool span = parameters.Any(p => p.ParameterType.Name.Contains("Span"));  // reflection cannot pass one
      if (method.Name == "Dispose" || span) continue;
      var target = method.IsGenericMethodDefinition ? null : method;
      if (method.Name == "ToArray") target = method.MakeGenericMethod(typeof(float));
      if (target == null) continue;
      Exception thrown = null;
      try {
        var result = target.Invoke(closed, parameters.Select(Argument).ToArray());
        if (result is IEnumerator<Event> events) events.MoveNext();
      } catch (TargetInvocationException e) {
        thrown = e.InnerException;
      } catch (ObjectDisposedException e) {
        thrown = e;
      }
      Check.That(thrown is ObjectDisposedException && thrown.Message.Contains("closed"), name + ": " + thrown);
      ++checked_;
    }
    return checked_;
  }

  [Test(Smoke = true)]
  public static void DisposedObjectsRefuseEverything() {
    var engine = Engine.Open(Models.Chat, Models.OneThread);
    engine.SetProfiling(true);
    engine.Generate("a", new RequestOptions { MaxTokens = 1 });
    var tokenizer = engine.OpenTokenizer();
    var made = new List<IDisposable> {
      engine, tokenizer, tokenizer.CreateDecoder(), engine.Submit("a", Models.Long), Tensor.FromFloats(new float[1], 1), new EventQueue(),
      engine.TakeProfile(), Input.FromText("a")
    };
    int members = 0;
    foreach (var each in made) {
      each.Dispose();
      each.Dispose();
      members += RefusesEverything(each);
    }
    Check.That(members > 45, "only " + members + " members were tried");
    Check.Throws<ObjectDisposedException>(() => tokenizer.Decode(new long[] { 1 }));
    Check.Throws<ObjectDisposedException>(() => ((Input)made[7]).SetTokens(new long[] { 1 }));
    using (var input = Input.FromText("a")) Check.Throws<ObjectDisposedException>(() => Models.Engine.Submit(input, null, (EventQueue)made[5]));
    Check.Throws<ObjectDisposedException>(() => Models.Engine.Submit((Input)made[7]));
  }

  [Test(Smoke = true)]
  public static void ParentsMayGoFirst() {
    var engine = Engine.Open(Models.Chat, Models.OneThread);
    var tokenizer = engine.OpenTokenizer();
    using (var decoder = tokenizer.CreateDecoder())
    using (var request = engine.Submit("What is", Models.Long)) {
      var input = Input.FromTokens(new long[] { 5, 9 });
      var logits = engine.Compute(input, RequestKind.Logits);
      foreach (var parent in new IDisposable[] { input, engine, tokenizer }) parent.Dispose();
      GC.Collect();
      GC.WaitForPendingFinalizers();
      Check.Equal(200L, request.Complete().Usage.CompletionTokens);
      Check.Equal(2L, logits.Shape[0]);
      decoder.Push(5);
      logits.Dispose();
    }
  }

  [MethodImpl(MethodImplOptions.NoInlining)]
  private static void Drop(int order) {
    var engine = Engine.Open(Models.Chat, Models.OneThread);
    var tokenizer = engine.OpenTokenizer();
    var request = engine.Submit("What is", Models.Long);
    var queue = new EventQueue();
    using (var input = Input.FromText("a")) {
      var objects = new object[] { engine, tokenizer, tokenizer.CreateDecoder(), request, queue, engine.Submit(input, Models.Long, queue) };
      request.Next();
      // they end in the order in which they become unreachable: one first, in turn
      objects[order % objects.Length] = null;
      if (order % 2 == 0) GC.Collect();
      GC.KeepAlive(objects);
    }
  }

  [Test]
  public static void FinalisersInAnyOrder() {
    for (int i = 0; i < 24; ++i) {
      var thread = new Thread(order => Drop((int)order));
      thread.Start(i);
      thread.Join();
      GC.Collect();
      GC.WaitForPendingFinalizers();
    }
    Check.Equal(3L, Models.Engine.Generate("a", new RequestOptions { MaxTokens = 3, IgnoreEos = true }).Usage.CompletionTokens);
  }

  [MethodImpl(MethodImplOptions.NoInlining)]
  private static void DropRequest(EventQueue queue) {
    using (var input = Input.FromText("What is")) Models.Engine.Submit(input, Models.Long, queue).TryNextOrNull();
  }

  private static void TryNextOrNull(this Request request) => Check.Fails(Status.InvalidState, () => request.Next());

  [Test]
  public static void CollectedRequestsAreCancelled() {
    using (var queue = new EventQueue()) {
      for (int i = 0; i < 8; ++i) {
        var thread = new Thread(() => DropRequest(queue));
        thread.Start();
        thread.Join();
      }
      for (int i = 0; i < 3; ++i) {
        GC.Collect();
        GC.WaitForPendingFinalizers();
      }
      int finished = 0, tokens = 0;
      Event e;
      while (queue.TryNext(TimeSpan.FromSeconds(2), out e) == Poll.Event) {
        if (e.Kind == EventKind.Token) ++tokens;
        if (e.Kind == EventKind.Finished && e.FinishReason == FinishReason.Length) ++finished;
      }
      Check.That(finished < 8, "all eight went on to their end, " + tokens + " tokens");
    }
  }

  /// <summary>Runs calls on threads until an object is disposed under them: each ends with that exception and nothing else.</summary>
  private static void Race(int round, IDisposable closing, params Action[] calls) {
    var wrong = new List<Exception>();
    using (var ready = new CountdownEvent(calls.Length)) {
      var threads = calls.Select(call => new Thread(() => {
        ready.Signal();
        try {
          while (true) call();
        } catch (ObjectDisposedException) {
          // as it should be
        } catch (Exception e) {
          lock (wrong) wrong.Add(e);
        }
      })).ToList();
      threads.ForEach(thread => thread.Start());
      ready.Wait();
      Thread.SpinWait(round * 37 % 5000);
      closing.Dispose();
      foreach (var thread in threads) Check.That(thread.Join(TimeSpan.FromSeconds(60)), "a thread hangs in round " + round);
    }
    Check.That(wrong.Count == 0, wrong.Count == 0 ? "" : "round " + round + ": " + wrong[0]);
  }

  [Test(Smoke = true)]
  public static void CloseAgainstCalls() {
    int rounds = Runner.Smoke ? 10 : 500;
    for (int round = 0; round < rounds; ++round) {
      var engine = Engine.Open(Models.Chat, Models.OneThread);
      var tokenizer = engine.OpenTokenizer();
      var queue = new EventQueue();
      var request = engine.Submit("What is", Models.Long);
      var tensor = Tensor.FromFloats(new float[1000], 1000);
      Race(round, tokenizer, () => tokenizer.Encode("What is 27 + 58?"), () => tokenizer.Decode(new long[] { 5, 9 }), () => tokenizer.CreateDecoder().Push(5));
      Race(round, tensor, () => tensor.ToFloats(), () => tensor.Read<float, float>(elements => elements[999]), () => Check.Equal(1, tensor.Shape.Length));
      Race(round, queue, () => { Event e; queue.TryNext(Timeout.InfiniteTimeSpan, out e); }, () => { Event e; queue.TryNext(TimeSpan.Zero, out e); }, queue.Wake);
      Race(round, request, () => request.Next(), request.Cancel, () => Allowing(Status.Cancelled, () => request.Wait(TimeSpan.Zero)));
      Race(round, engine, () => engine.Info(), () => engine.OpenTokenizer().Dispose(),
           () => Allowing(Status.Busy, () => engine.Submit("a", new RequestOptions { MaxTokens = 1 }).Dispose()));
    }
  }

  private static void Allowing(Status status, Action call) {
    try {
      call();
    } catch (GraftException e) when (e.Status == status) {
      // part of the game
    }
  }

  [Test]
  public static void ClosingAQueueSendsAllWaitersAway() {
    for (int round = 0; round < 50; ++round) {
      var queue = new EventQueue();
      Action wait = () => { Event e; queue.TryNext(Timeout.InfiniteTimeSpan, out e); };
      Race(round * 50, queue, wait, wait, wait, wait, wait);
    }
  }

  /// <summary>Tensors that nobody disposes are collected: 6.4 GB of them, one after another, in far less.</summary>
  [Test]
  public static void ForgottenTensorsDoNotPileUp() {
    var zeros = new float[1600000];
    long most = 0;
    for (int i = 0; i < 1000; ++i) {
      Tensor.FromFloats(zeros, zeros.Length);
      if (i % 50 == 0) most = Math.Max(most, Models.ResidentBytes());
    }
    Check.That(most < 2L << 30, "resident memory rose to " + most + " bytes");
  }

  /// <summary>10,000 times open, ask, close: what is resident grows by less than 1 % after the first thousand.</summary>
  [Test]
  public static void TenThousandCycles() {
    const int cycles = 10000, settled = 1000;
    long before = 0;
    for (int i = 1; i <= cycles; ++i) {
      Cycle();
      if (i == settled) before = Resident();
    }
    long after = Resident();
    double growth = 100.0 * (after - before) / before;
    Console.WriteLine("        resident after " + settled + " cycles: " + before / 1024 + " kB, after " + cycles + ": " + after / 1024 + " kB, " + growth.ToString("+0.00;-0.00") + " %");
    Check.That(growth < 1, "resident memory grew by " + growth + " %");
  }

  private static void Cycle() {
    using (var engine = Engine.Open(Models.Tiny, Models.OneThread)) {
      using (var input = Input.FromTokens(new long[] { 5, 9, 2 }))
      using (var request = engine.Submit(input, new RequestOptions { MaxTokens = 2 })) {
        foreach (var e in request) e.ThrowIfError();
      }
      Check.That(engine.Shutdown(Timeout.InfiniteTimeSpan), "shutdown");
    }
  }

  private static long Resident() {
    for (int i = 0; i < 3; ++i) {
      GC.Collect();
      GC.WaitForPendingFinalizers();
    }
    malloc_trim(UIntPtr.Zero);  // what the allocator keeps for later is no leak
    return Models.ResidentBytes();
  }
}
