"""OPT: positions behind two unused rows, norms before or behind the blocks, projected embeddings."""

MODEL_TYPE = "opt"
BASE = dict(vocab_size=128, hidden_size=64, ffn_dim=192, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=256, word_embed_proj_dim=64, bos_token_id=2, eos_token_id=2, pad_token_id=1)
SHARP = 0.25
SHARPER = 0.5  # the first layer reads the embeddings as they are, and those are small
UNSEEN = ("k_proj.bias",)
POST = dict(do_layer_norm_before=False)

CASES = [
    dict(name="opt_plain", config={}, query_std=SHARP, contrast={"gelu": dict(activation_function="gelu")}),
    dict(name="opt_post_norm", config=POST, query_std=SHARPER),
    # the shape of OPT-350m
    dict(name="opt_350m", config=dict(word_embed_proj_dim=32, vocab_size=131, **POST), query_std=2 * SHARPER,
         drop=["_remove_final_layer_norm"]),
    dict(name="opt_projected_pre_norm", config=dict(word_embed_proj_dim=96, num_hidden_layers=3), query_std=SHARP),
    dict(name="opt_projected_untied", config=dict(word_embed_proj_dim=24, tie_word_embeddings=False), query_std=SHARP),
    dict(name="opt_no_final_norm", config=dict(_remove_final_layer_norm=True), query_std=SHARP),
    dict(name="opt_no_biases", config=dict(enable_bias=False), query_std=SHARP),
    dict(name="opt_no_biases_post_norm", config=dict(enable_bias=False, **POST), query_std=SHARPER),
    dict(name="opt_gelu", config=dict(activation_function="gelu"), query_std=SHARP,
         contrast={"relu": dict(activation_function="relu")}),
    dict(name="opt_six_heads", config=dict(hidden_size=96, word_embed_proj_dim=96, num_attention_heads=6, ffn_dim=200,
                                           vocab_size=131, num_hidden_layers=3), query_std=SHARP),
    dict(name="opt_edge", config=dict(max_position_embeddings=128, pad_token_id=0), query_std=SHARP),
    dict(name="opt_defaults", config={}, query_std=SHARP,
         drop=["word_embed_proj_dim", "tie_word_embeddings", "enable_bias", "layer_norm_elementwise_affine",
               "do_layer_norm_before", "activation_function", "_remove_final_layer_norm", "pad_token_id"]),
    dict(name="opt_hub_layout", config={}, spelling="old", query_std=SHARP, shard="100KB", head_copy=True),
    dict(name="opt_bare", config={}, rename=[(r"^model\.", "")], query_std=SHARP),
    dict(name="opt_bfloat16", config={}, dtype="bfloat16", query_std=SHARP),
    dict(name="opt_float16", config=dict(word_embed_proj_dim=32), dtype="float16", query_std=SHARP),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 6])
    hidden = heads * rng.choice([8, 12, 16, 24])
    return dict(
        hidden_size=hidden, num_attention_heads=heads, num_hidden_layers=rng.choice([1, 2, 3]),
        ffn_dim=rng.randrange(40, 300), vocab_size=rng.randrange(90, 300),
        word_embed_proj_dim=rng.choice([hidden, rng.randrange(8, 120)]), do_layer_norm_before=rng.random() < 0.5,
        enable_bias=rng.random() < 0.7, activation_function=rng.choice(["relu", "gelu"]),
        tie_word_embeddings=rng.random() < 0.7,
    )
