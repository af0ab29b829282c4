"""BERT: post-norm encoder layers, token types, a pooler, and heads for masked tokens and labels."""

MODEL_TYPE = "bert"
BASE = dict(
    vocab_size=128, hidden_size=64, intermediate_size=160, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=96,
)
SHARP = 0.25
LABELS = {0: "NEGATIVE", 1: "NEUTRAL", 2: "POSITIVE"}
# Heads and buffers that checkpoints of the hub carry beside the base model.
PRETRAINING = {
    "cls.predictions.bias": [128], "cls.predictions.transform.dense.weight": [64, 64], "cls.seq_relationship.bias": [2],
}

CASES = [
    dict(name="bert_base", architecture="BertModel", config={}, types=True, query_std=SHARP),
    # config.json and tensors as the first release has them: no class, gamma and beta, pre-training heads, a prefix
    dict(name="bert_base_hub_layout", architecture="BertModel", config={}, drop=["architectures"], query_std=SHARP,
         rename=[(r"^", "bert."), (r"LayerNorm\.weight$", "LayerNorm.gamma"), (r"LayerNorm\.bias$", "LayerNorm.beta")],
         extra={**PRETRAINING, "bert.embeddings.position_ids": [1, 96]}),
    dict(name="bert_base_no_pooler", architecture="BertModel", query_std=SHARP,
         config=dict(hidden_size=48, num_attention_heads=2, type_vocab_size=3), types=True,
         rename=[(r"^pooler\.dense", "bert.pooler.dense")], extra={"embeddings.position_ids": [1, 96]}),
    dict(name="bert_base_edge", architecture="BertModel", config=dict(max_position_embeddings=75, layer_norm_eps=1e-2),
         query_std=SHARP, contrast={"eps": dict(layer_norm_eps=1e-12)}),
    dict(name="bert_base_wide_heads", architecture="BertModel", config=dict(hidden_size=128, num_hidden_layers=3),
         query_std=SHARP, types=True),
    dict(name="bert_base_head_dim_12", architecture="BertModel", config=dict(hidden_size=60, num_attention_heads=5),
         query_std=SHARP),
    dict(name="bert_base_bfloat16", architecture="BertModel", config={}, dtype="bfloat16", query_std=SHARP),
    dict(name="bert_mlm", architecture="BertForMaskedLM", config={}, types=True, query_std=SHARP),
    dict(name="bert_mlm_relu", architecture="BertForMaskedLM", config=dict(hidden_act="relu", num_attention_heads=8),
         query_std=SHARP, contrast={"gelu": dict(hidden_act="gelu")}),
    dict(name="bert_mlm_untied", architecture="BertForMaskedLM", config=dict(tie_word_embeddings=False),
         query_std=SHARP),
    # says that it is tied and holds another decoder: Transformers believes the tensors
    dict(name="bert_mlm_wrongly_tied", architecture="BertForMaskedLM", config=dict(tie_word_embeddings=False),
         query_std=SHARP, place=dict(tie_word_embeddings=True)),
    dict(name="bert_mlm_all_stored", architecture="BertForMaskedLM", config=dict(vocab_size=131), query_std=SHARP,
         copies={"cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
                 "cls.predictions.decoder.bias": "cls.predictions.bias"},
         extra={"cls.seq_relationship.weight": [2, 64], "bert.pooler.dense.weight": [64, 64],
                "bert.embeddings.position_ids": [1, 96]}),
    dict(name="bert_sequence_labels", architecture="BertForSequenceClassification", types=True, query_std=SHARP,
         config=dict(id2label=LABELS, classifier_dropout=0.3)),
    dict(name="bert_sequence_one_label", architecture="BertForSequenceClassification", query_std=SHARP,
         config=dict(id2label={0: "SCORE"}, hidden_dropout_prob=0.0)),
    dict(name="bert_sequence_multi_label", architecture="BertForSequenceClassification", query_std=SHARP,
         config=dict(id2label={i: f"tag {i}" for i in range(11)}, problem_type="multi_label_classification"),
         dtype="float16"),
    dict(name="bert_token_labels", architecture="BertForTokenClassification", query_std=SHARP,
         config=dict(id2label={i: f"B-{i}" for i in range(9)}, hidden_act="gelu_new"),
         contrast={"gelu": dict(hidden_act="relu")}),
]
