using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Graft.Raw {

/// <summary>Text on its way in and out: real UTF-8, with its size, so that NULs and every character pass.</summary>
internal static unsafe class Utf8 {
  // Throws at an unpaired surrogate instead of writing U+FFFD in its place.
  private static readonly UTF8Encoding Strict = new UTF8Encoding(false, true);

  /// <summary>The bytes and a NUL; the size is the length less one. Never empty, so that pinning gives a pointer.</summary>
  internal static byte[] Bytes(string text, string name) {
    if (text == null) throw new ArgumentNullException(name);
    try {
      var bytes = new byte[Strict.GetByteCount(text) + 1];
      Strict.GetBytes(text, 0, text.Length, bytes, 0);
      return bytes;
    } catch (EncoderFallbackException e) {
      throw new GraftException(Status.InvalidArgument, name + ": an unpaired surrogate at index " + e.Index + " is no text");
    }
  }

  internal static string Text(byte* data, long size) =>
    data == null || size == 0 ? "" : Encoding.UTF8.GetString(data, checked((int)size));

  /// <summary>Borrowed text that ends with a NUL.</summary>
  internal static string Text(IntPtr text) {
    byte* at = (byte*)text;
    if (at == null) return "";
    long size = 0;
    while (at[size] != 0) ++size;
    return Text(at, size);
  }
}

/// <summary>Several NUL-terminated texts in native memory, for the length of one call.</summary>
internal unsafe struct Utf8Array : IDisposable {
  private readonly IntPtr memory;
  private readonly long count;

  internal Utf8Array(string[] texts, string name) {
    if (texts == null) throw new ArgumentNullException(name);
    var encoded = new byte[texts.Length][];
    long size = texts.Length * sizeof(byte*) + 1;  // never 0: the pointer is then one in any case
    for (int i = 0; i < texts.Length; ++i) {
      string which = name + "[" + i + "]";
      encoded[i] = Utf8.Bytes(texts[i], which);
      if (texts[i].IndexOf('\0') >= 0) throw new GraftException(Status.InvalidArgument, which + ": a NUL cannot stand in a name");
      size += encoded[i].Length;
    }
    memory = Marshal.AllocHGlobal(new IntPtr(size));
    count = texts.Length;
    byte* text = (byte*)memory + texts.Length * sizeof(byte*);
    for (int i = 0; i < texts.Length; ++i) {
      ((byte**)memory)[i] = text;
      Marshal.Copy(encoded[i], 0, (IntPtr)text, encoded[i].Length);
      text += encoded[i].Length;
    }
  }

  internal NativeSpan Span => new NativeSpan((void*)memory, count);

  public void Dispose() => Marshal.FreeHGlobal(memory);
}

}
