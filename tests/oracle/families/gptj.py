"""GPT-J: parallel blocks behind one norm, neighbouring lanes rotated, a head with a bias."""

MODEL_TYPE = "gptj"
BASE = dict(vocab_size=128, n_embd=64, n_layer=2, n_head=4, n_positions=256, rotary_dim=8, bos_token_id=1,
            eos_token_id=2)
SHARP = 0.25
BUFFERS = {f"transformer.h.{layer}.attn.bias": [1, 1, 256, 256] for layer in range(2)}

CASES = [
    dict(name="gptj_plain", config={}, query_std=SHARP, contrast={"rotary": dict(rotary_dim=4)}),
    dict(name="gptj_rotary_whole", config=dict(rotary_dim=16), query_std=SHARP,
         contrast={"partial": dict(rotary_dim=8)}),
    dict(name="gptj_rotary_two", config=dict(rotary_dim=2), query_std=SHARP, contrast={"more": dict(rotary_dim=4)}),
    dict(name="gptj_rotary_default", config=dict(n_embd=160, n_head=2, rotary_dim=64), drop=["rotary_dim"],
         query_std=0.1),
    dict(name="gptj_six_heads", config=dict(n_embd=96, n_head=6, n_inner=288, vocab_size=131, n_layer=3),
         query_std=SHARP),
    dict(name="gptj_default_inner", config={}, drop=["n_inner", "tie_word_embeddings"]),
    dict(name="gptj_relu", config=dict(activation_function="relu"), query_std=SHARP,
         contrast={"gelu": dict(activation_function="gelu_new")}),
    dict(name="gptj_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    dict(name="gptj_tied", config=dict(tie_word_embeddings=True), query_std=SHARP),
    dict(name="gptj_general_names", config={}, drop=["n_embd", "n_head", "n_layer", "n_positions"], query_std=SHARP,
         place=dict(hidden_size=64, num_attention_heads=4, num_hidden_layers=2, max_position_embeddings=256)),
    dict(name="gptj_hub_layout", config={}, spelling="old", query_std=SHARP, shard="100KB",
         extra={**BUFFERS, "transformer.h.0.attn.masked_bias": []}),
    dict(name="gptj_bfloat16", config={}, dtype="bfloat16"),
    dict(name="gptj_float16", config=dict(resid_pdrop=0.1, n_inner=192), dtype="float16"),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 6])
    head_dim = rng.choice([8, 12, 16, 24])
    return dict(
        n_embd=heads * head_dim, n_head=heads, n_layer=rng.choice([1, 2, 3]),
        rotary_dim=2 * rng.randrange(1, head_dim // 2 + 1), n_inner=rng.choice([None, rng.randrange(40, 300)]),
        vocab_size=rng.randrange(90, 300), activation_function=rng.choice(["gelu_new", "gelu", "relu"]),
        tie_word_embeddings=rng.random() < 0.3,
    )
