using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Graft;

/// <summary>One line of the table.</summary>
internal sealed class Case {
  internal readonly Session Session;
  private readonly Dictionary<string, string> values = new Dictionary<string, string>();

  internal Case(Session session, IEnumerable<string> pairs) {
    Session = session;
    foreach (string pair in pairs) {
      int equals = pair.IndexOf('=');
      values[pair.Substring(0, equals)] = session.WithPaths(Escapes.Read(pair.Substring(equals + 1)));
    }
  }

  internal Case(Session session, string prompt) : this(session, new[] { "prompt=" + prompt }) {}

  internal bool Has(string key) => values.ContainsKey(key);
  internal string Text(string key, string otherwise = "") => values.TryGetValue(key, out var found) ? found : otherwise;
  internal long Number(string key, long otherwise) => Has(key) ? long.Parse(Text(key), CultureInfo.InvariantCulture) : otherwise;
  internal long[] Numbers(string key) =>
    Text(key).Split(new[] { ' ' }, StringSplitOptions.RemoveEmptyEntries).Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();

  /// <summary>Runs with the case's own engine, or with the shared one.</summary>
  internal string WithEngine(Func<Engine, string> use) {
    if (!Has("engine")) return use(Session.Engine);
    using (var engine = Engine.Open(Session.Model, new EngineOptions { Json = Text("engine") })) return use(engine);
  }

  internal RequestOptions Options() => new RequestOptions { Json = Has("options") ? Text("options") : null };

  internal Request Submit(Engine engine, RequestOptions options = null, EventQueue queue = null, long tag = 0) {
    using (var input = new Input()) {
      options = options ?? Options();
      options.Validate();  // as in C: options before the input
      if (Has("prompt")) input.SetText(Text("prompt"));
      if (Has("chat")) input.SetChatJson(Text("chat"));
      if (Has("tokens")) input.SetTokens(Numbers("tokens"));
      return engine.Submit(input, options, queue, tag);
    }
  }

  /// <summary>Submits, pulls to the end, and hands every event on.</summary>
  internal void Pull(Action<Event, Request> visit) {
    WithEngine(engine => {
      using (var request = Submit(engine)) foreach (var e in request) visit(e, request);
      return "";
    });
  }
}

/// <summary>What cases share.</summary>
internal sealed class Session {
  private Engine engine, embedder;
  private Tokenizer tokenizer;
  private readonly object gate = new object();
  internal readonly string Model, Embedding, Scratch;

  internal Session(string model, string embedding, string scratch) {
    Model = model;
    Embedding = embedding;
    Scratch = scratch;
  }

  internal static EngineOptions OneThread() => new EngineOptions { Json = "{\"threads\": 1}" };
  internal Engine Engine { get { lock (gate) return engine ?? (engine = Engine.Open(Model, OneThread())); } }
  internal Engine Embedder { get { lock (gate) return embedder ?? (embedder = Engine.Open(Embedding, OneThread())); } }
  internal Tokenizer Tokenizer { get { lock (gate) return tokenizer ?? (tokenizer = Tokenizer.Open(Model)); } }
  internal string WithPaths(string text) =>
    text.Replace("${model}", Model).Replace("${embedding}", Embedding).Replace("${scratch}", Scratch);
  internal string WithNames(string text) =>
    text.Replace(Model, "${model}").Replace(Embedding, "${embedding}").Replace(Scratch, "${scratch}");
}

internal static class Escapes {
  internal static string Read(string escaped) {
    var text = new StringBuilder();
    for (int i = 0; i < escaped.Length; ++i) {
      if (escaped[i] != '\\') {
        text.Append(escaped[i]);
        continue;
      }
      switch (escaped[++i]) {
        case '\\': text.Append('\\'); break;
        case 'n': text.Append('\n'); break;
        case 'r': text.Append('\r'); break;
        case 't': text.Append('\t'); break;
        case '0': text.Append('\0'); break;
        case 'u':
          int end = escaped.IndexOf('}', i);
          text.Append(char.ConvertFromUtf32(Convert.ToInt32(escaped.Substring(i + 2, end - i - 2), 16)));
          i = end;
          break;
        default: throw new FormatException("the table has no such escape: " + escaped);
      }
    }
    return text.ToString();
  }

  internal static string Write(string text) =>
    text.Replace("\\", "\\\\").Replace("\n", "\\n").Replace("\r", "\\r").Replace("\t", "\\t").Replace("\0", "\\0");
}

internal static class Driver {
  internal static string Failure(GraftException e) => e.StatusName + " " + e.Message;

  private static string Run(Func<Case, string> kind, Case c) {
    try {
      return kind(c);
    } catch (GraftException e) {
      return Failure(e);
    } catch (ObjectDisposedException e) {
      return e.Message.Contains("closed") ? "CLOSED" : "disposed without saying closed";
    }
  }

  private static int Main(string[] arguments) {
    if (arguments.Length < 4) {
      Console.Error.WriteLine("usage: conformance CASES MODEL EMBEDDING_MODEL SCRATCH [NAME...]");
      return 2;
    }
    Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
    var session = new Session(arguments[1], arguments[2], arguments[3]);
    var wanted = new HashSet<string>(arguments.Skip(4));
    var kinds = new Dictionary<string, Func<Case, string>>();
    TextKinds.Add(kinds);
    GenerateKinds.Add(kinds);
    LifetimeKinds.Add(kinds);
    OptionKinds.Add(kinds);
    QueueKinds.Add(kinds);
    int bad = 0;
    using (var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { NewLine = "\n", AutoFlush = true }) {
      foreach (string line in File.ReadAllText(arguments[0], Encoding.UTF8).Split('\n')) {
        if (line.Length == 0 || line[0] == '#') continue;
        var fields = line.Split('\t');
        if (wanted.Count > 0 && !wanted.Contains(fields[0])) continue;
        if (!kinds.TryGetValue(fields[1], out var kind)) {
          Console.Error.WriteLine(fields[0] + ": no kind \"" + fields[1] + "\"");
          bad = 1;
          continue;
        }
        output.WriteLine(fields[0] + "\t" + Escapes.Write(session.WithNames(Run(kind, new Case(session, fields.Skip(2))))));
      }
    }
    return bad;
  }
}
