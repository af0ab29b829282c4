using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Graft;

/// <summary>Answers questions about a folder of text files: assistant CHAT_MODEL EMBEDDING_MODEL FOLDER.</summary>
internal static class Assistant {
  private sealed class Passage {
    internal string File, Text;
    internal float[] Embedding;
  }

  private static int Main(string[] arguments) {
    if (arguments.Length != 3) {
      Console.Error.WriteLine("usage: assistant CHAT_MODEL EMBEDDING_MODEL FOLDER");
      return 2;
    }
    try {
      using (var chat = Engine.Open(arguments[0]))
      using (var embedder = Engine.Open(arguments[1]))
      using (var tokenizer = chat.OpenTokenizer()) {
        var passages = Read(arguments[2], embedder);
        Console.WriteLine(passages.Count + " passages. Ask; an empty line ends.");
        string question;
        while (!string.IsNullOrWhiteSpace(question = Console.ReadLine())) {
          var asked = embedder.Embed(question);
          var best = passages.OrderByDescending(passage => Similarity(passage.Embedding, asked)).First();
          Console.WriteLine("[" + best.File + "] " + best.Text);
          Answer(chat, tokenizer, best.Text, question);
        }
      }
      return 0;
    } catch (GraftException e) {
      Console.Error.WriteLine(e.StatusName + ": " + e.Message);
      return 1;
    } catch (IOException e) {
      Console.Error.WriteLine(e.Message);
      return 1;
    }
  }

  private static List<Passage> Read(string folder, Engine embedder) {
    var passages = new List<Passage>();
    foreach (string file in Directory.GetFiles(folder, "*.txt").OrderBy(name => name, StringComparer.Ordinal)) {
      foreach (string paragraph in File.ReadAllText(file).Replace("\r", "").Split(new[] { "\n\n" }, StringSplitOptions.RemoveEmptyEntries)) {
        string text = paragraph.Replace('\n', ' ').Trim();
        if (text.Length == 0) continue;
        passages.Add(new Passage { File = Path.GetFileName(file), Text = text, Embedding = embedder.Embed(text) });
      }
    }
    if (passages.Count == 0) throw new IOException(folder + ": no text files (*.txt)");
    return passages;
  }

  /// <summary>The cosine of the angle between two embeddings.</summary>
  private static double Similarity(float[] a, float[] b) {
    double product = 0, lengthA = 0, lengthB = 0;
    for (int i = 0; i < a.Length; ++i) {
      product += a[i] * b[i];
      lengthA += a[i] * a[i];
      lengthB += b[i] * b[i];
    }
    return product / Math.Sqrt(lengthA * lengthB + 1e-30);
  }

  /// <summary>Streams the answer. A passage that does not fit into the model's context is cut in half until it does.</summary>
  private static void Answer(Engine chat, Tokenizer tokenizer, string passage, string question) {
    var options = new RequestOptions { Greedy = true, MaxTokens = 64 };
    var ids = tokenizer.Encode(passage, false);
    for (int kept = ids.Length;; kept /= 2) {
      string text = tokenizer.Decode(ids.AsSpan(0, kept));
      try {
        using (var input = Input.FromChat(new ChatMessage("user", (kept > 0 ? text + "\n\n" : "") + question)))
        using (var request = chat.Submit(input, options)) {
          foreach (var e in request) {
            Console.Write(e.Text);
            Console.Out.Flush();
          }
          Console.WriteLine();
          return;
        }
      } catch (GraftException e) when (e.Status == Status.LimitExceeded && kept > 0) {
        // again, with less of the passage
      }
    }
  }
}
