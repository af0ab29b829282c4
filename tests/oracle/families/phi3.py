"""Phi 3: query, key and value in one matrix with grouped heads, gate and up in another, long rope, windows."""

MODEL_TYPE = "phi3"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=256, pad_token_id=None, bos_token_id=1, eos_token_id=2,
)
GQA = dict(num_key_value_heads=2)
SHARP = 0.25


def rope(rope_type, theta=10000.0, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, **parameters}}


SHORT, LONG = [1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.8, 2.0], [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 8.0]
LONGROPE = dict(original_max_position_embeddings=32, **rope("longrope", short_factor=SHORT, long_factor=LONG))
PLAIN = rope("default")
PART = dict(partial_rotary_factor=0.75)
LENGTHS = [1, 5, 16, 32, 33, 75]

CASES = [
    dict(name="phi3_plain", config={}, query_std=SHARP),
    dict(name="phi3_gqa", config=GQA, query_std=SHARP, dtype="bfloat16"),
    dict(name="phi3_six_heads", config=dict(hidden_size=96, num_attention_heads=6, num_key_value_heads=3,
                                            intermediate_size=250, vocab_size=131, num_hidden_layers=3),
         query_std=SHARP),
    dict(name="phi3_tied", config=dict(tie_word_embeddings=True, **GQA), query_std=SHARP),
    dict(name="phi3_eps", config=dict(rms_norm_eps=1e-2), contrast={"eps": dict(rms_norm_eps=1e-5)}),
    dict(name="phi3_relu", config=dict(hidden_act="relu"), contrast={"silu": dict(hidden_act="silu")}),
    dict(name="phi3_theta", config=rope("default", theta=500.0), query_std=SHARP, contrast={"theta": PLAIN}),
    dict(name="phi3_window", config=dict(sliding_window=8, **GQA), query_std=SHARP,
         contrast={"full": dict(sliding_window=None)}),
    dict(name="phi3_partial", config=rope("default", **PART), query_std=SHARP, contrast={"whole": PLAIN}),
    dict(name="phi3_partial_top_level", config=rope("default", **PART), query_std=SHARP, spelling="old", place=PART,
         contrast={"whole": PLAIN}),
    dict(name="phi3_longrope", config=LONGROPE, query_std=SHARP, lengths=LENGTHS,
         contrast={"short": rope("longrope", short_factor=SHORT, long_factor=SHORT),
                   "original": dict(original_max_position_embeddings=128)}),
    dict(name="phi3_longrope_partial", query_std=SHARP, lengths=LENGTHS,
         config=dict(original_max_position_embeddings=32, hidden_size=96,
                     **rope("longrope", short_factor=SHORT + [2.0], long_factor=LONG + [8.0], **PART)),
         contrast={"short": rope("longrope", short_factor=SHORT + [2.0], long_factor=SHORT + [2.0], **PART)}),
    # the first release: top-level length and theta, the rope's first two names
    dict(name="phi3_su", config=dict(**LONGROPE, **GQA), query_std=SHARP, lengths=LENGTHS, spelling="older",
         place=dict(rope_scaling=dict(type="su", short_factor=SHORT, long_factor=LONG, original_max_position_embeddings=32)),
         contrast={"short": rope("longrope", short_factor=SHORT, long_factor=SHORT)}),
    dict(name="phi3_yarn", config=LONGROPE, query_std=SHARP, lengths=LENGTHS, spelling="older",
         place=dict(rope_scaling=dict(type="yarn", short_factor=SHORT, long_factor=LONG)),
         contrast={"short": rope("longrope", short_factor=SHORT, long_factor=SHORT)}),
    # no length stated: the class's own 4096 is above every prompt here, whatever the dictionary says
    dict(name="phi3_default_original", query_std=SHARP,
         config=dict(max_position_embeddings=16384, **rope("longrope", short_factor=SHORT, long_factor=LONG)),
         drop=["original_max_position_embeddings", "rope_parameters.original_max_position_embeddings"],
         contrast={"original": dict(original_max_position_embeddings=8192)}),
    dict(name="phi3_padding", config=dict(vocab_size=131, pad_token_id=7, resid_pdrop=0.1)),
    dict(name="phi3_float16", config=dict(num_hidden_layers=3, **GQA), dtype="float16", shard="100KB", query_std=SHARP,
         generation=dict(bos_token_id=1, eos_token_id=[2, 4])),
]


def random_config(rng):
    kv_heads = rng.choice([1, 2, 3])
    heads = kv_heads * rng.choice([1, 2, 4])
    head_dim = rng.choice([8, 16, 24])
    return dict(
        hidden_size=heads * head_dim, num_attention_heads=heads, num_key_value_heads=kv_heads,
        intermediate_size=rng.randrange(40, 300), num_hidden_layers=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), tie_word_embeddings=rng.random() < 0.3,
        sliding_window=rng.choice([None, rng.randrange(3, 40)]),
        **rng.choice([{}, rope("default", partial_rotary_factor=0.5),
                      dict(max_position_embeddings=16384, **rope(
                          "longrope", short_factor=[1.0 + i / 4 for i in range(head_dim // 2)],
                          long_factor=[2.0 + i for i in range(head_dim // 2)]))]),
    )
