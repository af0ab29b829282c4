using System;
using Graft.Raw;

namespace Graft {

/// <summary>
/// What Graft does not know by itself about a model; given to <see cref="EngineOptions.Policies"/>. It never changes, and
/// any thread may use it. Engines keep what they need of it, so it may be disposed after they are opened.
/// </summary>
public sealed class Policy : IDisposable {
  internal readonly Handle Handle = new Handle(Handle.Kind.Policy);

  private Policy() {}

  /// <summary>An architecture described by a JSON object: how its config becomes Graft's, and where its weights are.</summary>
  /// <param name="json">The object; what it says is read when an engine is opened with it.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument: not a JSON object.</exception>
  public static Policy FromJson(string json) {
    var policy = new Policy();
    graft_raw.graft_policy_from_json(json, policy.Handle);
    return policy;
  }

  /// <summary>In every layer of this class, the named linears are row-parallel and all others column-parallel.</summary>
  /// <param name="layerClass">Class name of the layer as the model prints it, "LlamaDecoderLayer" for example.</param>
  /// <param name="names">Names relative to the layer, "self_attn.o_proj" for example.</param>
  /// <returns>The caller's to dispose.</returns>
  /// <exception cref="GraftException">InvalidArgument: an empty class, no name, an empty name.</exception>
  public static Policy RowParallel(string layerClass, params string[] names) {
    var policy = new Policy();
    graft_raw.graft_policy_row_parallel(layerClass, names, policy.Handle);
    return policy;
  }

  /// <summary>Releases the policy. Any thread, any number of times.</summary>
  public void Dispose() => Handle.Dispose();
}

}
