"""Llama in Meta's own layout: params.json, names without prefixes, neighbouring lanes rotated. Transformers' Llama
answers for it."""

import re

MODEL_TYPE = "llama"
FILES = ("params.json", "model.safetensors")
SHARP = 0.25


def shape(dim=64, heads=4, kv_heads=4, multiple_of=32, multiplier=None, **more):
    """Keywords of Transformers' class with the feed-forward width that Meta's code computes; the keys that it computes
    it from stay in the configuration for `convert`."""
    width = 8 * dim // 3
    if multiplier is not None:
        width = int(multiplier * width)
    return dict(hidden_size=dim, num_attention_heads=heads, num_key_value_heads=kv_heads, multiple_of=multiple_of,
                ffn_dim_multiplier=multiplier, intermediate_size=-(-width // multiple_of) * multiple_of, **more)


BASE = dict(vocab_size=128, num_hidden_layers=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, **shape())


def rope(rope_type="default", theta=10000.0, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, **parameters}}


def scaled(factor):
    return rope("llama3", theta=20000.0, factor=factor, low_freq_factor=1.0, high_freq_factor=4.0,
                original_max_position_embeddings=8192)


NAMES = [
    (r"^model\.embed_tokens\.", "tok_embeddings."), (r"^model\.norm\.", "norm."), (r"^lm_head\.", "output."),
    (r"^model\.", ""), (r"self_attn\.(.)_proj", r"attention.w\1"), (r"mlp\.gate_proj", "feed_forward.w1"),
    (r"mlp\.down_proj", "feed_forward.w2"), (r"mlp\.up_proj", "feed_forward.w3"),
    (r"input_layernorm", "attention_norm"), (r"post_attention_layernorm", "ffn_norm"),
]


def pairs(weight, head_dim):
    """Rows of a head from halves, as Transformers rotates them, to neighbouring pairs."""
    return weight.reshape(-1, 2, head_dim // 2, weight.shape[-1]).transpose(1, 2).reshape(weight.shape)


def convert(config, tensors, case):
    head_dim = config["hidden_size"] // config["num_attention_heads"]
    result = {}
    for name, tensor in tensors.items():
        if re.search(r"[qk]_proj\.weight$", name):
            tensor = pairs(tensor, head_dim)
        for pattern, replacement in NAMES:
            name = re.sub(pattern, replacement, name)
        result[name] = tensor
    parameters = config["rope_parameters"]
    params = dict(dim=config["hidden_size"], n_layers=config["num_hidden_layers"],
                  n_heads=config["num_attention_heads"], multiple_of=config["multiple_of"],
                  norm_eps=config["rms_norm_eps"], vocab_size=config["vocab_size"],
                  rope_theta=parameters["rope_theta"])
    if config["num_key_value_heads"] != config["num_attention_heads"]:
        params["n_kv_heads"] = config["num_key_value_heads"]
    if config["ffn_dim_multiplier"] is not None:
        params["ffn_dim_multiplier"] = config["ffn_dim_multiplier"]
    if parameters["rope_type"] == "llama3":
        params |= dict(use_scaled_rope=True, rope_scaling_factor=parameters["factor"])
    return params, result


CASES = [
    dict(name="llama_meta_plain", config={}, query_std=SHARP, drop=["rope_theta"]),
    dict(name="llama_meta_grouped", config=shape(kv_heads=2), query_std=SHARP),
    dict(name="llama_meta_one_kv_head", config=shape(kv_heads=1), query_std=SHARP, dtype="bfloat16"),
    dict(name="llama_meta_six_heads", config=shape(dim=96, heads=6, kv_heads=3, num_hidden_layers=3, vocab_size=131),
         query_std=SHARP),
    dict(name="llama_meta_multiplier", config=shape(multiple_of=16, multiplier=1.3), query_std=SHARP),
    dict(name="llama_meta_narrow", config=shape(dim=80, heads=2, kv_heads=2, multiple_of=1, multiplier=0.5),
         query_std=SHARP),
    dict(name="llama_meta_multiple_of_default", config=shape(multiple_of=256), drop=["multiple_of"], query_std=SHARP),
    # as Llama 1 and 2 have it: the vocabulary is the tokenizer's
    dict(name="llama_meta_open_vocabulary", config=dict(vocab_size=131), place=dict(vocab_size=-1, max_seq_len=256),
         query_std=SHARP),
    dict(name="llama_meta_theta", config=rope(theta=500.0), query_std=SHARP, contrast={"theta": rope()}),
    dict(name="llama_meta_scaled_rope", config=dict(max_position_embeddings=8192, **scaled(8.0)), query_std=SHARP,
         contrast={"plain": rope(theta=20000.0)}),
    dict(name="llama_meta_eps", config=dict(rms_norm_eps=1e-2), query_std=SHARP,
         contrast={"eps": dict(rms_norm_eps=1e-5)}),
    dict(name="llama_meta_float16", config={}, dtype="float16", query_std=SHARP),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 3])
    return shape(
        dim=heads * rng.choice([8, 16, 20, 24]), heads=heads, kv_heads=kv_heads, multiple_of=rng.choice([1, 8, 32]),
        multiplier=rng.choice([None, 0.7, 1.3]), num_hidden_layers=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), **rng.choice([rope(), rope(theta=700.0)]),
    )
