using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using Graft;

/// <summary>Who may be closed before whom, tensors read in place, failures of two threads.</summary>
internal static class LifetimeKinds {
  internal static void Add(IDictionary<string, Func<Case, string>> kinds) {
    kinds["double_close"] = DoubleClose;
    kinds["use_after_close"] = UseAfterClose;
    kinds["parent_first"] = ParentFirst;
    kinds["unreachable"] = Unreachable;
    kinds["tensor"] = c => c.WithEngine(engine => Result(c.Submit(engine), c.Text("result"), false));
    kinds["embed"] = Embed;
    kinds["tensor_new"] = NewTensor;
    kinds["input_tensor"] = InputTensor;
    kinds["error_threads"] = ErrorThreads;
  }

  private static IDisposable Make(Case c) {
    switch (c.Text("of")) {
      case "engine": return Engine.Open(c.Session.Model, Session.OneThread());
      case "tokenizer": return Tokenizer.Open(c.Session.Model);
      case "request": return c.Session.Engine.Submit("What is");
      case "tensor": return Tensor.FromFloats(new float[] { 1, 2 }, 2);
      case "queue": return new EventQueue();
      default: throw new ArgumentException("no such object: " + c.Text("of"));
    }
  }

  private static string DoubleClose(Case c) {
    var made = Make(c);
    made.Dispose();
    made.Dispose();
    return "ok";
  }

  private static string UseAfterClose(Case c) {
    var made = Make(c);
    made.Dispose();
    if (made is Engine engine) return engine.Info();
    if (made is Tokenizer tokenizer) return tokenizer.Encode("x").Length.ToString();
    if (made is Request request) return request.TryNext(TimeSpan.Zero, out var next).ToString();
    if (made is Tensor tensor) return tensor.ToFloats().Length.ToString();
    return ((EventQueue)made).TryNext(TimeSpan.Zero, out var first).ToString();
  }

  private static string ParentFirst(Case c) {
    switch (c.Text("of")) {
      case "engine": {
        var engine = Engine.Open(c.Session.Model, Session.OneThread());
        using (var request = c.Submit(engine)) {
          engine.Dispose();
          return request.Complete().Text;
        }
      }
      case "tokenizer": {
        var tokenizer = Tokenizer.Open(c.Session.Model);
        using (var decoder = tokenizer.CreateDecoder()) {
          tokenizer.Dispose();
          return string.Concat(c.Numbers("tokens").Select(decoder.Push));
        }
      }
      case "request": {
        var engine = Engine.Open(c.Session.Model, Session.OneThread());
        var request = c.Submit(engine);
        engine.Dispose();
        return Result(request, "logits", true);
      }
      case "options":
        using (var request = c.Submit(c.Session.Engine)) return request.Complete().Text;  // submit closes the native options
      default: return "no such parent";
    }
  }

  [MethodImpl(MethodImplOptions.NoInlining)]
  private static void Drop(Case c) {
    var engine = Engine.Open(c.Session.Model, Session.OneThread());
    var tokenizer = engine.OpenTokenizer();
    var request = c.Submit(engine);
    var first = request.Next();
    var tensor = Tensor.FromFloats(new float[] { 1 }, 1);
    var queue = new EventQueue();
    if (first == null || tokenizer.VocabularySize == 0 || tensor.ByteSize == 0) throw new InvalidOperationException("nothing to drop");
    queue.Wake();
  }

  private static string Unreachable(Case c) {
    var thread = new Thread(() => Drop(c));  // its stack ends with it, so nothing there keeps what was dropped
    thread.Start();
    thread.Join();
    GC.Collect();
    GC.WaitForPendingFinalizers();
    return GenerateKinds.Generate(c);
  }

  private static string Result(Request request, string name, bool close) {
    using (request) {
      request.Wait();
      using (var tensor = request.Result(name)) {
        if (close) request.Dispose();
        return Describe(tensor);
      }
    }
  }

  private static string Describe(Tensor tensor) {
    ulong hash = tensor.Read<byte, ulong>(bytes => {
      ulong h = 0xCBF29CE484222325;
      foreach (byte b in bytes) h = unchecked((h ^ b) * 0x100000001B3);
      return h;
    });
    return tensor.DType.ToString().ToLowerInvariant() + " [" + string.Join(", ", tensor.Shape) + "] " + hash.ToString("x16");
  }

  private static string Embed(Case c) {
    var options = c.Options();
    options.Kind = RequestKind.Embed;
    using (var input = Input.FromText(c.Text("text"))) return Result(c.Session.Embedder.Submit(input, options), "embedding", false);
  }

  private static string NewTensor(Case c) {
    Tensor.Create((DType)c.Number("dtype", 0), c.Numbers("shape"), new byte[c.Number("bytes", 0)]).Dispose();
    return "ok";
  }

  private static string InputTensor(Case c) {
    var shape = c.Numbers("shape");
    using (var tensor = Tensor.FromFloats(new float[shape.Aggregate(1L, (product, size) => product * size)], shape))
    using (var input = new Input().SetTensor(c.Text("result"), tensor))
    using (c.Session.Engine.Submit(input)) return "ok";
  }

  private static string ErrorThreads(Case c) {
    using (var barrier = new Barrier(2)) {
      var texts = new[] { new HashSet<string>(), new HashSet<string>() };
      Action<int, Action> fail = (which, call) => {
        for (long i = 0; i < c.Number("rounds", 1); ++i) {
          barrier.SignalAndWait();
          try {
            call();
            texts[which].Add("succeeded");
          } catch (GraftException e) {
            texts[which].Add(Driver.Failure(e));
          }
        }
      };
      var thread = new Thread(() => fail(1, () => new EngineOptions { Json = c.Text("json") }.Validate()));
      thread.Start();
      fail(0, () => Engine.Open(c.Text("path")).Dispose());
      thread.Join();
      return texts.All(found => found.Count == 1) ? texts[0].First() + " || " + texts[1].First() : "mixed";
    }
  }
}
