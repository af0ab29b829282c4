"""Qwen2: biases on query, key and value only; the window counts only when use_sliding_window says so."""

MODEL_TYPE = "qwen2"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
)
MIXED = ["sliding_attention", "full_attention", "sliding_attention"]
FULL = {"full": dict(use_sliding_window=False, layer_types=None)}
WINDOW = dict(use_sliding_window=True, sliding_window=8)

CASES = [
    dict(name="qwen2_plain", config={}),
    dict(name="qwen2_tied", config=dict(tie_word_embeddings=True, rms_norm_eps=1e-3), dtype="bfloat16"),
    # Stands in config.json as hub files have it: a window, and the switch that turns it off.
    dict(name="qwen2_window_off", config={},
         place=dict(use_sliding_window=False, sliding_window=8, max_window_layers=1), drop=["layer_types"],
         contrast={"on": dict(max_window_layers=1, layer_types=None, **WINDOW)}),
    dict(name="qwen2_max_window_layers", config=dict(num_hidden_layers=3, max_window_layers=1, **WINDOW),
         drop=["layer_types"],
         contrast={"all": dict(layer_types=["sliding_attention"] * 3), **FULL}),
    dict(name="qwen2_layer_types", config=dict(num_hidden_layers=3, layer_types=MIXED, **WINDOW),
         contrast={"generator": dict(layer_types=["full_attention", "sliding_attention", "sliding_attention"]),
                   **FULL}),
    dict(name="qwen2_old_spelling", config=dict(rope_parameters=dict(
        rope_type="yarn", rope_theta=1000000.0, factor=4.0, original_max_position_embeddings=1024),
        max_position_embeddings=4096), spelling="older", shard="100KB", query_std=0.25,
        contrast={"plain": dict(rope_parameters=dict(rope_type="default", rope_theta=1000000.0))}),
    dict(name="qwen2_six_heads", config=dict(hidden_size=96, num_attention_heads=6, num_key_value_heads=3,
                                             intermediate_size=288, vocab_size=131)),
    dict(name="qwen2_float16", config={}, dtype="float16",
         generation=dict(bos_token_id=1, eos_token_id=[2, 4], repetition_penalty=1.05, do_sample=True)),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 4])
    layers = rng.choice([1, 2, 3])
    return dict(
        hidden_size=heads * rng.choice([8, 16, 24]), num_attention_heads=heads, num_key_value_heads=kv_heads,
        intermediate_size=rng.randrange(40, 300), num_hidden_layers=layers, vocab_size=rng.randrange(90, 300),
        tie_word_embeddings=rng.random() < 0.5,
        **rng.choice([{}, dict(use_sliding_window=True, sliding_window=rng.randrange(3, 40),
                               max_window_layers=rng.randrange(0, layers))]),
    )
