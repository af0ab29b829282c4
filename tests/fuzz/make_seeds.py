"""Writes the seeds of every fuzzer into a folder, one folder each: make_seeds.py FOLDER.

Seeds are small files that reach deep: valid models and tokenizers of each kind, then one step wrong. They are made
here, so that none is kept in the repository.
"""

import itertools
import json
import pathlib
import random
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def safetensors_seeds():
    header = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "b": {"dtype": "BF16", "shape": [], "data_offsets": [16, 18]},
        "c": {"dtype": "I64", "shape": [0, 3], "data_offsets": [18, 18]},
    }
    text = json.dumps(header).encode()
    data = bytes(range(18))
    yield b"\x00" + struct.pack("<Q", len(text)) + text + data
    yield b"\x02" + struct.pack("<Q", 2) + b"{}"
    yield b"\x01" + text + b"\n" + data
    for dtype, size in [("F64", 8), ("F16", 2), ("I8", 1), ("U8", 1), ("I32", 4), ("BOOL", 1), ("F8_E4M3", 1), ("F4", 1)]:
        entry = {"w": {"dtype": dtype, "shape": [3, 2 if dtype == "F4" else 1], "data_offsets": [0, 3 * size]}}
        yield b"\x03" + json.dumps(entry).encode() + b"\n" + bytes(3 * size)


