using System;
using System.Runtime.InteropServices;

namespace Graft.Raw {

/// <summary>graft_csharp_result: how a call ended, with the text that was taken in the same native call.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Result {
  private byte* text;
  private int status;

  /// <summary>Throws what failed. A buffer that is too small is an answer: its count says what is needed.</summary>
  internal void Check() {
    if (status != 0 && status != graft_raw.GRAFT_STATUS_BUFFER_TOO_SMALL) throw Failure();
  }

  /// <summary>OK, TIMEOUT or END; throws everything else.</summary>
  internal int Poll() {
    if (status != 0 && status != graft_raw.GRAFT_STATUS_TIMEOUT && status != graft_raw.GRAFT_STATUS_END) throw Failure();
    return status;
  }

  private GraftException Failure() {
    try {
      return new GraftException((Status)status, Utf8.Text((IntPtr)text));
    } finally {
      ByHand.graft_csharp_free((IntPtr)text);
    }
  }
}

/// <summary>graft_csharp_span: memory of either side and its number of elements.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSpan {
  internal void* Data;
  internal long Size;

  internal NativeSpan(void* data, long size) {
    Data = data;
    Size = size;
  }

  internal NativeSpan Itself() => this;

  internal string Text() => Utf8.Text((byte*)Data, Size);

  internal long[] Numbers() => Data == null ? new long[0] : new ReadOnlySpan<long>(Data, checked((int)Size)).ToArray();
}

/// <summary>graft_csharp_buffer: arrays that the caller has pinned, and how many elements there were.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeBuffer {
  internal long* Numbers;
  internal double* Values;
  internal long Capacity;
  internal long Count;
}

/// <summary>graft_csharp_text: a text made by a call; taking it frees the native string.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeText {
  private byte* data;
  private long size;
  private IntPtr made;

  internal string Take() {
    if (made == IntPtr.Zero) return null;
    try {
      return Utf8.Text(data, size);
    } finally {
      ByHand.graft_csharp_string_free(made);
      made = IntPtr.Zero;
    }
  }
}

/// <summary>graft_csharp_event: everything an event says, read in one call.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeEvent {
  internal byte* Text;
  internal long TextSize;
  internal byte* Message;
  internal long Tag;
  internal long Sequence;
  internal long Token;
  internal long PromptTokens;
  internal long CompletionTokens;
  internal long CachedTokens;
  internal long TopCount;
  internal double Logprob;
  internal double Progress;
  internal int Kind;
  internal int FinishReason;
  internal int Status;
  internal int Last;
}

}
