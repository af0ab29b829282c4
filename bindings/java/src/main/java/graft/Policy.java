package graft;

import java.util.List;

/** What Graft does not know by itself about a model; given to {@link EngineOptions.Builder#policy}. Any thread. */
public final class Policy implements AutoCloseable {
  final Handle handle;

  private Policy(long pointer) {
    handle = new Handle(this, "policy", pointer, Raw::graft_policy_free);
  }

  /**
   * An architecture described by a JSON object. What it says is read when an engine is opened with it.
   *
   * @param json the object; docs/architecture-json.md of Graft states the form
   * @return the policy
   * @throws GraftException INVALID_ARGUMENT (not a JSON object)
   */
  public static Policy fromJson(String json) {
    return new Policy(Raw.graft_policy_from_json(Utf8.of(json)));
  }

  /**
   * In every layer of a class, the named linears are row-parallel (their outputs are summed over ranks) and all others
   * column-parallel.
   *
   * @param layerClass class name of the layer as the model prints it, for example "LlamaDecoderLayer"
   * @param names names relative to the layer, for example "self_attn.o_proj"
   * @return the policy
   * @throws GraftException INVALID_ARGUMENT (an empty class, no name, an empty name)
   */
  public static Policy rowParallel(String layerClass, List<String> names) {
    byte[][] texts = new byte[names.size()][];
    for (int i = 0; i < texts.length; ++i) {
      if (names.get(i).indexOf('\0') >= 0) {
        throw new GraftException(StatusCode.INVALID_ARGUMENT, "names: NUL in " + names.get(i).replace('\0', '?'));
      }
      texts[i] = Utf8.of(names.get(i));
    }
    return new Policy(Raw.graft_policy_row_parallel(Utf8.of(layerClass), texts));
  }

  /** Releases the policy; options that it was added to keep their copy. Never blocks; optional. */
  @Override
  public void close() {
    handle.close();
  }
}
