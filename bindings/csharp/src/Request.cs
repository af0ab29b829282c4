using System;
using System.Collections;
using System.Collections.Generic;
using System.Threading;
using Graft.Raw;

namespace Graft {

/// <summary>
/// One input on its way through an engine. Its events are pulled, and each comes once:
/// <code>
/// using (var request = engine.Submit("Hello"))
///   foreach (var e in request) Console.Write(e.Text);
/// </code>
/// Any thread may use it; pulls of several threads take turns, and each event goes to one of them. A loop that is left
/// early may be taken up again; the request goes on until it is cancelled, disposed or collected. After Dispose every other
/// member throws ObjectDisposedException.
/// </summary>
public sealed partial class Request : IEnumerable<Event>, IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Request);
  private readonly Handle current = new Handle(Handle.Kind.Event);  // refilled, so a stream allocates nothing natively
  private readonly object pulling = new object();

  internal Request() {
    graft_raw.graft_event_new(current);
  }

  /// <summary>Waits for the next event.</summary>
  /// <param name="timeout">How long; zero looks once, Timeout.InfiniteTimeSpan waits for ever.</param>
  /// <param name="next">The event, or null. A request that failed gives an event of kind Error, then the end.</param>
  /// <returns>Whether there is one.</returns>
  /// <exception cref="GraftException">InvalidState: the events go to a queue.</exception>
  public Poll TryNext(TimeSpan timeout, out Event next) => Pull(Time.Milliseconds(timeout), out next);

  /// <summary>Waits for the next event, for ever.</summary>
  /// <returns>The event; null at the end.</returns>
  /// <exception cref="GraftException">InvalidState: the events go to a queue.</exception>
  public Event Next() {
    Pull(-1, out var next);
    return next;
  }

  /// <summary>The events that are still to come, to the end.</summary>
  /// <returns>Each MoveNext waits for the next event; one of kind Error is thrown as GraftException.</returns>
  public IEnumerator<Event> GetEnumerator() {
    for (var next = Next(); next != null; next = Next()) {
      next.ThrowIfError();
      yield return next;
    }
  }

  IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

  /// <summary>Pulls to the end and puts the answers together.</summary>
  /// <returns>One for each sequence, in their order.</returns>
  /// <exception cref="GraftException">The request's failure.</exception>
  public IReadOnlyList<Completion> CompleteAll() {
    var builder = new Completion.Builder();
    foreach (var e in this) builder.Add(e);
    return builder.Made();
  }

  /// <summary>Pulls to the end and puts the first answer together.</summary>
  /// <returns>The answer; one that was cancelled is what had come until then.</returns>
  /// <exception cref="GraftException">The request's failure; InvalidState when its events were pulled before.</exception>
  public Completion Complete() {
    var made = CompleteAll();
    if (made.Count == 0) throw new GraftException(Status.InvalidState, "no end of an answer came: its events were pulled before");
    return made[0];
  }

  /// <summary>Asks the engine to stop; the request ends with FinishReason.Cancelled unless it has ended before.</summary>
  /// <remarks>Any thread, also while another one pulls; any number of times.</remarks>
  public void Cancel() => graft_raw.graft_request_cancel(Handle);

  /// <summary>Waits until the request has ended; its events stay where they are.</summary>
  /// <param name="timeout">How long; zero looks once, Timeout.InfiniteTimeSpan waits for ever.</param>
  /// <returns>true when it has ended, false when the time passed first.</returns>
  /// <exception cref="GraftException">The request's failure.</exception>
  public bool Wait(TimeSpan timeout) => graft_raw.graft_request_wait(Handle, Time.Milliseconds(timeout)) == 0;

  /// <summary>Waits until the request has ended, for ever.</summary>
  /// <exception cref="GraftException">The request's failure.</exception>
  public void Wait() => Wait(Timeout.InfiniteTimeSpan);

  /// <summary>The result of a finished request of kind Logits, Embed or Hidden.</summary>
  /// <param name="name">"logits", "embedding", "hidden", or "scores" of a sequence classifier.</param>
  /// <returns>The caller's to dispose; it outlives the request.</returns>
  /// <exception cref="GraftException">NotFound: no such result. InvalidState: not finished.</exception>
  public Tensor Result(string name) {
    var tensor = new Tensor();
    graft_raw.graft_request_tensor(Handle, name, tensor.Handle);
    tensor.Handle.Weigh(tensor.ByteSize);
    return tensor;
  }

  /// <summary>Text of the request's failure; "" when there is none.</summary>
  public string ErrorMessage => graft_raw.graft_request_error_message(Handle);

  /// <summary>Releases the request, cancelling it first if it has not ended. Never waits; any thread, any number of times.</summary>
  public void Dispose() {
    CancelQuietly();  // a thread that waits in a pull holds the native request: this lets it go on
    Abandon();
  }

  /// <summary>For cancellation tokens, whose callbacks may come after Dispose.</summary>
  internal void CancelQuietly() {
    try {
      Cancel();
    } catch (ObjectDisposedException) {
      // closed is more than cancelled
    }
  }

  /// <summary>Releases what a submit that failed leaves.</summary>
  internal void Abandon() {
    Handle.Dispose();
    current.Dispose();
  }

  private Poll Pull(long milliseconds, out Event next) {
    lock (pulling) {
      var found = (Poll)graft_raw.graft_request_next(Handle, milliseconds, current);
      next = found == Poll.Event ? new Event(current) : null;
      return found;
    }
  }
}

}
