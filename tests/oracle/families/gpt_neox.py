"""GPT-NeoX: fused heads, partial rotation, parallel blocks with a norm each or one after the other."""

MODEL_TYPE = "gpt_neox"
BASE = dict(vocab_size=128, hidden_size=64, intermediate_size=192, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=256, bos_token_id=1, eos_token_id=2)
SHARP = 0.25


def rope(rope_type="default", theta=10000.0, part=0.25, **parameters):
    return {"rope_parameters": {"rope_type": rope_type, "rope_theta": theta, "partial_rotary_factor": part,
                                **parameters}}


def older(part, theta=10000):
    """The rotary keys of config.json before Transformers 5."""
    return dict(drop=["rope_parameters"], place=dict(rotary_pct=part, rotary_emb_base=theta))


BUFFERS = {f"gpt_neox.layers.{layer}.attention.bias": [1, 1, 256, 256] for layer in range(2)}
EMBED_OUT = [(r"^lm_head\.", "embed_out.")]

CASES = [
    dict(name="gpt_neox_parallel", config={}, query_std=SHARP,
         contrast={"serial": dict(use_parallel_residual=False), "whole": rope(part=1.0)}),
    dict(name="gpt_neox_serial", config=dict(use_parallel_residual=False), query_std=SHARP,
         contrast={"parallel": dict(use_parallel_residual=True)}),
    dict(name="gpt_neox_six_heads", config=dict(hidden_size=96, num_attention_heads=6, intermediate_size=288,
                                                vocab_size=131, num_hidden_layers=3, **rope(part=0.5)),
         query_std=SHARP, contrast={"part": rope(part=0.25)}),
    dict(name="gpt_neox_rotary_whole", config=rope(part=1.0), query_std=SHARP, contrast={"part": rope()}),
    dict(name="gpt_neox_theta", config=rope(theta=500.0, part=0.5), query_std=SHARP,
         contrast={"theta": rope(part=0.5)}),
    dict(name="gpt_neox_linear", config=rope("linear", part=0.5, factor=4.0), query_std=SHARP,
         contrast={"plain": rope(part=0.5)}),
    dict(name="gpt_neox_dynamic", config=dict(max_position_embeddings=64, **rope("dynamic", part=0.5, factor=2.0)),
         query_std=SHARP, lengths=[1, 5, 17, 48, 64, 75, 90], contrast={"plain": rope(part=0.5)}),
    dict(name="gpt_neox_rotary_pct", config=rope(theta=2000.0, part=0.5), query_std=SHARP, **older(0.5, 2000),
         contrast={"theta": rope(part=0.5), "part": rope(theta=2000.0)}),
    dict(name="gpt_neox_rotary_default", config={}, query_std=SHARP,
         drop=["rope_parameters", "use_parallel_residual", "attention_bias", "hidden_act", "tie_word_embeddings"]),
    dict(name="gpt_neox_no_attention_bias", config=dict(attention_bias=False), query_std=SHARP),
    dict(name="gpt_neox_relu", config=dict(hidden_act="relu"), query_std=SHARP,
         contrast={"gelu": dict(hidden_act="gelu")}),
    dict(name="gpt_neox_gelu_fast", config=dict(hidden_act="gelu_fast"), query_std=SHARP,
         contrast={"relu": dict(hidden_act="relu")}),
    dict(name="gpt_neox_eps", config=dict(layer_norm_eps=1e-2), query_std=SHARP,
         contrast={"eps": dict(layer_norm_eps=1e-5)}),
    dict(name="gpt_neox_tied", config=dict(tie_word_embeddings=True), query_std=SHARP),
    # config.json and tensor names as Pythia's files have them
    dict(name="gpt_neox_hub_layout", config={}, query_std=SHARP, rename=EMBED_OUT, shard="100KB",
         extra={**BUFFERS, "gpt_neox.layers.0.attention.masked_bias": [],
                "gpt_neox.layers.0.attention.rotary_emb.inv_freq": [2]}, **older(0.25)),
    dict(name="gpt_neox_bfloat16", config={}, dtype="bfloat16"),
    dict(name="gpt_neox_float16", config=dict(hidden_dropout=0.1, use_parallel_residual=False), dtype="float16"),
]


def random_config(rng):
    heads = rng.choice([1, 2, 3, 4, 5, 6])
    return dict(
        hidden_size=heads * rng.choice([8, 16, 24, 32]), num_attention_heads=heads,
        intermediate_size=rng.randrange(40, 300), num_hidden_layers=rng.choice([1, 2, 3]),
        vocab_size=rng.randrange(90, 300), use_parallel_residual=rng.random() < 0.5,
        attention_bias=rng.random() < 0.7, tie_word_embeddings=rng.random() < 0.3,
        hidden_act=rng.choice(["gelu", "gelu_new", "relu"]), **rope(part=rng.choice([0.25, 0.5, 0.75, 1.0])),
    )
