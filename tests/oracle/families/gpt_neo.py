"""GPT-Neo: layers that see a window in turn with layers that see all, scores without scale, learned positions."""

MODEL_TYPE = "gpt_neo"
BASE = dict(vocab_size=128, hidden_size=64, num_layers=2, num_heads=4, max_position_embeddings=256, window_size=8,
            attention_types=[[["global", "local"], 1]], bos_token_id=1, eos_token_id=2)
SHARP = 0.15


def types(*groups):
    return dict(attention_types=[[list(names), count] for names, count in groups],
                num_layers=sum(len(names) * count for names, count in groups))


GLOBAL = types((["global"], 2))
BUFFERS = {f"transformer.h.{layer}.attn.attention.bias": [1, 1, 256, 256] for layer in range(2)}

CASES = [
    dict(name="gpt_neo_plain", config={}, query_std=SHARP, contrast={"global": GLOBAL, "wide": dict(window_size=9)}),
    dict(name="gpt_neo_global", config=GLOBAL, contrast={"local": types((["local"], 2))}),
    dict(name="gpt_neo_all_local", config=types((["local"], 3)), query_std=SHARP,
         contrast={"global": types((["global"], 3))}),
    dict(name="gpt_neo_groups", config=types((["local", "global"], 1), (["global"], 2)), query_std=SHARP,
         contrast={"other order": types((["global", "local"], 2))}),
    dict(name="gpt_neo_window_two", config=dict(window_size=2), query_std=SHARP,
         contrast={"one": dict(window_size=1), "three": dict(window_size=3)}),
    # both spellings of the layer types, or the written out one alone
    dict(name="gpt_neo_attention_layers", config={}, drop=["attention_types"],
         place=dict(attention_layers=["global", "local"], num_hidden_layers=2), query_std=SHARP),
    dict(name="gpt_neo_six_heads", config=dict(hidden_size=96, num_heads=6, intermediate_size=288, vocab_size=131),
         query_std=SHARP),
    dict(name="gpt_neo_default_inner", config={}, drop=["intermediate_size", "tie_word_embeddings"], query_std=SHARP),
    dict(name="gpt_neo_relu", config=dict(activation_function="relu"), query_std=SHARP,
         contrast={"gelu": dict(activation_function="gelu_new")}),
    dict(name="gpt_neo_eps", config=dict(layer_norm_epsilon=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_epsilon=1e-5)}),
    dict(name="gpt_neo_untied", config=dict(tie_word_embeddings=False, intermediate_size=192)),
    dict(name="gpt_neo_hub_layout", config={}, spelling="old", query_std=SHARP, shard="100KB",
         extra={**BUFFERS, "transformer.h.0.attn.attention.masked_bias": []}, head_copy=True),
    dict(name="gpt_neo_bare", config={}, layout="bare", query_std=SHARP),
    dict(name="gpt_neo_bfloat16", config={}, dtype="bfloat16"),
    dict(name="gpt_neo_float16", config=dict(resid_dropout=0, embed_dropout=0.25), dtype="float16"),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 6])
    names = [rng.choice(["global", "local"]) for _ in range(rng.choice([1, 2]))]
    return dict(
        hidden_size=heads * rng.choice([8, 12, 16, 24]), num_heads=heads, **types((names, rng.choice([1, 2]))),
        intermediate_size=rng.choice([None, rng.randrange(40, 300)]), vocab_size=rng.randrange(90, 300),
        window_size=rng.randrange(1, 40), tie_word_embeddings=rng.random() < 0.7,
    )
