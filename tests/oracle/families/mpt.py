"""MPT: ALiBi with its own slopes, no bias anywhere, query, key and value in one matrix."""

MODEL_TYPE = "mpt"
BASE = dict(vocab_size=128, d_model=64, n_layers=2, n_heads=4, max_seq_len=256, bos_token_id=1, eos_token_id=2)
SHARP = 0.25


CASES = [
    dict(name="mpt_plain", config={}, query_std=SHARP),
    dict(name="mpt_six_heads", config=dict(d_model=96, n_heads=6, n_layers=3, vocab_size=131), query_std=SHARP),
    dict(name="mpt_five_heads", config=dict(d_model=80, n_heads=5), query_std=SHARP),
    dict(name="mpt_one_head", config=dict(d_model=24, n_heads=1), query_std=SHARP),
    dict(name="mpt_scale", config=dict(attn_config=dict(softmax_scale=0.7)), query_std=SHARP,
         contrast={"scale": dict(attn_config=dict())}),
    dict(name="mpt_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    dict(name="mpt_untied", config=dict(tie_word_embeddings=False)),
    # config.json as the hub's 7B has it
    dict(name="mpt_hub_layout", config={}, query_std=SHARP, drop=["attn_config", "tie_word_embeddings"],
         place=dict(attn_config=dict(alibi=True, alibi_bias_max=8, attn_impl="torch", attn_pdrop=0,
                                     attn_type="multihead_attention", attn_uses_sequence_id=False, clip_qkv=None,
                                     prefix_lm=False, qk_ln=False, softmax_scale=None),
                    no_bias=True, norm_type="low_precision_layernorm", logit_scale=None, expansion_ratio=4)),
    dict(name="mpt_bfloat16", config=dict(d_model=96, n_heads=6), dtype="bfloat16", shard="100KB", query_std=SHARP),
    dict(name="mpt_float16", config=dict(n_layers=3), dtype="float16", query_std=SHARP,
         generation=dict(bos_token_id=1, eos_token_id=[2, 4])),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 7, 12])
    return dict(
        d_model=heads * rng.choice([8, 16, 24]), n_heads=heads, n_layers=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), tie_word_embeddings=rng.random() < 0.6,
        attn_config=rng.choice([{}, dict(softmax_scale=0.5)]),
    )
