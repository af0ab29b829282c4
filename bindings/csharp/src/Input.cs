using System;
using System.Collections.Generic;
using Graft.Raw;

namespace Graft {

/// <summary>One turn of a conversation.</summary>
public sealed class ChatMessage {
  /// <summary>A turn.</summary>
  /// <param name="role">"system", "user", "assistant", or what else the model's template knows.</param>
  /// <param name="content">What was said.</param>
  public ChatMessage(string role, string content) {
    Role = role ?? throw new ArgumentNullException(nameof(role));
    Content = content ?? throw new ArgumentNullException(nameof(content));
  }

  /// <summary>Who said it.</summary>
  public string Role { get; }

  /// <summary>What was said.</summary>
  public string Content { get; }
}

/// <summary>
/// What a request is about: text, or token ids, or a conversation, and what else the model takes in. Submitting copies it,
/// so one input may serve any number of requests, be changed in between, and be disposed right after. Calls of several
/// threads take turns. After Dispose every other member throws ObjectDisposedException.
/// </summary>
public sealed class Input : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Input);
  internal readonly object Gate = new object();  // the native object is for one thread at a time

  /// <summary>An empty input: one of text, tokens and chat must be set before it is submitted.</summary>
  /// <exception cref="GraftException">OutOfMemory.</exception>
  public Input() {
    graft_raw.graft_input_new(Handle);
  }

  /// <summary>A text; the model's tokenizer encodes it, with the special tokens the model expects.</summary>
  /// <param name="text">The prompt.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument: an unpaired surrogate.</exception>
  public static Input FromText(string text) => Made(input => input.SetText(text));

  /// <summary>Token ids as they are; nothing is added.</summary>
  /// <param name="tokens">Ids, each at least 0; copied.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument: an id below 0.</exception>
  public static Input FromTokens(ReadOnlySpan<long> tokens) {
    var input = new Input();
    try {
      return input.SetTokens(tokens);
    } catch {
      input.Dispose();
      throw;
    }
  }

  /// <summary>A conversation, written out with the model's chat template, with the start of the model's answer.</summary>
  /// <param name="messages">The turns, oldest first.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument: an unpaired surrogate.</exception>
  public static Input FromChat(params ChatMessage[] messages) => Made(input => input.SetChat(messages));

  /// <summary>A conversation as JSON.</summary>
  /// <param name="json">An array of {"role": ..., "content": ...}; looked at when it is submitted.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument.</exception>
  public static Input FromChatJson(string json) => Made(input => input.SetChatJson(json));

  /// <summary>Sets the text, in place of an earlier one.</summary>
  /// <param name="text">The prompt.</param>
  /// <returns>This input.</returns>
  public Input SetText(string text) => Locked(() => graft_raw.graft_input_set_text(Handle, text));

  /// <summary>Sets the token ids, in place of earlier ones.</summary>
  /// <param name="tokens">Ids, each at least 0; copied once, into the native input.</param>
  /// <returns>This input.</returns>
  public Input SetTokens(ReadOnlySpan<long> tokens) {
    lock (Gate) graft_raw.graft_input_set_tokens(Handle, tokens);
    return this;
  }

  /// <summary>Sets the conversation, in place of an earlier one.</summary>
  /// <param name="messages">The turns, oldest first.</param>
  /// <returns>This input.</returns>
  public Input SetChat(IEnumerable<ChatMessage> messages) {
    string json = Json.Messages(messages);
    return SetChatJson(json);
  }

  /// <summary>Sets the conversation, in place of an earlier one.</summary>
  /// <param name="json">An array of {"role": ..., "content": ...}.</param>
  /// <returns>This input.</returns>
  public Input SetChatJson(string json) => Locked(() => graft_raw.graft_input_set_chat(Handle, json));

  /// <summary>Encoder-decoder models: ids that the decoder starts from; none = the model's start token.</summary>
  /// <param name="tokens">Ids, each at least 0; copied.</param>
  /// <returns>This input.</returns>
  public Input SetDecoderTokens(ReadOnlySpan<long> tokens) {
    lock (Gate) graft_raw.graft_input_set_decoder_tokens(Handle, tokens);
    return this;
  }

  /// <summary>Models with segments: the segment of each token; none = all in the first.</summary>
  /// <param name="types">Segments, each at least 0; copied.</param>
  /// <returns>This input.</returns>
  public Input SetTokenTypes(ReadOnlySpan<long> types) {
    lock (Gate) graft_raw.graft_input_set_token_types(Handle, types);
    return this;
  }

  /// <summary>A named tensor that the model takes in, "pixel_values" for example.</summary>
  /// <param name="name">Not empty; the same name replaces the tensor.</param>
  /// <param name="tensor">Its storage is shared, so it may be disposed; null removes the name.</param>
  /// <returns>This input.</returns>
  public Input SetTensor(string name, Tensor tensor) =>
    Locked(() => graft_raw.graft_input_set_tensor(Handle, name, tensor?.Handle));

  /// <summary>Releases the input; requests made of it are not touched. Any thread, any number of times.</summary>
  public void Dispose() => Handle.Dispose();

  private Input Locked(Action set) {
    lock (Gate) set();
    return this;
  }

  private static Input Made(Func<Input, Input> set) {
    var input = new Input();
    try {
      return set(input);
    } catch {
      input.Dispose();
      throw;
    }
  }
}

}
