using System;
using System.Collections.Generic;
using Graft.Raw;

namespace Graft {

/// <summary>Counts of tokens.</summary>
public struct Usage {
  internal Usage(long prompt, long completion, long cached) {
    PromptTokens = prompt;
    CompletionTokens = completion;
    CachedTokens = cached;
  }

  /// <summary>Tokens that went in.</summary>
  public long PromptTokens { get; }

  /// <summary>Tokens generated so far.</summary>
  public long CompletionTokens { get; }

  /// <summary>Tokens of the prompt that were found in the cache.</summary>
  public long CachedTokens { get; }
}

/// <summary>A token and the natural logarithm of its probability.</summary>
public struct TokenLogprob {
  internal TokenLogprob(long token, double logprob) {
    Token = token;
    Logprob = logprob;
  }

  /// <summary>The token's id.</summary>
  public long Token { get; }

  /// <summary>Under the model, before any rule or sampling setting.</summary>
  public double Logprob { get; }
}

/// <summary>One thing that happened to a request. It never changes, and any thread may use it.</summary>
public sealed class Event {
  private static readonly TokenLogprob[] NoLogprobs = new TokenLogprob[0];
  private readonly TokenLogprob[] top = NoLogprobs;

  /// <summary>Takes everything out of a native event, which the next event will fill again.</summary>
  internal unsafe Event(Handle source) {
    NativeEvent read;
    using (var hold = new Handle.Hold(source)) {
      ByHand.graft_csharp_event_read(hold.Pointer, out read);
      Text = Utf8.Text(read.Text, read.TextSize);
      Message = read.Status == 0 ? "" : Utf8.Text((IntPtr)read.Message);
      if (read.TopCount > 0) top = ReadTop(source, read.TopCount);
    }
    Kind = (EventKind)read.Kind;
    Tag = read.Tag;
    Sequence = read.Sequence;
    Token = read.Token;
    Logprob = read.Logprob;
    FinishReason = (FinishReason)read.FinishReason;
    Usage = new Usage(read.PromptTokens, read.CompletionTokens, read.CachedTokens);
    Progress = read.Progress;
    Status = (Status)read.Status;
    IsLast = read.Last != 0;
  }

  /// <summary>What happened.</summary>
  public EventKind Kind { get; }

  /// <summary>The tag given at submit, which tells requests of one queue apart.</summary>
  public long Tag { get; }

  /// <summary>Which of the request's answers it belongs to, from 0.</summary>
  public long Sequence { get; }

  /// <summary>The token's id; -1 when the event has none.</summary>
  public long Token { get; }

  /// <summary>New text, whole characters; "" when there is none.</summary>
  public string Text { get; }

  /// <summary>Natural logarithm of the token's probability, for requests with TopLogprobs; 0 otherwise.</summary>
  public double Logprob { get; }

  /// <summary>The most likely tokens at this step, most likely first, for requests with TopLogprobs.</summary>
  public IReadOnlyList<TokenLogprob> TopLogprobs => top;

  /// <summary>Why the sequence ended; None on other events.</summary>
  public FinishReason FinishReason { get; }

  /// <summary>Counts of tokens so far.</summary>
  public Usage Usage { get; }

  /// <summary>How much of the prompt has been read, in [0, 1].</summary>
  public double Progress { get; }

  /// <summary>Nothing more will come of the event's request, in all its answers: so a reader of a queue learns its end.</summary>
  public bool IsLast { get; }

  /// <summary>The status of the request: Ok unless Kind is Error.</summary>
  public Status Status { get; }

  /// <summary>Text of the failure; "" when there is none.</summary>
  public string Message { get; }

  /// <summary>Throws the failure that an event of kind Error tells of; does nothing on others.</summary>
  /// <exception cref="GraftException">The request's failure.</exception>
  public void ThrowIfError() {
    if (Kind == EventKind.Error) throw new GraftException(Status, Message);
  }

  private static unsafe TokenLogprob[] ReadTop(Handle source, long count) {
    var tokens = new long[count];
    var logprobs = new double[count];
    fixed (long* ids = tokens) {
      fixed (double* values = logprobs) {
        var buffer = new NativeBuffer { Numbers = ids, Values = values, Capacity = count };
        graft_raw.graft_event_top_logprobs(source, ref buffer);
      }
    }
    var top = new TokenLogprob[count];
    for (int i = 0; i < top.Length; ++i) top[i] = new TokenLogprob(tokens[i], logprobs[i]);
    return top;
  }
}

}
