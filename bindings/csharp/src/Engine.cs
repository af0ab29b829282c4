using System;
using System.Threading;
using System.Threading.Tasks;
using Graft.Raw;

namespace Graft {

/// <summary>
/// One model, loaded, answering requests. Any thread may use it, and any number of engines may live in one process.
/// <code>
/// using (var engine = Engine.Open("path/to/model"))
///   Console.WriteLine(engine.Generate("Once upon a time").Text);
/// </code>
/// After Dispose every other member throws ObjectDisposedException. Requests, tokenizers, tensors and profiles taken from
/// it stay valid; requests in flight go on to their end (<see cref="Shutdown"/> ends them at once).
/// </summary>
public sealed class Engine : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Engine);

  private Engine() {}

  /// <summary>Opens a model; waits until it can answer.</summary>
  /// <param name="path">A model directory (config.json, *.safetensors, tokenizer.json, ...).</param>
  /// <param name="options">null = all defaults.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">NotFound, Unsupported, CorruptData, IoError, OutOfMemory, LimitExceeded, Cancelled,
  /// CommError, VersionMismatch, InvalidArgument (an option).</exception>
  public static Engine Open(string path, EngineOptions options = null) {
    var engine = new Engine();
    try {
      return (options ?? new EngineOptions()).Call(made => {
        graft_raw.graft_engine_open(path, made, engine.Handle);
        return engine;
      });
    } catch {
      engine.Dispose();
      throw;
    }
  }

  /// <summary>Opens a model on a thread of its own.</summary>
  /// <param name="path">As for Open.</param>
  /// <param name="options">As for Open; Progress is called on that thread. They are read there, so leave them alone until the task ends.</param>
  /// <returns>The engine, the caller's to dispose.</returns>
  /// <exception cref="GraftException">As for Open.</exception>
  public static Task<Engine> OpenAsync(string path, EngineOptions options = null) => Background(() => Open(path, options));

  /// <summary>Says what Open would do, as a JSON object: policy matched, split over ranks, memory. Loads no weights.</summary>
  /// <param name="path">As for Open.</param>
  /// <param name="options">As for Open.</param>
  /// <returns>A JSON object.</returns>
  /// <exception cref="GraftException">NotFound, Unsupported, CorruptData, IoError, VersionMismatch, InvalidArgument.</exception>
  public static string Inspect(string path, EngineOptions options = null) =>
    (options ?? new EngineOptions()).Call(made => {
      graft_raw.graft_engine_inspect(path, made, out var json);
      return json;
    });

  /// <summary>What the engine is, as a JSON object: policy, dtype, devices, context limit, memory.</summary>
  /// <returns>A JSON object.</returns>
  public string Info() {
    graft_raw.graft_engine_info(Handle, out var json);
    return json;
  }

  /// <summary>What the engine has done since it was opened, as a JSON object: requests, tokens, times, cache use.</summary>
  /// <returns>A JSON object.</returns>
  public string Stats() {
    graft_raw.graft_engine_stats(Handle, out var json);
    return json;
  }

  /// <summary>The model's tokenizer. It does not need the engine to stay open.</summary>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">NotFound: the model has none.</exception>
  public Tokenizer OpenTokenizer() {
    var tokenizer = new Tokenizer();
    graft_raw.graft_engine_tokenizer(Handle, tokenizer.Handle);
    return tokenizer;
  }

  /// <summary>Hands an input to the engine and returns at once.</summary>
  /// <param name="input">Copied.</param>
  /// <param name="options">Copied; null = all defaults.</param>
  /// <param name="queue">Where the events go; null = they are pulled from the request.</param>
  /// <param name="tag">Comes back on every event, to tell requests of one queue apart.</param>
  /// <returns>The caller's to dispose; disposing cancels it.</returns>
  /// <exception cref="GraftException">InvalidArgument, LimitExceeded, Busy, Unsupported, InvalidState, Closed (shut down).</exception>
  public Request Submit(Input input, RequestOptions options = null, EventQueue queue = null, long tag = 0) =>
    Submit(input, options, null, queue, tag);

  /// <summary>Hands a text to the engine and returns at once.</summary>
  /// <param name="prompt">Encoded with the special tokens the model expects.</param>
  /// <param name="options">As for the other Submit.</param>
  /// <returns>The caller's to dispose; disposing cancels it.</returns>
  /// <exception cref="GraftException">As for the other Submit.</exception>
  public Request Submit(string prompt, RequestOptions options = null) {
    using (var input = Input.FromText(prompt)) return Submit(input, options);
  }

  /// <summary>Submits and waits for the answer.</summary>
  /// <param name="input">Copied.</param>
  /// <param name="options">null = all defaults.</param>
  /// <returns>The first answer; Submit and CompleteAll give them all.</returns>
  /// <exception cref="GraftException">As for Submit, and the request's failure.</exception>
  public Completion Generate(Input input, RequestOptions options = null) {
    using (var request = Submit(input, options)) return request.Complete();
  }

  /// <summary>Submits a text and waits for the answer.</summary>
  /// <param name="prompt">Encoded with the special tokens the model expects.</param>
  /// <param name="options">null = all defaults.</param>
  /// <returns>The first answer.</returns>
  /// <exception cref="GraftException">As for Submit, and the request's failure.</exception>
  public Completion Generate(string prompt, RequestOptions options = null) {
    using (var request = Submit(prompt, options)) return request.Complete();
  }

  /// <summary>Submits at once; a thread of its own waits for the answer. For thousands at a time use an EventQueue.</summary>
  /// <param name="input">Copied before this returns.</param>
  /// <param name="options">Copied before this returns; null = all defaults.</param>
  /// <param name="cancellationToken">Cancels the request; the task then ends as cancelled.</param>
  /// <returns>The first answer.</returns>
  /// <exception cref="GraftException">As for Submit, thrown here; the request's failure, by the task.</exception>
  public Task<Completion> GenerateAsync(Input input, RequestOptions options = null,
                                        CancellationToken cancellationToken = default(CancellationToken)) {
    if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<Completion>(cancellationToken);
    var request = Submit(input, options);
    var task = Background(() => {
      using (cancellationToken.Register(request.CancelQuietly)) {
        var completion = request.Complete();
        if (completion.FinishReason == FinishReason.Cancelled) cancellationToken.ThrowIfCancellationRequested();
        return completion;
      }
    }, cancellationToken);
    // also where the token was faster than the thread, and the work never began
    task.ContinueWith(ended => request.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    return task;
  }

  /// <summary>As the other GenerateAsync, of a text.</summary>
  /// <param name="prompt">Encoded with the special tokens the model expects.</param>
  /// <param name="options">Copied before this returns; null = all defaults.</param>
  /// <param name="cancellationToken">Cancels the request; the task then ends as cancelled.</param>
  /// <returns>The first answer.</returns>
  /// <exception cref="GraftException">As for the other GenerateAsync.</exception>
  public Task<Completion> GenerateAsync(string prompt, RequestOptions options = null,
                                        CancellationToken cancellationToken = default(CancellationToken)) {
    using (var input = Input.FromText(prompt)) return GenerateAsync(input, options, cancellationToken);
  }

  /// <summary>Runs the model once over an input and waits.</summary>
  /// <param name="input">Copied.</param>
  /// <param name="kind">Logits, Embed or Hidden; goes before that of the options.</param>
  /// <param name="options">null = all defaults.</param>
  /// <returns>The tensor "logits", "embedding" or "hidden", the caller's to dispose.</returns>
  /// <exception cref="GraftException">As for Submit, and the request's failure.</exception>
  public Tensor Compute(Input input, RequestKind kind, RequestOptions options = null) {
    string name;
    switch (kind) {
      case RequestKind.Logits: name = "logits"; break;
      case RequestKind.Embed: name = "embedding"; break;
      case RequestKind.Hidden: name = "hidden"; break;
      default: throw new GraftException(Status.InvalidArgument, "kind: " + kind + " yields no tensor");
    }
    using (var request = Submit(input, options, kind, null, 0)) {
      request.Wait();
      return request.Result(name);
    }
  }

  /// <summary>The embedding of a text, pooled as the model says.</summary>
  /// <param name="text">The text, with the prompt that the model was trained with, where it has one (see Info).</param>
  /// <returns>float32 [hidden].</returns>
  /// <exception cref="GraftException">As for Submit, and the request's failure.</exception>
  public float[] Embed(string text) {
    using (var input = Input.FromText(text))
    using (var embedding = Compute(input, RequestKind.Embed)) return embedding.ToFloats();
  }

  /// <summary>Begins or ends measuring, from the next forward pass on.</summary>
  /// <param name="enabled">Off at first. What was measured stays until it is taken.</param>
  public void SetProfiling(bool enabled) => graft_raw.graft_engine_profile(Handle, enabled ? 1 : 0);

  /// <summary>Takes what was measured since the last take; the engine starts anew.</summary>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidState: profiling is off and nothing measured is left.</exception>
  public Profile TakeProfile() {
    var profile = new Profile();
    graft_raw.graft_profile_take(Handle, profile.Handle);
    return profile;
  }

  /// <summary>Refuses new requests, cancels those in flight, and waits until threads and memory are released.</summary>
  /// <param name="timeout">How long; zero does not wait, Timeout.InfiniteTimeSpan waits for ever.</param>
  /// <returns>true when that is done, false while it goes on. The engine must still be disposed.</returns>
  public bool Shutdown(TimeSpan timeout) => graft_raw.graft_engine_close(Handle, Time.Milliseconds(timeout)) == 0;

  /// <summary>Waits until the engine has ended: on rank 0 until it was shut down, on another until rank 0 ends.</summary>
  /// <param name="timeout">How long; zero looks once, Timeout.InfiniteTimeSpan waits for ever.</param>
  /// <returns>true when it has ended, false while it works.</returns>
  /// <exception cref="GraftException">CommError or DeviceError: why it ended.</exception>
  public bool Wait(TimeSpan timeout) => graft_raw.graft_engine_wait(Handle, Time.Milliseconds(timeout)) == 0;

  /// <summary>Writes the model as the engine holds it. Not in this release: Unsupported.</summary>
  /// <param name="directory">Made if absent, must be empty.</param>
  /// <exception cref="GraftException">Unsupported, InvalidState, IoError.</exception>
  public void Save(string directory) => graft_raw.graft_engine_save(Handle, directory);

  /// <summary>Releases the engine. Never waits; any thread, any number of times.</summary>
  public void Dispose() => Handle.Dispose();

  private Request Submit(Input input, RequestOptions options, RequestKind? kind, EventQueue queue, long tag) {
    if (input == null) throw new ArgumentNullException(nameof(input));
    using (var made = (options ?? new RequestOptions()).Make(kind)) {
      var request = new Request();
      try {
        lock (input.Gate) {
          graft_raw.graft_request_submit(Handle, input.Handle, made, queue?.Handle, tag, request.Handle);
        }
      } catch {
        request.Abandon();
        throw;
      }
      return request;
    }
  }

  // A thread of its own: it waits in native code, which the thread pool would take for a thread that works.
  private static Task<T> Background<T>(Func<T> work, CancellationToken token = default(CancellationToken)) =>
    Task.Factory.StartNew(work, token, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}

}
