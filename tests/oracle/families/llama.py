"""Llama: grouped heads, biases, tied heads, every rope type, both config spellings, hub layouts."""

MODEL_TYPE = "llama"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=4, max_position_embeddings=256, bos_token_id=1, eos_token_id=2,
)
GQA = dict(num_key_value_heads=2)
SHARP = 0.25  # standard deviation of the query and key projections where positions are what is tested


def rope(rope_type, theta=10000.0, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, **parameters}}


YARN = dict(factor=4.0, original_max_position_embeddings=1024)
LLAMA3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=8.0, original_max_position_embeddings=1024)
LONGROPE = dict(
    short_factor=[1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.8, 2.0], long_factor=[1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 8.0],
    original_max_position_embeddings=32,
)
PLAIN = rope("default")

CASES = [
    dict(name="llama_mha", config={}),
    dict(name="llama_gqa", config=GQA),
    dict(name="llama_mqa", config=dict(num_key_value_heads=1)),
    dict(name="llama_six_heads", config=dict(hidden_size=96, num_attention_heads=6, num_key_value_heads=2,
                                             num_hidden_layers=3, intermediate_size=288, vocab_size=131)),
    dict(name="llama_tied", config=dict(tie_word_embeddings=True, **GQA), query_std=SHARP),
    # says that it is tied and holds another head: Transformers believes the tensors
    dict(name="llama_wrongly_tied", config=dict(tie_word_embeddings=False, **GQA), query_std=SHARP,
         place=dict(tie_word_embeddings=True)),
    dict(name="llama_tied_head_copy", config=dict(tie_word_embeddings=True, **GQA), head_copy=True, shard="150KB"),
    dict(name="llama_biases", config=dict(attention_bias=True, mlp_bias=True, **GQA)),
    dict(name="llama_head_dim", config=dict(head_dim=24, **GQA), query_std=SHARP),
    dict(name="llama_intermediate_3h", config=dict(intermediate_size=192, **GQA)),
    dict(name="llama_vocab_131", config=dict(vocab_size=131, **GQA)),
    dict(name="llama_three_layers", config=dict(num_hidden_layers=3, rms_norm_eps=1e-2, **GQA),
         contrast={"eps": dict(rms_norm_eps=1e-6)}),
    dict(name="llama_gelu", config=dict(hidden_act="gelu", **GQA), contrast={"silu": dict(hidden_act="silu")}),
    dict(name="llama_relu", config=dict(hidden_act="relu", **GQA), contrast={"silu": dict(hidden_act="silu")}),
    dict(name="llama_gelu_tanh", config=dict(hidden_act="gelu_pytorch_tanh", **GQA),
         contrast={"silu": dict(hidden_act="silu")}),

    dict(name="llama_theta", config=dict(**GQA, **rope("default", theta=500.0)), query_std=SHARP,
         contrast={"theta": PLAIN}),
    dict(name="llama_linear", config=dict(**GQA, **rope("linear", factor=4.0)), query_std=SHARP,
         contrast={"plain": PLAIN}),
    dict(name="llama_dynamic", config=dict(max_position_embeddings=64, **GQA, **rope("dynamic", factor=2.0)),
         query_std=SHARP, lengths=[1, 5, 17, 48, 64, 75, 90], contrast={"plain": PLAIN}),
    dict(name="llama_yarn", config=dict(max_position_embeddings=4096, **GQA, **rope("yarn", **YARN)), query_std=SHARP,
         contrast={"plain": PLAIN, "truncate": rope("yarn", **YARN, truncate=False),
                   "attention_factor": rope("yarn", **YARN, attention_factor=1.0)}),
    dict(name="llama_yarn_no_truncate", query_std=SHARP,
         config=dict(max_position_embeddings=4096, **GQA, **rope("yarn", **YARN, truncate=False)),
         contrast={"truncate": rope("yarn", **YARN)}),
    dict(name="llama_yarn_mscale", query_std=SHARP,
         config=dict(max_position_embeddings=4096, **GQA, **rope("yarn", **YARN, mscale=1.0, mscale_all_dim=0.5)),
         contrast={"mscale": rope("yarn", **YARN)}),
    dict(name="llama_yarn_mscale_equal", query_std=SHARP,
         config=dict(max_position_embeddings=4096, **GQA, **rope("yarn", **YARN, mscale=1.0, mscale_all_dim=1.0)),
         contrast={"mscale": rope("yarn", **YARN)}),
    dict(name="llama_yarn_betas", query_std=SHARP,
         config=dict(max_position_embeddings=4096, **GQA,
                     **rope("yarn", **YARN, beta_fast=16.0, beta_slow=2.0, attention_factor=1.25)),
         contrast={"betas": rope("yarn", **YARN, attention_factor=1.25),
                   "attention_factor": rope("yarn", **YARN, beta_fast=16.0, beta_slow=2.0)}),
    dict(name="llama_longrope", config=dict(**GQA, **rope("longrope", **LONGROPE)), query_std=SHARP,
         lengths=[1, 5, 16, 32, 33, 75],
         contrast={"short": rope("longrope", **{**LONGROPE, "long_factor": LONGROPE["short_factor"]}),
                   "factor": rope("longrope", **LONGROPE, factor=2.0)}),
    dict(name="llama_longrope_top_level", config=dict(**GQA, **rope("longrope", **LONGROPE)), query_std=SHARP,
         lengths=[1, 16, 33, 75], spelling="older", place={"original_max_position_embeddings": 32},
         drop=["rope_scaling.original_max_position_embeddings"]),
    dict(name="llama_llama3", query_std=SHARP,
         config=dict(max_position_embeddings=8192, **GQA, **rope("llama3", theta=50000.0, **LLAMA3)),
         contrast={"plain": rope("default", theta=50000.0),
                   "blend": rope("llama3", theta=50000.0, **{**LLAMA3, "high_freq_factor": 4.0})}),
    # Transformers' Llama rotates the whole head under the default rope whatever this key says.
    dict(name="llama_partial_rotary_ignored", config=dict(**GQA, **rope("default", partial_rotary_factor=0.5)),
         query_std=SHARP),

    dict(name="llama_old_spelling", config=dict(**GQA, **rope("linear", theta=2000.0, factor=2.0)), query_std=SHARP,
         spelling="older", contrast={"plain": rope("default", theta=2000.0), "theta": rope("linear", factor=2.0)}),
    dict(name="llama_old_spelling_yarn", query_std=SHARP, spelling="old",
         config=dict(max_position_embeddings=4096, **GQA, **rope("yarn", theta=20000.0, **YARN)),
         contrast={"theta": rope("yarn", **YARN)}),
    dict(name="llama_old_spelling_llama3", query_std=SHARP, spelling="old",
         config=dict(max_position_embeddings=8192, tie_word_embeddings=True, **GQA,
                     **rope("llama3", theta=500000.0, **LLAMA3)), dtype="bfloat16",
         generation=dict(bos_token_id=1, eos_token_id=[2, 7, 9], do_sample=True, temperature=0.6, top_p=0.9)),
    dict(name="llama_first_release", config={}, spelling="older", shard="100KB",
         drop=["num_key_value_heads", "rope_theta", "rope_scaling", "attention_bias", "mlp_bias", "head_dim",
               "tie_word_embeddings", "pretraining_tp", "attention_dropout", "use_cache"],
         extra={f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": [8] for layer in range(2)}),

    dict(name="llama_sharded", config=dict(num_hidden_layers=3, **GQA), shard="80KB"),
    dict(name="llama_wrapped", config=dict(**GQA), layout="wrapped", shard="200KB",
         extra={"model.vision_tower.patch_embed.weight": [8, 12]}),
    dict(name="llama_wrapped_tied", config=dict(tie_word_embeddings=True, **GQA), layout="wrapped", query_std=SHARP),
    dict(name="llama_bfloat16", config=dict(**GQA), dtype="bfloat16"),
    dict(name="llama_float16", config=dict(attention_bias=True, **GQA), dtype="float16", shard="80KB"),
    dict(name="llama_eos_list", config=dict(**GQA),
         generation=dict(bos_token_id=1, eos_token_id=[2, 3, 5], temperature=0.7, top_p=0.95, do_sample=True)),
    dict(name="llama_eos_in_config", config=dict(**GQA), spelling="older", eos_in_config=True),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 3])
    head_dim = rng.choice([8, 16, 20, 24, 32])
    return dict(
        hidden_size=heads * head_dim, num_attention_heads=heads, num_key_value_heads=kv_heads,
        intermediate_size=rng.randrange(40, 300), num_hidden_layers=rng.choice([1, 2, 3, 4]),
        vocab_size=rng.randrange(90, 300), tie_word_embeddings=rng.random() < 0.3,
        attention_bias=rng.random() < 0.3, mlp_bias=rng.random() < 0.3,
        max_position_embeddings=8192,
        **rng.choice([PLAIN, rope("linear", factor=2.5), rope("yarn", **YARN), rope("llama3", **LLAMA3)]),
        **rng.choice([{}, {"head_dim": 2 * rng.randrange(4, 24)}]),
    )
