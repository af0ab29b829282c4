using System;
using System.Runtime.InteropServices;
using System.Threading;
using Graft.Raw;

namespace Graft {

/// <summary>
/// A native object. Being a SafeHandle it is freed once, by Dispose or by the finaliser, and never while a call on another
/// thread uses it: then the last such call frees it on its way out.
/// </summary>
internal sealed class Handle : SafeHandle {
  internal enum Kind { Engine, EngineOptions, Event, Input, Policy, Profile, Queue, Request, RequestOptions, Tensor, Tokenizer, Decoder }

  private readonly Kind kind;
  private long weight;
  private const long EnoughBytes = 256L << 20;
  private static long aliveBytes, freshBytes;

  internal Handle(Kind kind) : base(IntPtr.Zero, true) {
    this.kind = kind;
    ByHand.EnsureLoaded();
  }

  public override bool IsInvalid => handle == IntPtr.Zero;

  internal void Fill(IntPtr made) => SetHandle(made);

  /// <summary>
  /// Counts native memory, which the collector does not see (GC.AddMemoryPressure does nothing in Mono): it is run when
  /// much was allocated, so that what nobody disposes does not pile up.
  /// </summary>
  internal void Weigh(long bytes) {
    weight = bytes;
    long alive = Interlocked.Add(ref aliveBytes, bytes);
    long fresh = Interlocked.Add(ref freshBytes, bytes);
    if (fresh < EnoughBytes || fresh < alive / 2) return;
    Interlocked.Exchange(ref freshBytes, 0);
    GC.Collect();
  }

  internal ObjectDisposedException Closed() => new ObjectDisposedException(kind.ToString(), "The " + kind + " is closed.");

  protected override bool ReleaseHandle() {
    Interlocked.Add(ref aliveBytes, -weight);
    switch (kind) {
      case Kind.Engine: graft_rawPINVOKE.graft_engine_free(handle); break;
      case Kind.EngineOptions: graft_rawPINVOKE.graft_engine_options_free(handle); break;
      case Kind.Event: graft_rawPINVOKE.graft_event_free(handle); break;
      case Kind.Input: graft_rawPINVOKE.graft_input_free(handle); break;
      case Kind.Policy: graft_rawPINVOKE.graft_policy_free(handle); break;
      case Kind.Profile: graft_rawPINVOKE.graft_profile_free(handle); break;
      case Kind.Queue: graft_rawPINVOKE.graft_queue_free(handle); break;
      case Kind.Request: graft_rawPINVOKE.graft_request_free(handle); break;
      case Kind.RequestOptions: graft_rawPINVOKE.graft_request_options_free(handle); break;
      case Kind.Tensor: graft_rawPINVOKE.graft_tensor_free(handle); break;
      case Kind.Tokenizer: graft_rawPINVOKE.graft_tokenizer_free(handle); break;
      case Kind.Decoder: graft_rawPINVOKE.graft_decoder_free(handle); break;
    }
    return true;
  }

  /// <summary>Keeps a handle for the length of one call; none is the null pointer. Throws when it is closed.</summary>
  internal struct Hold : IDisposable {
    private readonly Handle held;
    internal readonly IntPtr Pointer;

    internal Hold(Handle handle) {
      held = null;
      Pointer = IntPtr.Zero;
      if (handle == null) return;
      bool added = false;
      try {
        handle.DangerousAddRef(ref added);
      } catch (ObjectDisposedException) {
        throw handle.Closed();
      }
      held = handle;
      Pointer = handle.DangerousGetHandle();
    }

    public void Dispose() {
      if (held != null) held.DangerousRelease();
    }
  }
}

}
