"""Falcon: 7B (one KV head, parallel), the new decoder (KV groups, one or two norms), RefinedWeb models (ALiBi)."""

MODEL_TYPE = "falcon"
# The eager class adds ALiBi twice, once through its mask; the class that users get adds it once, as in training.
ATTENTION = "sdpa"
BASE = dict(
    vocab_size=128, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=256,
    bos_token_id=1, eos_token_id=2,
)
NEW = dict(new_decoder_architecture=True, num_kv_heads=2)
OLD = dict(alibi=True, multi_query=False, parallel_attn=False, bias=True)
SHARP = 0.25


def rope(rope_type, theta=10000.0, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, **parameters}}


CASES = [
    dict(name="falcon_7b", config={}, query_std=SHARP),
    dict(name="falcon_7b_bias", config=dict(bias=True), query_std=SHARP, dtype="bfloat16", shard="100KB"),
    dict(name="falcon_7b_six_heads", config=dict(hidden_size=96, num_attention_heads=6, vocab_size=131), query_std=SHARP),
    dict(name="falcon_7b_untied", config=dict(tie_word_embeddings=False, num_hidden_layers=3)),
    dict(name="falcon_7b_inner", config=dict(ffn_hidden_size=150), query_std=SHARP),
    dict(name="falcon_7b_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    dict(name="falcon_7b_relu", config=dict(activation="relu"), query_std=SHARP,
         contrast={"gelu": dict(activation="gelu")}),
    dict(name="falcon_7b_theta", config=rope("default", theta=500.0), query_std=SHARP,
         contrast={"theta": rope("default")}),
    dict(name="falcon_7b_linear", config=rope("linear", factor=4.0), query_std=SHARP,
         contrast={"plain": rope("default")}),
    # one KV head, one layer after the other, ALiBi: switches apart from their usual company
    dict(name="falcon_7b_sequential", config=dict(parallel_attn=False), query_std=SHARP),
    dict(name="falcon_7b_alibi", config=dict(alibi=True), query_std=SHARP, contrast={"rotary": dict(alibi=False)}),
    dict(name="falcon_7b_many_heads", config=dict(multi_query=False), query_std=SHARP),
    # config.json and tensors as the hub's 7B has them
    dict(name="falcon_hub_layout", config={}, query_std=SHARP, spelling="old", head_copy=True,
         drop=["num_ln_in_parallel_attn", "num_kv_heads", "ffn_hidden_size", "activation", "tie_word_embeddings",
               "max_position_embeddings"],
         place=dict(hidden_dropout=0.0, attention_dropout=0.1)),

    dict(name="falcon_new_groups", config=NEW, query_std=SHARP),
    dict(name="falcon_new_six_heads", config=dict(hidden_size=96, num_attention_heads=6, vocab_size=131, **{
        **NEW, "num_kv_heads": 3}, ffn_hidden_size=200), query_std=SHARP),
    dict(name="falcon_new_one_norm", config=dict(num_ln_in_parallel_attn=1, **NEW), query_std=SHARP),
    dict(name="falcon_new_all_heads", config=dict(new_decoder_architecture=True, num_kv_heads=4), query_std=SHARP,
         drop=["num_kv_heads", "num_ln_in_parallel_attn"]),
    dict(name="falcon_new_ignores_multi_query", config=dict(multi_query=True, bias=True, **NEW), query_std=SHARP,
         dtype="float16", generation=dict(bos_token_id=1, eos_token_id=[2, 4])),
    dict(name="falcon_new_alibi", config=dict(alibi=True, **NEW), query_std=SHARP,
         contrast={"rotary": dict(alibi=False)}),

    dict(name="falcon_rw", config=OLD, query_std=SHARP,
         contrast={"rotary": dict(alibi=False)}),
    dict(name="falcon_rw_six_heads", config=dict(hidden_size=96, num_attention_heads=6, vocab_size=131, **OLD),
         query_std=SHARP),
    # slopes and their products with positions that bfloat16 cannot hold
    dict(name="falcon_rw_many_heads", config=dict(hidden_size=168, num_attention_heads=21, **OLD), query_std=SHARP,
         lengths=[1, 5, 40, 100]),
    dict(name="falcon_rw_untied", config=dict(tie_word_embeddings=False, **OLD), dtype="bfloat16"),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 4])
    kind = rng.choice(["7b", "new", "rw"])
    variants = {
        "7b": dict(bias=rng.random() < 0.3, parallel_attn=rng.random() < 0.7),
        "new": dict(new_decoder_architecture=True, num_kv_heads=kv_heads, num_ln_in_parallel_attn=rng.choice([1, 2])),
        "rw": OLD,
    }
    return dict(
        hidden_size=heads * rng.choice([8, 16, 24]), num_attention_heads=heads, num_hidden_layers=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), ffn_hidden_size=rng.choice([None, rng.randrange(40, 300)]),
        tie_word_embeddings=rng.random() < 0.6, **variants[kind],
    )
