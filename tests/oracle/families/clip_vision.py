"""CLIP's vision model: a class row and the patches of an image, pre-norm layers that look both ways."""

MODEL_TYPE = "clip_vision_model"
BASE = dict(
    hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4, image_size=24, patch_size=8,
)
SHARP = 0.25
IMAGES = 5

CASES = [
    dict(name="clip_vision_base", architecture="CLIPVisionModel", config={}, query_std=SHARP,
         contrast={"gelu": dict(hidden_act="relu")}),
    # the names of the whole model, as releases before Transformers 5 wrote them
    dict(name="clip_vision_first_release", architecture="CLIPVisionModel", config={}, query_std=SHARP,
         rename=[(r"^", "vision_model.")], extra={"vision_model.embeddings.position_ids": [1, 10]}),
    # pixels left over beside the patches, one channel, longer than a small step
    dict(name="clip_vision_uneven", architecture="CLIPVisionModel", query_std=SHARP,
         config=dict(image_size=31, patch_size=3, num_channels=1, hidden_size=60, num_attention_heads=5)),
    dict(name="clip_vision_one_patch", architecture="CLIPVisionModel", query_std=SHARP,
         config=dict(image_size=7, patch_size=7, num_channels=4, num_hidden_layers=3)),
    dict(name="clip_vision_edge", architecture="CLIPVisionModel", query_std=SHARP,
         config=dict(hidden_act="gelu", layer_norm_eps=1e-1, patch_size=4),
         contrast={"eps": dict(layer_norm_eps=1e-5), "quick": dict(hidden_act="relu")}),
    dict(name="clip_vision_projection", architecture="CLIPVisionModelWithProjection", query_std=SHARP,
         config=dict(projection_dim=48)),
    dict(name="clip_vision_projection_edge", architecture="CLIPVisionModelWithProjection", query_std=SHARP,
         config=dict(projection_dim=96, num_channels=1, patch_size=5, hidden_act="gelu")),
    dict(name="clip_vision_bfloat16", architecture="CLIPVisionModel", config={}, dtype="bfloat16", query_std=SHARP),
    dict(name="clip_vision_float16", architecture="CLIPVisionModelWithProjection", config=dict(projection_dim=48),
         dtype="float16", query_std=SHARP),
]
