using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading;
using Graft;

/// <summary>A test: a public static method without arguments. Smoke ones are the few of the plain tier.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TestAttribute : Attribute {
  public bool Smoke { get; set; }
}

/// <summary>The little of a test framework that is needed where no package manager is.</summary>
internal static class Runner {
  internal static bool Smoke { get; private set; }

  private static int Main(string[] arguments) {
    CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
    if (arguments.Contains("--without-library")) return WithoutLibrary();
    if (arguments.Contains("--abandon")) return Abandon();
    Smoke = arguments.Contains("--smoke");
    var only = arguments.Where(argument => !argument.StartsWith("--")).ToArray();
    int passed = 0, failed = 0;
    foreach (var type in Assembly.GetExecutingAssembly().GetTypes().OrderBy(type => type.Name)) {
      foreach (var method in type.GetMethods(BindingFlags.Static | BindingFlags.Public)) {
        var test = (TestAttribute)Attribute.GetCustomAttribute(method, typeof(TestAttribute));
        string name = type.Name + "." + method.Name;
        if (test == null || (Smoke && !test.Smoke) || (only.Length > 0 && !only.Any(name.Contains))) continue;
        var watch = Stopwatch.StartNew();
        try {
          method.Invoke(null, null);
          ++passed;
          Console.WriteLine("ok      " + name + " (" + watch.ElapsedMilliseconds + " ms)");
        } catch (TargetInvocationException e) {
          ++failed;
          Console.WriteLine("FAILED  " + name + ": " + e.InnerException);
        }
      }
    }
    Models.Close();
    Console.WriteLine(passed + " passed, " + failed + " failed");
    return passed > 0 && failed == 0 ? 0 : 1;
  }

  /// <summary>Ends the process with everything open, busy and waited for; its exit status is the test.</summary>
  private static int Abandon() {
    GraftLibrary.SetLogHandler((level, message) => {});
    var engine = Engine.Open(Models.Chat);
    var queue = new EventQueue();
    var requests = Enumerable.Range(0, 4).Select(i => engine.Submit("What is", Models.Long)).ToList();
    using (var input = Input.FromText("What is")) engine.Submit(input, Models.Long, queue);
    foreach (var work in new Action[] { () => PullAll(queue),
                                        () => requests[0].ToList(), () => requests[1].Wait() }) {
      new Thread(() => work()) { IsBackground = true }.Start();
    }
    requests[2].Next();
    Console.WriteLine("abandoned: ok");
    return 0;
  }

  private static void PullAll(EventQueue queue) {
    while (queue.TryNext(Timeout.InfiniteTimeSpan, out var e) == Poll.Event) {}
  }

  /// <summary>The tests' program on a machine where the native libraries are not.</summary>
  private static int WithoutLibrary() {
    foreach (var use in new Action[] { () => new Input(), () => GraftLibrary.Doctor(), () => Engine.Open("x") }) {
      var e = Check.Fails(Status.NotFound, use);
      Check.That(e.Message.Contains("libgraft"), e.Message);
    }
    Console.WriteLine("without library: ok");
    return 0;
  }
}

internal sealed class CheckFailed : Exception {
  internal CheckFailed(string message) : base(message) {}
}

internal static class Check {
  internal static void That(bool good, string what) {
    if (!good) throw new CheckFailed(what);
  }

  internal static void Equal<T>(T expected, T found, string what = "") =>
    That(Equals(expected, found), what + ": expected '" + expected + "', found '" + found + "'");

  internal static T Throws<T>(Action call, string what = "") where T : Exception {
    try {
      call();
    } catch (T e) {
      return e;
    }
    throw new CheckFailed(what + ": no " + typeof(T).Name);
  }

  internal static GraftException Fails(Status status, Action call, string what = "") {
    var e = Throws<GraftException>(call, what);
    Equal(status, e.Status, what + " " + e.Message);
    return e;
  }
}

/// <summary>The models of the tests: the directory of the first by GRAFT_TEST_MODEL.</summary>
internal static class Models {
  private static Engine engine;
  internal static readonly string Chat = Environment.GetEnvironmentVariable("GRAFT_TEST_MODEL") ?? "examples/model";
  internal static readonly string Tiny = Environment.GetEnvironmentVariable("GRAFT_TEST_TINY_MODEL") ?? "build/oracle/cases/llama_biases";

  internal static EngineOptions OneThread => new EngineOptions { Threads = 1 };
  internal static Engine Engine => engine ?? (engine = Engine.Open(Chat, OneThread));
  internal static RequestOptions Long => new RequestOptions { MaxTokens = 200, IgnoreEos = true, Greedy = true };
  internal static Input Question(string text) => Input.FromChat(new ChatMessage("user", text));
  internal static void Close() => engine?.Dispose();

  internal static long ResidentBytes() {
    foreach (string line in File.ReadAllLines("/proc/self/status")) {
      if (line.StartsWith("VmRSS:")) return long.Parse(new string(line.Where(char.IsDigit).ToArray())) * 1024;
    }
    throw new CheckFailed("no VmRSS");
  }
}
