"""GPT-2: Conv1D weights (input-major), learned positions, LayerNorm with bias, fused query/key/value."""

MODEL_TYPE = "gpt2"
BASE = dict(vocab_size=128, n_embd=64, n_layer=2, n_head=4, n_positions=256, bos_token_id=1, eos_token_id=2)
SHARP = 0.25  # of the fused projection: without it a tied model repeats its last token


def buffers(layers, positions):
    """What GPT-2 checkpoints of the hub carry beside the weights: the causal mask and its fill value."""
    extra = {f"h.{layer}.attn.bias": [1, 1, positions, positions] for layer in range(layers)}
    return extra | {f"h.{layer}.attn.masked_bias": [] for layer in range(layers)}


CASES = [
    dict(name="gpt2_plain", config={}),
    dict(name="gpt2_inverse_layer_scale", config=dict(scale_attn_by_inverse_layer_idx=True, n_layer=3), query_std=SHARP,
         contrast={"off": dict(scale_attn_by_inverse_layer_idx=False)}),
    dict(name="gpt2_no_scale", config=dict(scale_attn_weights=False), contrast={"on": dict(scale_attn_weights=True)}),
    dict(name="gpt2_gelu", config=dict(activation_function="gelu", n_layer=3), query_std=SHARP,
         contrast={"relu": dict(activation_function="relu")}),
    dict(name="gpt2_relu", config=dict(activation_function="relu"), query_std=SHARP,
         contrast={"gelu": dict(activation_function="gelu_new")}),
    dict(name="gpt2_inner_3h", config=dict(n_inner=192), query_std=SHARP),
    dict(name="gpt2_vocab_131", config=dict(vocab_size=131, n_embd=96, n_head=6), query_std=SHARP),
    dict(name="gpt2_untied", config=dict(tie_word_embeddings=False)),
    dict(name="gpt2_upcast", config=dict(reorder_and_upcast_attn=True), dtype="bfloat16"),
    dict(name="gpt2_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    # config.json and tensor names as the first GPT-2 release has them
    dict(name="gpt2_hub_layout", config=dict(n_positions=128), layout="bare", spelling="old", query_std=SHARP,
         drop=["n_inner", "tie_word_embeddings", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn",
               "scale_attn_weights", "use_cache", "add_cross_attention"],
         extra=buffers(2, 128)),
    dict(name="gpt2_bfloat16", config={}, dtype="bfloat16", shard="100KB"),
    dict(name="gpt2_float16", config=dict(n_layer=3), dtype="float16"),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5])
    return dict(
        n_embd=heads * rng.choice([8, 12, 16, 24, 32]), n_head=heads, n_layer=rng.choice([1, 2, 3, 4]),
        n_inner=rng.choice([None, rng.randrange(40, 300)]), vocab_size=rng.randrange(90, 300),
        activation_function=rng.choice(["gelu_new", "gelu", "relu"]), tie_word_embeddings=rng.random() < 0.7,
        scale_attn_by_inverse_layer_idx=rng.random() < 0.3,
    )
