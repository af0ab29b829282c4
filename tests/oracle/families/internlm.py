"""InternLM: Llama's tree with biases on all of attention; Transformers' Llama answers for it."""

MODEL_TYPE = "llama"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=256, attention_bias=True, bos_token_id=1, eos_token_id=2,
)
SHARP = 0.25


def rope(rope_type="default", theta=10000.0, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, **parameters}}


def convert(config, tensors, case):
    """`bias` for attention_bias, and rope_parameters as the dictionary `rotary`."""
    parameters = config.pop("rope_parameters")
    rotary = {"base": parameters["rope_theta"], "type": "dynamic" if parameters["rope_type"] == "dynamic" else "origin"}
    if parameters.get("factor", 1.0) != 1.0:
        rotary["scaling_factor"] = parameters["factor"]
    bias = config.pop("attention_bias")
    for key in ("mlp_bias", "num_key_value_heads", "head_dim", "pretraining_tp"):
        config.pop(key, None)
    return {**config, "model_type": "internlm", "architectures": ["InternLMForCausalLM"], "rotary": rotary,
            "bias": bias}, tensors


CASES = [
    dict(name="internlm_plain", config={}, query_std=SHARP),
    dict(name="internlm_no_bias", config=dict(attention_bias=False), query_std=SHARP),
    dict(name="internlm_six_heads", config=dict(hidden_size=96, num_attention_heads=6, intermediate_size=288,
                                                vocab_size=131, num_hidden_layers=3), query_std=SHARP),
    dict(name="internlm_base", config=rope(theta=500.0), query_std=SHARP, contrast={"theta": rope()}),
    dict(name="internlm_dynamic", config=dict(max_position_embeddings=64, **rope("dynamic", factor=1.0)),
         query_std=SHARP, lengths=[1, 5, 17, 48, 64, 75, 90], contrast={"plain": rope()}),
    dict(name="internlm_dynamic_factor", query_std=SHARP,
         config=dict(max_position_embeddings=64, **rope("dynamic", theta=2000.0, factor=2.0)),
         lengths=[1, 5, 17, 48, 64, 75, 90], contrast={"factor": rope("dynamic", theta=2000.0, factor=1.0)}),
    # as the first files have it: no `rotary`, no `bias`
    dict(name="internlm_defaults", config={}, query_std=SHARP, drop=["rotary", "bias", "tie_word_embeddings"]),
    dict(name="internlm_eps", config=dict(rms_norm_eps=1e-2), query_std=SHARP,
         contrast={"eps": dict(rms_norm_eps=1e-6)}),
    dict(name="internlm_relu", config=dict(hidden_act="relu"), query_std=SHARP,
         contrast={"silu": dict(hidden_act="silu")}),
    dict(name="internlm_tied", config=dict(tie_word_embeddings=True), query_std=SHARP),
    dict(name="internlm_bfloat16", config={}, dtype="bfloat16", query_std=SHARP),
    dict(name="internlm_float16", config={}, dtype="float16", query_std=SHARP),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 6])
    return dict(
        hidden_size=heads * rng.choice([8, 16, 20, 24]), num_attention_heads=heads,
        intermediate_size=rng.randrange(40, 300), num_hidden_layers=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), attention_bias=rng.random() < 0.7, tie_word_embeddings=rng.random() < 0.3,
    )
