#!/usr/bin/env python3
"""Makes what tests/autotp scan: the module trees of Transformers' classes, tiny, on the meta device.

  make_trees.py OUT_DIR

OUT_DIR/trees.json: {CASE: {"config": config.json, "printed": the model as printed, "tree": {"name", "class", "bases":
names of the classes it is derived from, itself first, "children"}}}. A second run with unchanged scripts does nothing.
"""
import hashlib
import json
import pathlib
import sys

sys.dont_write_bytecode = True

SIZES = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=192, vocab_size=128)
KV = dict(num_key_value_heads=2, head_dim=16)
N = dict(n_embd=64, n_layer=2, n_head=4, vocab_size=128)
CASES = {
    "bert": ("BertForMaskedLM", "BertConfig", SIZES),
    "roberta": ("RobertaForMaskedLM", "RobertaConfig", SIZES),
    "distilbert": ("DistilBertForMaskedLM", "DistilBertConfig",
                   dict(dim=64, n_layers=2, n_heads=4, hidden_dim=192, vocab_size=128)),
    "gpt2": ("GPT2LMHeadModel", "GPT2Config", N),
    "gpt_neo": ("GPTNeoForCausalLM", "GPTNeoConfig",
                dict(hidden_size=64, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]],
                     vocab_size=128)),
    "gptj": ("GPTJForCausalLM", "GPTJConfig", dict(N, rotary_dim=8)),
    "codegen": ("CodeGenForCausalLM", "CodeGenConfig", dict(N, rotary_dim=8)),
    "gpt_neox": ("GPTNeoXForCausalLM", "GPTNeoXConfig", SIZES),
    "bloom": ("BloomForCausalLM", "BloomConfig", dict(hidden_size=64, n_layer=2, n_head=4, vocab_size=128)),
    "falcon": ("FalconForCausalLM", "FalconConfig", SIZES),
    "opt": ("OPTForCausalLM", "OPTConfig", dict(SIZES, ffn_dim=192, word_embed_proj_dim=64)),
    "llama": ("LlamaForCausalLM", "LlamaConfig", dict(SIZES, **KV)),
    "mistral": ("MistralForCausalLM", "MistralConfig", dict(SIZES, **KV)),
    "qwen2": ("Qwen2ForCausalLM", "Qwen2Config", dict(SIZES, **KV)),
    "qwen3": ("Qwen3ForCausalLM", "Qwen3Config", dict(SIZES, **KV)),
    "gemma": ("GemmaForCausalLM", "GemmaConfig", dict(SIZES, **KV)),
    "phi3": ("Phi3ForCausalLM", "Phi3Config", dict(SIZES, num_key_value_heads=2, pad_token_id=0)),
    "deepseek_v3": ("DeepseekV3ForCausalLM", "DeepseekV3Config",
                    dict(SIZES, num_key_value_heads=4, q_lora_rank=16, kv_lora_rank=16, qk_rope_head_dim=8,
                         qk_nope_head_dim=8, v_head_dim=16, n_routed_experts=4, n_group=2, topk_group=1,
                         num_experts_per_tok=2, moe_intermediate_size=32, first_k_dense_replace=1)),
    "phi": ("PhiForCausalLM", "PhiConfig", SIZES),
    "mpt": ("MptForCausalLM", "MptConfig", dict(d_model=64, n_layers=2, n_heads=4, vocab_size=128)),
    "gpt_bigcode": ("GPTBigCodeForCausalLM", "GPTBigCodeConfig", N),
    "t5": ("T5ForConditionalGeneration", "T5Config",
           dict(d_model=64, d_kv=16, d_ff=192, num_layers=2, num_heads=4, vocab_size=128)),
    "marian": ("MarianMTModel", "MarianConfig",
               dict(d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
                    decoder_attention_heads=4, encoder_ffn_dim=192, decoder_ffn_dim=192, vocab_size=128,
                    pad_token_id=0, decoder_start_token_id=0)),
    "clip_text": ("CLIPTextModel", "CLIPTextConfig", SIZES),
    "mixtral": ("MixtralForCausalLM", "MixtralConfig", dict(SIZES, num_key_value_heads=2, num_local_experts=4)),
    "qwen2_moe": ("Qwen2MoeForCausalLM", "Qwen2MoeConfig",
                  dict(SIZES, num_key_value_heads=2, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
                       shared_expert_intermediate_size=32)),
}


def tree(name, module):
    return dict(name=name, **{"class": type(module).__name__}, bases=[kind.__name__ for kind in type(module).__mro__],
                children=[tree(*child) for child in module._modules.items() if child[1] is not None])


def main():
    out = pathlib.Path(sys.argv[1])
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    stamp = out / "stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    trees = {}
    for case, (model_class, config_class, options) in CASES.items():
        config = getattr(transformers, config_class)(**options)
        with torch.device("meta"):
            model = getattr(transformers, model_class)(config)
        config.architectures = [model_class]
        trees[case] = dict(config=json.loads(config.to_json_string(use_diff=False)),
                           printed=str(model), tree=tree("", model))
    out.mkdir(parents=True, exist_ok=True)
    (out / "trees.json").write_text(json.dumps(trees))
    stamp.write_text(digest)


if __name__ == "__main__":
    main()
