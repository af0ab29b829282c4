"""RoBERTa: positions that start behind the padding token's, heads of its own."""

MODEL_TYPE = "roberta"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=98, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5,
)
SHARP = 0.25

CASES = [
    dict(name="roberta_base", architecture="RobertaModel", config={}, query_std=SHARP),
    dict(name="roberta_base_edge", architecture="RobertaModel", config=dict(max_position_embeddings=77),
         query_std=SHARP, rename=[(r"^", "roberta.")],
         extra={"lm_head.bias": [128], "roberta.embeddings.position_ids": [1, 77]}),
    dict(name="roberta_base_padded", architecture="RobertaModel", config=dict(pad_token_id=5, num_attention_heads=8),
         padded=True, query_std=SHARP),
    dict(name="roberta_base_types", architecture="RobertaModel", types=True, query_std=SHARP,
         config=dict(type_vocab_size=2, layer_norm_eps=1e-2), contrast={"eps": dict(layer_norm_eps=1e-12)}),
    dict(name="roberta_mlm", architecture="RobertaForMaskedLM", config={}, query_std=SHARP),
    dict(name="roberta_mlm_relu", architecture="RobertaForMaskedLM", config=dict(hidden_act="relu"), query_std=SHARP,
         contrast={"gelu": dict(hidden_act="gelu")}, dtype="bfloat16"),
    dict(name="roberta_mlm_untied", architecture="RobertaForMaskedLM", query_std=SHARP,
         config=dict(tie_word_embeddings=False, hidden_size=96, num_attention_heads=4)),
    dict(name="roberta_sequence_labels", architecture="RobertaForSequenceClassification", query_std=SHARP,
         config=dict(id2label={i: f"class {i}" for i in range(12)}), extra={"roberta.pooler.dense.bias": [64]}),
    dict(name="roberta_token_labels", architecture="RobertaForTokenClassification", query_std=SHARP, padded=True,
         config=dict(id2label={0: "O", 1: "B", 2: "I"}, classifier_dropout=0.2)),
]
