"""XLM-RoBERTa: RoBERTa with other class names and the heads first in the tree."""

MODEL_TYPE = "xlm-roberta"
BASE = dict(
    vocab_size=150, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=98, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5,
)
SHARP = 0.25

CASES = [
    dict(name="xlm_roberta_base", architecture="XLMRobertaModel", config={}, query_std=SHARP),
    dict(name="xlm_roberta_base_edge", architecture="XLMRobertaModel", query_std=SHARP, padded=True,
         config=dict(max_position_embeddings=77, hidden_size=72, num_attention_heads=3)),
    dict(name="xlm_roberta_mlm", architecture="XLMRobertaForMaskedLM", config={}, query_std=SHARP),
    dict(name="xlm_roberta_sequence_labels", architecture="XLMRobertaForSequenceClassification", query_std=SHARP,
         config=dict(id2label={0: "LABEL_0"}), dtype="float16"),
    dict(name="xlm_roberta_token_labels", architecture="XLMRobertaForTokenClassification", query_std=SHARP,
         config=dict(id2label={i: f"E{i}" for i in range(5)}, num_hidden_layers=3)),
]
