"""BLOOM: ALiBi, a norm over the embeddings, fused heads."""

MODEL_TYPE = "bloom"
BASE = dict(vocab_size=128, hidden_size=64, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2)
SHARP = 0.15

CASES = [
    dict(name="bloom_plain", config={}, query_std=SHARP),
    # head counts that are no powers of two have slopes of two series
    dict(name="bloom_six_heads", config=dict(hidden_size=96, n_head=6, n_layer=3, vocab_size=131), query_std=SHARP),
    dict(name="bloom_three_heads", config=dict(hidden_size=48, n_head=3), query_std=SHARP),
    dict(name="bloom_twelve_heads", config=dict(hidden_size=96, n_head=12), query_std=SHARP),
    dict(name="bloom_one_head", config=dict(hidden_size=32, n_head=1), query_std=SHARP),
    dict(name="bloom_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    dict(name="bloom_untied", config=dict(tie_word_embeddings=False), query_std=SHARP),
    dict(name="bloom_general_names", config={}, drop=["n_head", "n_layer", "hidden_size", "tie_word_embeddings"],
         place=dict(num_attention_heads=4, num_hidden_layers=2, n_embed=64, n_inner=None, seq_length=256),
         query_std=SHARP),
    dict(name="bloom_hub_layout", config={}, layout="bare", spelling="old", query_std=SHARP, shard="100KB"),
    dict(name="bloom_bfloat16", config={}, dtype="bfloat16"),
    dict(name="bloom_float16", config=dict(attention_dropout=0.1, hidden_size=96, n_head=6), dtype="float16"),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 6, 8, 12])
    return dict(
        hidden_size=heads * rng.choice([8, 12, 16]), n_head=heads, n_layer=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), tie_word_embeddings=rng.random() < 0.5,
    )
