using System.Collections.Generic;
using System.Text;

namespace Graft {

/// <summary>One whole answer. It never changes, and any thread may use it.</summary>
public sealed class Completion {
  private Completion(long sequence, string text, long[] tokens, Event last) {
    Sequence = sequence;
    Text = text;
    Tokens = tokens;
    FinishReason = last.FinishReason;
    Usage = last.Usage;
  }

  /// <summary>Which of the request's answers it is, from 0.</summary>
  public long Sequence { get; }

  /// <summary>The text.</summary>
  public string Text { get; }

  /// <summary>Ids of the tokens that were generated.</summary>
  public IReadOnlyList<long> Tokens { get; }

  /// <summary>Why it ended; Cancelled when somebody cancelled the request.</summary>
  public FinishReason FinishReason { get; }

  /// <summary>Counts of tokens.</summary>
  public Usage Usage { get; }

  /// <summary>Collects the events of one request into its answers.</summary>
  internal sealed class Builder {
    private readonly SortedDictionary<long, StringBuilder> texts = new SortedDictionary<long, StringBuilder>();
    private readonly SortedDictionary<long, List<long>> tokens = new SortedDictionary<long, List<long>>();
    private readonly List<Completion> made = new List<Completion>();

    internal void Add(Event e) {
      if (!texts.TryGetValue(e.Sequence, out var text)) {
        texts[e.Sequence] = text = new StringBuilder();
        tokens[e.Sequence] = new List<long>();
      }
      text.Append(e.Text);
      if (e.Token >= 0) tokens[e.Sequence].Add(e.Token);
      if (e.Kind == EventKind.Finished) made.Add(new Completion(e.Sequence, text.ToString(), tokens[e.Sequence].ToArray(), e));
    }

    internal IReadOnlyList<Completion> Made() {
      made.Sort((a, b) => a.Sequence.CompareTo(b.Sequence));
      return made;
    }
  }
}

}
