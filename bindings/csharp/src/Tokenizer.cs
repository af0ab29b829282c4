using System;
using System.Collections.Generic;
using Graft.Raw;

namespace Graft {

/// <summary>
/// Text to token ids and back; it needs no weights and no engine. Any thread may use it. After Dispose every other member
/// throws ObjectDisposedException.
/// </summary>
public sealed class Tokenizer : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Tokenizer);

  internal Tokenizer() {}

  /// <summary>Opens the tokenizer of a model directory.</summary>
  /// <param name="path">The directory, or a tokenizer.json.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">NotFound, CorruptData, Unsupported, IoError, VersionMismatch.</exception>
  public static Tokenizer Open(string path) {
    var tokenizer = new Tokenizer();
    graft_raw.graft_tokenizer_open(path, tokenizer.Handle);
    return tokenizer;
  }

  /// <summary>Number of ids, special tokens included.</summary>
  public long VocabularySize => graft_raw.graft_tokenizer_vocab_size(Handle);

  /// <summary>Text to ids.</summary>
  /// <param name="text">The text.</param>
  /// <param name="addSpecial">Adds what the model expects around a text.</param>
  /// <returns>A new array.</returns>
  /// <exception cref="GraftException">LimitExceeded: too long. InvalidArgument: an unpaired surrogate.</exception>
  public unsafe long[] Encode(string text, bool addSpecial = true) {
    const int few = 64;
    long* first = stackalloc long[few];
    var buffer = new NativeBuffer { Numbers = first, Capacity = few };
    graft_raw.graft_tokenizer_encode(Handle, text, addSpecial ? 1 : 0, ref buffer);
    var ids = new long[buffer.Count];
    if (buffer.Count <= few) {
      new ReadOnlySpan<long>(first, ids.Length).CopyTo(ids);
      return ids;
    }
    fixed (long* all = ids) {
      buffer = new NativeBuffer { Numbers = all, Capacity = ids.Length };
      graft_raw.graft_tokenizer_encode(Handle, text, addSpecial ? 1 : 0, ref buffer);
    }
    return ids;
  }

  /// <summary>Text to ids, into memory of the caller's.</summary>
  /// <param name="text">The text.</param>
  /// <param name="addSpecial">Adds what the model expects around a text.</param>
  /// <param name="destination">Receives the first ids, as many as it holds.</param>
  /// <returns>How many ids the text has; more than destination holds when that was too small.</returns>
  /// <exception cref="GraftException">As for the other Encode.</exception>
  public unsafe long Encode(string text, bool addSpecial, Span<long> destination) {
    fixed (long* ids = &System.Runtime.InteropServices.MemoryMarshal.GetReference(destination)) {
      var buffer = new NativeBuffer { Numbers = ids, Capacity = destination.Length };
      graft_raw.graft_tokenizer_encode(Handle, text, addSpecial ? 1 : 0, ref buffer);
      return buffer.Count;
    }
  }

  /// <summary>Ids to text.</summary>
  /// <param name="tokens">The ids; not copied.</param>
  /// <param name="skipSpecial">Leaves special tokens out.</param>
  /// <returns>The text.</returns>
  /// <exception cref="GraftException">InvalidArgument: an id outside the vocabulary.</exception>
  public string Decode(ReadOnlySpan<long> tokens, bool skipSpecial = true) {
    graft_raw.graft_tokenizer_decode(Handle, tokens, skipSpecial ? 1 : 0, out var text);
    return text;
  }

  /// <summary>The vocabulary entry of an id, as the vocabulary spells it.</summary>
  /// <param name="token">The id.</param>
  /// <returns>The piece; it need not be readable text.</returns>
  /// <exception cref="GraftException">NotFound or InvalidArgument: no such id.</exception>
  public string PieceOf(long token) {
    graft_raw.graft_tokenizer_piece(Handle, token, out var piece);
    return piece;
  }

  /// <summary>The id of a vocabulary entry.</summary>
  /// <param name="piece">As the vocabulary spells it.</param>
  /// <returns>The id.</returns>
  /// <exception cref="GraftException">NotFound.</exception>
  public long IdOf(string piece) {
    graft_raw.graft_tokenizer_id_of(Handle, piece, out var token);
    return token;
  }

  /// <summary>Writes a conversation as the text the model was trained on; encode it without special tokens.</summary>
  /// <param name="messages">The turns, oldest first.</param>
  /// <param name="optionsJson">A JSON object: add_generation_prompt, tools, or variables of the template; null for none.</param>
  /// <returns>The text.</returns>
  /// <exception cref="GraftException">Unsupported: no template. InvalidArgument, CorruptData, LimitExceeded.</exception>
  public string ApplyChatTemplate(IEnumerable<ChatMessage> messages, string optionsJson = null) =>
    ApplyChatTemplate(Json.Messages(messages), optionsJson);

  /// <summary>Writes a conversation, given as JSON, as the text the model was trained on.</summary>
  /// <param name="messagesJson">An array of {"role": ..., "content": ...}.</param>
  /// <param name="optionsJson">As for the other ApplyChatTemplate.</param>
  /// <returns>The text.</returns>
  /// <exception cref="GraftException">As for the other ApplyChatTemplate.</exception>
  public string ApplyChatTemplate(string messagesJson, string optionsJson = null) {
    graft_raw.graft_tokenizer_apply_chat_template(Handle, messagesJson, optionsJson ?? "", out var text);
    return text;
  }

  /// <summary>Makes a decoder for one stream of ids. It does not need this tokenizer to stay open.</summary>
  /// <param name="skipSpecial">Leaves special tokens out.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">OutOfMemory.</exception>
  public Decoder CreateDecoder(bool skipSpecial = true) {
    var decoder = new Decoder();
    graft_raw.graft_decoder_new(Handle, skipSpecial ? 1 : 0, decoder.Handle);
    return decoder;
  }

  /// <summary>Releases the tokenizer. Any thread, any number of times.</summary>
  public void Dispose() => Handle.Dispose();
}

/// <summary>Turns one stream of ids into whole characters. Calls of several threads take turns.</summary>
public sealed class Decoder : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Decoder);
  private readonly object gate = new object();  // the native object is for one thread at a time

  internal Decoder() {}

  /// <summary>Feeds one id.</summary>
  /// <param name="token">The id.</param>
  /// <returns>The characters that became complete with it, often none.</returns>
  /// <exception cref="GraftException">InvalidArgument: an id outside the vocabulary.</exception>
  public string Push(long token) {
    lock (gate) {
      graft_raw.graft_decoder_push(Handle, token, out var text);
      return text;
    }
  }

  /// <summary>Ends the stream; the next id begins another.</summary>
  /// <returns>What is left.</returns>
  public string Flush() => Push(-1);

  /// <summary>Releases the decoder. Any thread, any number of times.</summary>
  public void Dispose() => Handle.Dispose();
}

}
