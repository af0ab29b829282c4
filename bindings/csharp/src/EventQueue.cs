using System;
using System.Collections.Generic;
using System.Threading;
using Graft.Raw;

namespace Graft {

/// <summary>
/// The events of any number of requests, of any engines, in one place, so that one thread can serve thousands. Any
/// thread may use it. After Dispose every other member throws ObjectDisposedException, in threads that wait too.
/// </summary>
public sealed class EventQueue : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Queue);
  private readonly Stack<Handle> spare = new Stack<Handle>();  // native events, one for each thread that pulls
  private int waiting;
  private volatile bool closed;

  /// <summary>An empty queue.</summary>
  /// <exception cref="GraftException">NotFound, VersionMismatch: LibTorch. OutOfMemory.</exception>
  public EventQueue() {
    graft_raw.graft_queue_new(Handle);
  }

  /// <summary>Waits for the next event of any request; <see cref="Event.Tag"/> says whose it is.</summary>
  /// <param name="timeout">How long; zero looks once, Timeout.InfiniteTimeSpan waits for ever.</param>
  /// <param name="next">The event, or null. A request that failed gives an event of kind Error.</param>
  /// <returns>Event or Timeout.</returns>
  /// <exception cref="ObjectDisposedException">The queue is closed, or was closed meanwhile.</exception>
  public Poll TryNext(TimeSpan timeout, out Event next) {
    long milliseconds = Time.Milliseconds(timeout);
    var native = Take();
    Interlocked.Increment(ref waiting);  // before closed is looked at: Dispose sets it, then looks at waiting
    try {
      if (closed) throw Handle.Closed();
      var found = (Poll)graft_raw.graft_queue_next(Handle, milliseconds, native);
      if (closed) throw Handle.Closed();
      next = found == Poll.Event ? new Event(native) : null;
      return found;
    } finally {
      Interlocked.Decrement(ref waiting);
      Give(native);
    }
  }

  /// <summary>Makes one waiting TryNext return Timeout, or the next one if none waits.</summary>
  public void Wake() => graft_raw.graft_queue_wake(Handle);

  /// <summary>
  /// Releases the queue; later events of its requests are dropped. Threads that wait in it throw ObjectDisposedException
  /// at once. Any thread, any number of times.
  /// </summary>
  public void Dispose() {
    closed = true;
    try {
      using (var hold = new Handle.Hold(Handle)) {
        Handle.Dispose();  // freed when the last hold ends
        while (Volatile.Read(ref waiting) > 0) {
          graft_rawPINVOKE.graft_queue_wake(hold.Pointer).Check();
          Thread.Sleep(1);
        }
      }
    } catch (ObjectDisposedException) {
      return;
    }
    lock (spare) {
      foreach (var native in spare) native.Dispose();
      spare.Clear();
    }
  }

  private Handle Take() {
    lock (spare) {
      if (spare.Count > 0) return spare.Pop();
    }
    var made = new Handle(Handle.Kind.Event);
    graft_raw.graft_event_new(made);
    return made;
  }

  private void Give(Handle native) {
    lock (spare) {
      if (!closed) {
        spare.Push(native);
        return;
      }
    }
    native.Dispose();
  }
}

}
