using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Graft;

internal static class CallbackTests {
  private const string Warning = "{\"replace_method\": \"auto\"}";  // a deprecated key: one line of the log

  [Test(Smoke = true)]
  public static void ProgressRises() {
    var seen = new List<double>();
    int thread = Thread.CurrentThread.ManagedThreadId;
    var options = new EngineOptions { Threads = 1, Progress = (fraction, what) => {
      Check.Equal(thread, Thread.CurrentThread.ManagedThreadId);
      seen.Add(fraction);
      GC.Collect();  // moves what may be moved
      return what.Length > 0;
    } };
    Engine.Open(Models.Chat, options).Dispose();
    Check.That(seen.Count > 1 && seen.Last() == 1 && seen.SequenceEqual(seen.OrderBy(fraction => fraction)), string.Join(" ", seen));
  }

  [Test(Smoke = true)]
  public static void WhatProgressThrowsComesOut() {
    for (int i = 0; i < 5; ++i) {
      var mine = new InvalidOperationException("mine");
      var thrown = Check.Throws<InvalidOperationException>(
        () => Engine.Open(Models.Chat, new EngineOptions { Progress = (fraction, what) => { throw mine; } }));
      Check.That(ReferenceEquals(mine, thrown), "another one came out");
    }
    Check.Fails(Status.Cancelled, () => Engine.Open(Models.Chat, new EngineOptions { Progress = (fraction, what) => fraction < 0.5 }));
    Check.Equal(1, new[] { 1 }.Count(one => { Engine.Open(Models.Chat, Models.OneThread).Dispose(); return true; }));
  }

  [Test(Smoke = true)]
  public static void LogLinesComeAndWhatTheirHandlerThrowsIsDropped() {
    var lines = new List<string>();
    int thrown = 0;
    try {
      GraftLibrary.SetLogHandler((level, message) => { lock (lines) lines.Add(level + " " + message); });
      new EngineOptions { Json = Warning }.Validate();
      Check.That(lines.Count == 1 && lines[0].StartsWith("Warning ") && lines[0].Contains("replace_method"), string.Join("|", lines));
      GraftLibrary.SetLogHandler((level, message) => { ++thrown; throw new Exception("mine"); });
      for (int i = 0; i < 100; ++i) new EngineOptions { Json = Warning }.Validate();
      Check.Equal(100, thrown);
      GraftLibrary.SetLogLevel(LogLevel.Off);
      new EngineOptions { Json = Warning }.Validate();
      Check.Equal(100, thrown);
      Check.Fails(Status.InvalidArgument, () => GraftLibrary.SetLogLevel((LogLevel)77));
    } finally {
      GraftLibrary.SetLogLevel(LogLevel.Warning);
      GraftLibrary.SetLogHandler(null);
    }
  }

  [Test]
  public static void LinesFromManyThreadsWhileHandlersChange() {
    int lines = 0;
    try {
      var threads = Enumerable.Range(0, 4).Select(i => new Thread(() => {
        for (int round = 0; round < 200; ++round) {
          GraftLibrary.SetLogHandler((level, message) => {
            if (Interlocked.Increment(ref lines) % 3 == 0) throw new Exception("mine");
          });
          new EngineOptions { Json = Warning }.Validate();
          if (round % 50 == 0) GC.Collect();
        }
      })).ToList();
      threads.ForEach(thread => thread.Start());
      threads.ForEach(thread => thread.Join());
      Check.Equal(800, lines);
    } finally {
      GraftLibrary.SetLogHandler(null);
    }
  }
}
