"""DistilBERT: no token types, no pooler, names of its own."""

MODEL_TYPE = "distilbert"
BASE = dict(vocab_size=128, dim=64, hidden_dim=160, n_layers=2, n_heads=4, max_position_embeddings=96)
SHARP = 0.25

CASES = [
    dict(name="distilbert_base", architecture="DistilBertModel", config={}, query_std=SHARP),
    dict(name="distilbert_base_edge", architecture="DistilBertModel", query_std=SHARP,
         config=dict(max_position_embeddings=75, dim=48, n_heads=2, n_layers=3), rename=[(r"^", "distilbert.")],
         extra={"vocab_transform.bias": [48], "vocab_projector.bias": [128]}),
    dict(name="distilbert_base_relu", architecture="DistilBertModel", query_std=SHARP, dtype="bfloat16",
         config=dict(activation="relu", n_heads=8), contrast={"gelu": dict(activation="gelu")}),
    dict(name="distilbert_mlm", architecture="DistilBertForMaskedLM", config={}, query_std=SHARP),
    dict(name="distilbert_mlm_relu", architecture="DistilBertForMaskedLM", query_std=SHARP,
         config=dict(activation="relu", tie_word_embeddings=False), contrast={"gelu": dict(activation="gelu")}),
    dict(name="distilbert_sequence_labels", architecture="DistilBertForSequenceClassification", query_std=SHARP,
         config=dict(id2label={0: "NEGATIVE", 1: "POSITIVE"}, seq_classif_dropout=0.4)),
    dict(name="distilbert_token_labels", architecture="DistilBertForTokenClassification", query_std=SHARP,
         config=dict(id2label={i: f"T{i}" for i in range(7)}, dropout=0.0)),
]
