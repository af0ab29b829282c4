"""CLIP's text model: causal pre-norm layers with quick GELU, the row of the end of the text as embedding."""

MODEL_TYPE = "clip_text_model"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=96, bos_token_id=126, eos_token_id=127, pad_token_id=1,
)
SHARP = 0.25
POOLED = True

CASES = [
    dict(name="clip_text_base", architecture="CLIPTextModel", config={}, ends=[127], query_std=SHARP,
         contrast={"gelu": dict(hidden_act="relu")}),
    # the end of the text as the first releases state it: the highest token is meant
    dict(name="clip_text_first_release", architecture="CLIPTextModel", query_std=SHARP,
         config=dict(eos_token_id=2, bos_token_id=0), rename=[(r"^", "text_model.")],
         extra={"text_model.embeddings.position_ids": [1, 96]}),
    # the text half of a checkpoint that holds images too
    dict(name="clip_text_whole", architecture="CLIPTextModel", config={}, ends=[127], query_std=SHARP, layout="wrapped",
         rename=[(r"^", "text_model.")],
         extra={"vision_model.embeddings.class_embedding": [32], "visual_projection.weight": [16, 32],
                "text_projection.weight": [16, 64], "logit_scale": []}),
    # padding that is the end of the text too: the first one counts
    dict(name="clip_text_padded", architecture="CLIPTextModel", query_std=SHARP, ends=[9, 9, 9],
         config=dict(eos_token_id=9, pad_token_id=9, vocab_size=131)),
    dict(name="clip_text_gelu", architecture="CLIPTextModel", query_std=SHARP, ends=[127],
         config=dict(hidden_act="gelu", num_hidden_layers=3, num_attention_heads=8),
         contrast={"quick": dict(hidden_act="relu")}),
    dict(name="clip_text_edge", architecture="CLIPTextModel", query_std=SHARP, ends=[127],
         config=dict(max_position_embeddings=76, layer_norm_eps=1e-1, hidden_size=60, num_attention_heads=5),
         contrast={"eps": dict(layer_norm_eps=1e-5)}),
    dict(name="clip_text_bfloat16", architecture="CLIPTextModel", config={}, dtype="bfloat16", ends=[127],
         query_std=SHARP),
]
