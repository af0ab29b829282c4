"""Megatron-LM's GPT under its own names, with both row orders of query_key_value; Transformers' GPT-2 answers for it."""

import re

MODEL_TYPE = "gpt2"
BASE = dict(vocab_size=128, n_embd=64, n_layer=2, n_head=4, n_positions=256, bos_token_id=1, eos_token_id=2)
SHARP = 0.25

NAMES = [
    (r"^transformer\.wte\.", "language_model.embedding.word_embeddings."),
    (r"^transformer\.wpe\.", "language_model.embedding.position_embeddings."),
    (r"^transformer\.ln_f\.", "language_model.transformer.final_layernorm."),
    (r"^transformer\.h\.", "language_model.transformer.layers."), (r"\.ln_1\.", ".input_layernorm."),
    (r"\.ln_2\.", ".post_attention_layernorm."), (r"\.attn\.c_attn\.", ".ATTENTION.query_key_value."),
    (r"\.attn\.c_proj\.", ".ATTENTION.dense."), (r"\.mlp\.c_fc\.", ".mlp.dense_h_to_4h."),
    (r"\.mlp\.c_proj\.", ".mlp.dense_4h_to_h."),
]


def convert(config, tensors, case):
    """`version` of the case decides over the rows of query_key_value, `attention` over the name of the module."""
    version, attention = case.get("version", 2.0), case.get("attention", "self_attention")
    result = {}
    for name, tensor in tensors.items():
        if re.search(r"\.c_\w+\.weight$", name):
            tensor = tensor.T
        if ".c_attn." in name and version >= 2:
            parts = tensor.reshape(3, config["n_head"], -1, *tensor.shape[1:])
            tensor = parts.transpose(0, 1).reshape(tensor.shape)
        for pattern, replacement in NAMES:
            name = re.sub(pattern, replacement, name)
        result[name.replace("ATTENTION", attention)] = tensor
    arguments = dict(
        model_type="megatron_gpt", checkpoint_version=version, num_layers=config["n_layer"],
        hidden_size=config["n_embd"], num_attention_heads=config["n_head"], padded_vocab_size=config["vocab_size"],
        ffn_hidden_size=config["n_inner"] or 4 * config["n_embd"], max_position_embeddings=config["n_positions"],
        layernorm_epsilon=config["layer_norm_epsilon"],
        bias_gelu_fusion=config["activation_function"] == "gelu_new",
    )
    return arguments, result


CASES = [
    dict(name="megatron_gpt_version_2", config={}, query_std=SHARP),
    dict(name="megatron_gpt_version_0", config={}, query_std=SHARP, version=0),
    dict(name="megatron_gpt_version_3", config=dict(n_layer=3), query_std=SHARP, version=3.0),
    dict(name="megatron_gpt_older_names", config={}, query_std=SHARP, version=0, attention="attention"),
    dict(name="megatron_gpt_newer_rows_older_names", config={}, query_std=SHARP, attention="attention"),
    dict(name="megatron_gpt_six_heads", config=dict(n_embd=96, n_head=6, n_inner=288, vocab_size=131, n_layer=3),
         query_std=SHARP),
    dict(name="megatron_gpt_six_heads_version_0", config=dict(n_embd=96, n_head=6, vocab_size=131), query_std=SHARP,
         version=0),
    dict(name="megatron_gpt_gelu", config=dict(activation_function="gelu"), query_std=SHARP,
         contrast={"relu": dict(activation_function="relu")}),
    dict(name="megatron_gpt_openai_gelu", config={}, place=dict(bias_gelu_fusion=False, openai_gelu=True),
         query_std=SHARP, contrast={"relu": dict(activation_function="relu")}),
    dict(name="megatron_gpt_defaults", config={}, query_std=SHARP, place=dict(vocab_size=128),
         drop=["padded_vocab_size", "ffn_hidden_size", "layernorm_epsilon", "bias_gelu_fusion"]),
    dict(name="megatron_gpt_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    dict(name="megatron_gpt_bfloat16", config={}, dtype="bfloat16", query_std=SHARP),
    dict(name="megatron_gpt_float16", config=dict(n_inner=192), dtype="float16", version=0, query_std=SHARP),
]


def random_layout(rng):
    return dict(version=rng.choice([0, 2.0]), attention=rng.choice(["attention", "self_attention"]))


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 6])
    return dict(
        n_embd=heads * rng.choice([8, 12, 16, 24]), n_head=heads, n_layer=rng.choice([1, 2, 3]),
        n_inner=rng.choice([None, rng.randrange(40, 300)]), vocab_size=rng.randrange(90, 300),
        activation_function=rng.choice(["gelu_new", "gelu"]),
    )
