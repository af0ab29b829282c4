"""GPT-BigCode: GPT-2 with plain linears and one KV head, or as many as query heads laid out head by head."""

MODEL_TYPE = "gpt_bigcode"
BASE = dict(vocab_size=128, n_embd=64, n_layer=2, n_head=4, n_positions=256, bos_token_id=1, eos_token_id=2)
SHARP = 0.25


def masks(layers, positions):
    """Buffers that older versions stored."""
    return {f"transformer.h.{layer}.attn.bias": [1, 1, positions, positions] for layer in range(layers)}


CASES = [
    dict(name="gpt_bigcode_plain", config={}, query_std=SHARP),
    dict(name="gpt_bigcode_six_heads", config=dict(n_embd=96, n_head=6, n_layer=3, n_inner=250, vocab_size=131),
         query_std=SHARP),
    dict(name="gpt_bigcode_many_kv_heads", config=dict(multi_query=False), query_std=SHARP),
    dict(name="gpt_bigcode_many_kv_six_heads", config=dict(multi_query=False, n_embd=96, n_head=6), query_std=SHARP,
         dtype="bfloat16"),
    dict(name="gpt_bigcode_no_scale", config=dict(scale_attn_weights=False), query_std=0.1,
         contrast={"on": dict(scale_attn_weights=True)}),
    dict(name="gpt_bigcode_relu", config=dict(activation_function="relu"), query_std=SHARP,
         contrast={"gelu": dict(activation_function="gelu_pytorch_tanh")}),
    dict(name="gpt_bigcode_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    dict(name="gpt_bigcode_untied", config=dict(tie_word_embeddings=False), query_std=SHARP),
    dict(name="gpt_bigcode_softmax_flags", query_std=SHARP,
         config=dict(attention_softmax_in_fp32=False, scale_attention_softmax_in_fp32=False)),
    dict(name="gpt_bigcode_hub_layout", config=dict(n_positions=128), query_std=SHARP, extra=masks(2, 128),
         place=dict(inference_runner=0, max_batch_size=None, pre_allocate_kv_cache=False, validate_runner_input=True),
         drop=["n_inner", "tie_word_embeddings", "multi_query", "add_cross_attention", "activation_function"]),
    dict(name="gpt_bigcode_bfloat16", config={}, dtype="bfloat16", shard="100KB", query_std=SHARP),
    dict(name="gpt_bigcode_float16", config=dict(n_layer=3), dtype="float16", query_std=SHARP,
         generation=dict(bos_token_id=1, eos_token_id=[2, 4])),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5])
    return dict(
        n_embd=heads * rng.choice([8, 12, 16, 24, 32]), n_head=heads, n_layer=rng.choice([1, 2, 3]),
        n_inner=rng.choice([None, rng.randrange(40, 300)]), vocab_size=rng.randrange(90, 300),
        activation_function=rng.choice(["gelu_pytorch_tanh", "gelu", "relu"]), multi_query=rng.random() < 0.5,
        tie_word_embeddings=rng.random() < 0.7,
    )
