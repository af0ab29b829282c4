"""Mistral: a sliding window on every layer, smaller than the prompts; explicit head_dim."""

MODEL_TYPE = "mistral"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=256, sliding_window=None, bos_token_id=1, eos_token_id=2,
)
FULL = {"full": dict(sliding_window=None)}
SHARP = 0.25

CASES = [
    dict(name="mistral_full", config={}),
    dict(name="mistral_window", config=dict(sliding_window=8), lengths=[1, 5, 8, 9, 17, 75], contrast=FULL),
    dict(name="mistral_window_wide", config=dict(sliding_window=40, num_hidden_layers=3), query_std=SHARP,
         lengths=[1, 17, 40, 75, 90], contrast=FULL),
    dict(name="mistral_window_one_block", config=dict(sliding_window=32), query_std=SHARP, lengths=[1, 31, 32, 33, 75],
         contrast=FULL),
    dict(name="mistral_head_dim", config=dict(head_dim=32, sliding_window=8), contrast=FULL, query_std=SHARP),
    dict(name="mistral_old_spelling", config=dict(sliding_window=8, rope_parameters=dict(
        rope_type="default", rope_theta=1000.0)), spelling="old", query_std=SHARP, contrast=FULL),
    dict(name="mistral_bfloat16", config=dict(sliding_window=8, num_hidden_layers=3), dtype="bfloat16", shard="100KB",
         contrast=FULL),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 4])
    heads = kv_heads * rng.choice([1, 2, 4])
    return dict(
        hidden_size=heads * 8, num_attention_heads=heads, num_key_value_heads=kv_heads,
        head_dim=2 * rng.randrange(3, 24), intermediate_size=rng.randrange(40, 300),
        num_hidden_layers=rng.choice([1, 2, 3]), vocab_size=rng.randrange(90, 300),
        sliding_window=rng.choice([None, 3, 8, 33, 50]),
    )
