"""Phi: attention and feed-forward side by side after one norm, partial rotary embedding, biases everywhere."""

MODEL_TYPE = "phi"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
)
SHARP = 0.25


def rope(rope_type, theta=10000.0, part=0.5, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, "partial_rotary_factor": part,
                                **parameters}}


CASES = [
    dict(name="phi_plain", config={}, query_std=SHARP),
    dict(name="phi_partial", config=rope("default", part=0.25), query_std=SHARP,
         contrast={"half": rope("default"), "whole": rope("default", part=1.0)}),
    dict(name="phi_theta", config=rope("default", theta=500.0), query_std=SHARP, contrast={"theta": rope("default")}),
    dict(name="phi_linear", config=rope("linear", factor=4.0), query_std=SHARP, contrast={"plain": rope("default")}),
    # keys and names of the hub's files
    dict(name="phi_hub_layout", config=rope("default", part=0.75), query_std=SHARP, spelling="old",
         place=dict(partial_rotary_factor=0.75), drop=["num_key_value_heads", "qk_layernorm"],
         extra={f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": [4] for layer in range(2)},
         contrast={"half": rope("default")}),
    dict(name="phi_default_part", config={}, query_std=SHARP, drop=["rope_parameters", "num_key_value_heads"],
         contrast={"whole": rope("default", part=1.0)}),
    dict(name="phi_grouped", config=dict(num_key_value_heads=2)),
    dict(name="phi_six_heads", config=dict(hidden_size=96, num_attention_heads=6, num_key_value_heads=3,
                                           intermediate_size=250, vocab_size=131, num_hidden_layers=3)),
    dict(name="phi_tied", config=dict(tie_word_embeddings=True), query_std=SHARP),
    dict(name="phi_eps", config=dict(layer_norm_eps=1e-2), contrast={"eps": dict(layer_norm_eps=1e-5)}),
    dict(name="phi_relu", config=dict(hidden_act="relu"), contrast={"gelu": dict(hidden_act="gelu_new")}),
    dict(name="phi_padding", config=dict(pad_token_id=5, resid_pdrop=0.1, embd_pdrop=0.2)),
    dict(name="phi_bfloat16", config={}, dtype="bfloat16", shard="100KB"),
    dict(name="phi_float16", config=dict(num_hidden_layers=3), dtype="float16", query_std=SHARP,
         generation=dict(bos_token_id=1, eos_token_id=[2, 4])),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 4])
    return dict(
        hidden_size=heads * rng.choice([8, 16, 24]), num_attention_heads=heads, num_key_value_heads=kv_heads,
        intermediate_size=rng.randrange(40, 300), num_hidden_layers=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), tie_word_embeddings=rng.random() < 0.3,
        **rng.choice([{}, rope("default", part=0.25), rope("default", part=1.0), rope("linear", factor=2.5)]),
    )
