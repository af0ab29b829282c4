"""Qwen3: query and key norm over each head before the rotation, explicit head_dim, mixed layer types."""

MODEL_TYPE = "qwen3"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=16, max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
)
MIXED = ["full_attention", "sliding_attention", "full_attention"]

CASES = [
    dict(name="qwen3_mha", config=dict(num_key_value_heads=4)),
    dict(name="qwen3_gqa", config=dict(rms_norm_eps=1e-2), contrast={"eps": dict(rms_norm_eps=1e-6)}),
    dict(name="qwen3_head_dim", config=dict(head_dim=32, num_key_value_heads=1)),
    dict(name="qwen3_tied", config=dict(tie_word_embeddings=True), dtype="bfloat16", shard="60KB",
         generation=dict(bos_token_id=1, eos_token_id=[2, 1], do_sample=True, top_k=20)),
    dict(name="qwen3_bias", config=dict(attention_bias=True, intermediate_size=192, vocab_size=131)),
    dict(name="qwen3_layer_types", config=dict(num_hidden_layers=3, layer_types=MIXED, use_sliding_window=True,
                                               sliding_window=8),
         contrast={"full": dict(layer_types=["full_attention"] * 3),
                   "all": dict(layer_types=["sliding_attention"] * 3)}),
    dict(name="qwen3_old_spelling", config=dict(rope_parameters=dict(rope_type="default", rope_theta=1000000.0)),
         spelling="old", contrast={"theta": dict(rope_parameters=dict(rope_type="default", rope_theta=10000.0))}),
    dict(name="qwen3_yarn", config=dict(rope_parameters=dict(
        rope_type="yarn", rope_theta=100000.0, factor=4.0, original_max_position_embeddings=1024),
        max_position_embeddings=4096),
        contrast={"plain": dict(rope_parameters=dict(rope_type="default", rope_theta=100000.0))}),
    dict(name="qwen3_float16", config=dict(num_hidden_layers=3), dtype="float16"),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 4])
    return dict(
        hidden_size=rng.randrange(5, 16) * 8, num_attention_heads=heads, num_key_value_heads=kv_heads,
        head_dim=2 * rng.randrange(4, 24), intermediate_size=rng.randrange(40, 300),
        num_hidden_layers=rng.choice([1, 2, 3]), vocab_size=rng.randrange(90, 300),
        tie_word_embeddings=rng.random() < 0.5, attention_bias=rng.random() < 0.3,
    )