def config_seeds():
    gated = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8, "hidden_act": "silu", "max_position_embeddings": 64,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True, "vocab_size": 100,
        "eos_token_id": [1, 2], "dtype": "bfloat16",
    }
    ropes = [
        {"rope_type": "default", "rope_theta": 5e5},
        {"rope_type": "linear", "factor": 2.0},
        {"type": "dynamic", "factor": 4.0},
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 32},
        {"rope_type": "yarn", "factor": 4.0, "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0,
         "truncate": False, "original_max_position_embeddings": 16},
        {"rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [2.0] * 4, "attention_factor": 1.2},
    ]
    for model_type in ["llama", "mistral", "qwen2", "qwen3"]:
        yield {"model_type": model_type, **gated}
    for rope in ropes:
        yield {"model_type": "llama", **gated, "rope_scaling": rope}
        yield {"model_type": "qwen3", **gated, "rope_parameters": rope}
    yield {"model_type": "qwen2", **gated, "use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}
    yield {"model_type": "qwen3", **gated, "sliding_window": 8, "use_sliding_window": True,
           "layer_types": ["sliding_attention", "full_attention"]}
    yield {"model_type": "gpt2", "n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 64, "vocab_size": 100,
           "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5}
    gptj = {"n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 64, "rotary_dim": 4, "vocab_size": 100}
    for model_type in ["gptj", "codegen"]:
        yield {"model_type": model_type, **gptj, "n_inner": 96, "activation_function": "gelu_new"}
    yield {"model_type": "gpt_neo", "hidden_size": 32, "num_heads": 4, "num_layers": 4, "window_size": 8,
           "attention_types": [[["global", "local"], 2]], "attention_layers": ["global", "local"] * 2}
    yield {"model_type": "gpt_neox", **gated, "rotary_pct": 0.5, "rotary_emb_base": 10000,
           "use_parallel_residual": False, "attention_bias": False}
    yield {"model_type": "bloom", "n_embed": 32, "n_head": 4, "n_layer": 2, "seq_length": 64}
    yield {"model_type": "opt", "hidden_size": 32, "ffn_dim": 64, "num_attention_heads": 4, "word_embed_proj_dim": 16,
           "do_layer_norm_before": False, "_remove_final_layer_norm": True, "enable_bias": False}
    yield {"model_type": "internlm", **gated, "bias": True,
           "rotary": {"base": 10000, "type": "dynamic", "scaling_factor": 2.0}}
    yield {"model_type": "llama_meta", "dim": 32, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "multiple_of": 16,
           "ffn_dim_multiplier": 1.3, "vocab_size": 100, "use_scaled_rope": True, "rope_scaling_factor": 8}
    yield {"model_type": "megatron_gpt", "hidden_size": 32, "num_layers": 2, "num_attention_heads": 4,
           "padded_vocab_size": 128, "max_position_embeddings": 64, "checkpoint_version": 2.0, "openai_gelu": True}
    yield {"model_type": "vision", "text_config": {"model_type": "llama", **gated}, "tie_word_embeddings": False}
    yield {"model_type": "gemma", **gated, "pad_token_id": 0}
    yield {"model_type": "phi", **gated, "partial_rotary_factor": 0.5, "layer_norm_eps": 1e-5, "qk_layernorm": False}
    yield {"model_type": "phi3", **gated, "sliding_window": 8, "rope_scaling": {
        "type": "su", "short_factor": [1.0] * 4, "long_factor": [2.0] * 4}, "original_max_position_embeddings": 32}
    falcon = {"model_type": "falcon", "hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2,
              "vocab_size": 100}
    yield {**falcon, "ffn_hidden_size": 50}
    yield {**falcon, "new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1}
    yield {**falcon, "alibi": True, "multi_query": False, "parallel_attn": False, "bias": True}
    yield {"model_type": "mpt", "d_model": 32, "n_heads": 4, "n_layers": 2, "vocab_size": 100, "max_seq_len": 64,
           "attn_config": {"alibi": True, "softmax_scale": 0.5, "clip_qkv": None, "qk_ln": False}}
    yield {"model_type": "gpt_bigcode", "n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": 64, "vocab_size": 100,
           "multi_query": False}


def architecture_seeds():
    config = {"hidden_size": 32, "n_embd": 32, "num_hidden_layers": 2, "n_layer": 2, "vocab_size": 100}
    for path in sorted((ROOT / "examples/architectures").glob("*.json")):
        architecture = json.loads(path.read_text())
        model = {**config, "model_type": architecture["model_types"][0]}
        yield "\n---\n".join(map(json.dumps, [model, {}, architecture])).encode()


def tokenizer_seeds():
    words = {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1, "b": 2, "hello": 3}, "unk_token": "[UNK]"}
    pieces = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3, "<0x41>": 4, "\u2581": 5, "<unk>": 6},
              "merges": [["a", "b"]], "unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True}
    subwords = {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1, "##b": 2}, "unk_token": "[UNK]",
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
    unigram = {"type": "Unigram", "vocab": [["<unk>", 0.0], ["a", -1.0], ["ab", -1.5], ["\u2581", -2.0]], "unk_id": 0}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    special = [{"id": 3, "content": "hello", "special": True, "lstrip": True, "rstrip": False, "normalized": False,
                "single_word": False}]
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "a", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"a": {"id": "a", "ids": [1], "tokens": ["a"]}}}
    normalizers = [None, {"type": "NFC"}, {"type": "Lowercase"}, {"type": "Strip", "strip_left": True, "strip_right": True},
                   {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                    "lowercase": True}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
                   {"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "StripAccents"}]},
                   {"type": "Prepend", "prepend": "\u2581"}]
    splitters = [None, {"type": "Whitespace"}, byte_level, {"type": "BertPreTokenizer"}, {"type": "Punctuation",
                 "behavior": "Isolated"}, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first",
                 "split": True}, {"type": "Split", "pattern": {"Regex": "\\s+|[a-z]"}, "behavior": "Isolated",
                 "invert": False}, {"type": "Digits", "individual_digits": True}]
    decoders = [None, byte_level, {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "Metaspace",
                "replacement": "\u2581", "prepend_scheme": "always", "split": True}, {"type": "ByteFallback"},
                {"type": "Fuse"}, {"type": "BPEDecoder", "suffix": "</w>"}, {"type": "Sequence", "decoders": [
                    {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
                    {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}]
    text = "hello ab  b\u00e9\u4e2d a\u0301 \U0001f600".encode()
    models = [words, pieces, subwords, unigram]
    for i in range(16):
        file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": special if i % 3 == 0 else [],
                "normalizer": normalizers[i % 8], "pre_tokenizer": splitters[(i * 3) % 8],
                "post_processor": template if i % 4 == 1 else None, "decoder": decoders[(i * 5) % 8],
                "model": models[i % 4]}
        if i % 4 != 0:
            file["added_tokens"] = []
        yield bytes([i % 8]) + struct.pack("<H", len(text)) + text + json.dumps(file, ensure_ascii=False).encode()
    example = (ROOT / "examples/model/tokenizer.json").read_bytes()
    yield b"\x03" + struct.pack("<H", len(text)) + text + example


def abi_seeds():
    """Bytes that are taken as operations; what each means is in abi_fuzz.cpp."""
    source = random.Random(1)
    for size in [40, 60, 100, 200, 400, 800, 1600, 2400]:
        yield source.randbytes(size)


def main():
    folder = pathlib.Path(sys.argv[1])
    seeds = {
        "safetensors": safetensors_seeds(),
        "config": itertools.chain(
            (json.dumps(c).encode() + b'\n---\n{"temperature": 0.6, "top_k": 20, "top_p": 0.9, "do_sample": true}'
             for c in config_seeds()), architecture_seeds()),
        "tokenizer": tokenizer_seeds(),
        "abi": abi_seeds(),
    }
    for name, items in seeds.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, item in enumerate(items):
            (folder / name / f"seed-{number:02}").write_bytes(item)


if __name__ == "__main__":
    main()
