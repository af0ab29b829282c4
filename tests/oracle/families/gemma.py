"""Gemma 1: norms that store weight - 1, scaled embeddings, wide heads, the tanh form of GELU, a tied head."""

MODEL_TYPE = "gemma"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=4, head_dim=16, max_position_embeddings=256, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)
GQA = dict(num_key_value_heads=2)
SHARP = 0.1


def rope(rope_type, theta=10000.0, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, **parameters}}


CASES = [
    dict(name="gemma_plain", config={}, query_std=SHARP),
    dict(name="gemma_mqa", config=dict(num_key_value_heads=1), query_std=SHARP),
    dict(name="gemma_head_dim", config=dict(head_dim=24, **GQA), query_std=SHARP),
    dict(name="gemma_default_head_dim", config=dict(head_dim=256, num_attention_heads=2, num_key_value_heads=1),
         drop=["head_dim"]),
    dict(name="gemma_six_heads", config=dict(hidden_size=96, num_attention_heads=6, num_key_value_heads=3,
                                             intermediate_size=250, vocab_size=131, num_hidden_layers=3),
         query_std=SHARP),
    dict(name="gemma_untied", config=dict(tie_word_embeddings=False, **GQA), query_std=SHARP),
    dict(name="gemma_biases", config=dict(attention_bias=True, **GQA), query_std=SHARP),
    dict(name="gemma_eps", config=dict(rms_norm_eps=1e-1), query_std=SHARP, contrast={"eps": dict(rms_norm_eps=1e-6)}),
    dict(name="gemma_relu", config=dict(hidden_act="relu"), query_std=SHARP,
         contrast={"gelu": dict(hidden_act="gelu_pytorch_tanh")}),
    dict(name="gemma_theta", config=rope("default", theta=50.0), query_std=0.2, contrast={"theta": rope("default")}),
    dict(name="gemma_linear", config=rope("linear", factor=4.0), query_std=0.2, contrast={"plain": rope("default")}),
    # the first release's config.json: "gelu" stands for its approximation
    dict(name="gemma_hub_layout", config={}, query_std=SHARP, spelling="old",
         place=dict(hidden_act="gelu", hidden_activation=None),
         drop=["tie_word_embeddings", "pad_token_id", "attention_bias", "use_bidirectional_attention"]),
    dict(name="gemma_no_padding", config=dict(pad_token_id=None), query_std=SHARP),
    dict(name="gemma_bfloat16", config=dict(**GQA), dtype="bfloat16", shard="100KB", query_std=SHARP),
    dict(name="gemma_float16", config=dict(num_hidden_layers=3, tie_word_embeddings=False), dtype="float16", query_std=SHARP,
         generation=dict(bos_token_id=1, eos_token_id=[2, 4])),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 4])
    return dict(
        hidden_size=8 * rng.randrange(4, 20), head_dim=2 * rng.randrange(4, 24), num_attention_heads=heads,
        num_key_value_heads=kv_heads, intermediate_size=rng.randrange(40, 300),
        num_hidden_layers=rng.choice([1, 2, 3]), vocab_size=rng.randrange(90, 300),
        tie_word_embeddings=rng.random() < 0.7, attention_bias=rng.random() < 0.3,
    )
