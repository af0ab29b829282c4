using System;
using Graft.Raw;

namespace Graft {

/// <summary>Where the time went, taken from an engine. It never changes, and any thread may use it until it is disposed.</summary>
public sealed class Profile : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Profile);

  internal Profile() {}

  /// <summary>Number of forward passes that <see cref="Milliseconds"/> gives.</summary>
  public long Count => graft_raw.graft_profile_count(Handle);

  /// <summary>How long each forward pass took, in milliseconds, oldest first: the newest 65536.</summary>
  /// <returns>A new array.</returns>
  public unsafe double[] Milliseconds() {
    var values = new double[Count + 1];  // one more, so that pinning gives a pointer
    fixed (double* at = values) {
      var buffer = new NativeBuffer { Values = at, Capacity = values.Length - 1 };
      graft_raw.graft_profile_milliseconds(Handle, ref buffer);
    }
    Array.Resize(ref values, values.Length - 1);
    return values;
  }

  /// <summary>The profile by operation, as a JSON object (docs/read-a-profile.md).</summary>
  /// <returns>{"forwards": ..., "ops": [...]}</returns>
  public string Table() {
    graft_raw.graft_profile_table(Handle, out var json);
    return json;
  }

  /// <summary>Releases the profile. Any thread, any number of times.</summary>
  public void Dispose() => Handle.Dispose();
}

}
