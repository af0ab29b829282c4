"""Tiny random Hugging Face checkpoints: every parameter redrawn, written the way checkpoints of the hub are."""

import json
import pathlib
import re
import zlib

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file

import families

MATRIX_STD = 0.05
BIAS_STD = 0.1
NORM_STD = 0.2
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# What --scale multiplies: widths and head counts, so that head_dim stays as the case states it.
WIDTHS = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads", "n_embd", "n_head",
          "n_inner", "dim", "hidden_dim", "n_heads", "num_heads", "ffn_dim", "word_embed_proj_dim", "d_model",
          "num_kv_heads", "ffn_hidden_size")

# What query_std is for.
SHARP = ("q_proj", "k_proj", "c_attn", "qkv_proj", "query_key_value", "self.query.weight", "self.key.weight",
         "q_lin.weight", "k_lin.weight", "Wqkv.weight")


def seed_of(name, seed):
    return (zlib.crc32(name.encode()) + 1000003 * seed) & 0x7FFFFFFF


def config_of(family, keywords, scale=1):
    """The Transformers config of BASE overridden by `keywords`."""
    merged = {**family.BASE, **keywords}
    for key in WIDTHS:
        if scale != 1 and merged.get(key):
            merged[key] *= scale
    merged = json.loads(json.dumps(merged))  # a copy: Transformers edits the rope dictionary in place
    return transformers.AutoConfig.for_model(family.MODEL_TYPE, **merged)


def is_norm(name):
    return "norm" in name.lower() or ".ln_" in name


def redraw(model, seed, dtype, query_std=None):
    """Redraws every parameter in sorted order; values are exact in `dtype`, no bias is zero and no norm is one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if is_norm(name) and name.endswith("weight"):
                value = (1 + NORM_STD * noise).to(dtype)
                value[value == 1] = 1.125
            elif name.endswith("bias"):
                value = (BIAS_STD * noise).to(dtype)
                value[value == 0] = 0.0625
            else:
                sharp = query_std and any(key in name for key in SHARP)
                value = ((query_std if sharp else MATRIX_STD) * noise).to(dtype)
            parameter.copy_(value)


def build(family, case, seed, scale=1):
    """The model in float32 whose weights are exact in the case's dtype."""
    config = config_of(family, case["config"], scale)
    config._attn_implementation = families.attention_of(family)
    if "architecture" in case:
        model = getattr(transformers, case["architecture"])(config)
    else:
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    redraw(model, seed_of(case["name"], seed), DTYPES[case.get("dtype", "float32")], case.get("query_std"))
    return model.eval()


def save(model, case, directory):
    """Transformers writes the checkpoint, then what the case asks for is rewritten. Leaves the model in its dtype."""
    directory = pathlib.Path(directory)
    for parameter in model.parameters():  # not the buffers: tables of sines stay float32 in every type
        parameter.data = parameter.data.to(DTYPES[case.get("dtype", "float32")])
    model.save_pretrained(directory, max_shard_size=case.get("shard", "5GB"))
    rewrite_tensors(model, case, directory)
    rewrite_config(case, directory)
    if "generation" in case:
        write_json(directory / "generation_config.json", {**case["generation"], "transformers_version": "4.45.0"})
    elif case.get("spelling") == "older" or case.get("eos_in_config"):
        (directory / "generation_config.json").unlink(missing_ok=True)


def save_converted(family, case, plain, directory):
    """Writes what Transformers wrote to `plain` as `family.convert` lays it out."""
    with safe_open(plain / "model.safetensors", "pt") as reader:
        tensors = {name: reader.get_tensor(name) for name in reader.keys()}
    config, tensors = family.convert(json.loads((plain / "config.json").read_text()), tensors, case)
    config_name, tensors_name = getattr(family, "FILES", ("config.json", "model.safetensors"))
    directory.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, directory / tensors_name)
    config = {key: value for key, value in config.items() if key not in case.get("drop", [])}
    write_json(directory / config_name, {**config, **case.get("place", {})})


def save_for_both(family, model, case, directory):
    """Writes the case's checkpoint; returns the directory that Transformers reads: the same one, or another beside it
    where the case's layout is not Transformers' own."""
    plain = directory.with_name(directory.name + ".plain")
    if hasattr(family, "convert"):
        save(model, {key: case[key] for key in ("name", "dtype") if key in case}, plain)
        save_converted(family, case, plain, directory)
    elif case.get("layout") == "wrapped":  # Transformers answers for the language model inside
        save(model, {key: case[key] for key in ("name", "dtype") if key in case}, plain)
        save(model, case, directory)
    else:
        save(model, case, directory)
        return directory
    return plain


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def rename(name, case):
    layout = case.get("layout", "transformers")
    for pattern, replacement in case.get("rename", []):
        name = re.sub(pattern, replacement, name)
    if layout == "wrapped":
        return name.replace("model.", "model.language_model.", 1) if name.startswith("model.") else name
    if layout == "bare":
        return name.removeprefix("transformer.")
    return name


def extra_tensor(name, shape):
    if name.endswith("inv_freq"):
        return 1.0 / 10000.0 ** (torch.arange(shape[0]).float() / shape[0])
    if name.endswith("position_ids"):
        return torch.arange(shape[-1]).expand(shape).contiguous()
    if len(shape) == 4:
        return torch.tril(torch.ones(shape))
    return torch.full(shape, -1e4) if not shape else torch.randn(shape, generator=torch.Generator().manual_seed(1))


def rewrite_tensors(model, case, directory):
    extra = case.get("extra", {})
    if not any(case.get(key) for key in ("layout", "rename", "extra", "copies", "head_copy")):
        return
    files = sorted(directory.glob("model*.safetensors"))
    weight_map, total = {}, 0
    for file in files:
        with safe_open(file, "pt") as reader:
            tensors = {rename(name, case): reader.get_tensor(name) for name in reader.keys()}
        if file == files[-1]:
            tensors |= {name: extra_tensor(name, shape) for name, shape in extra.items()}
            tensors |= {name: tensors[source].clone() for name, source in case.get("copies", {}).items()}
            if case.get("head_copy"):
                tensors["lm_head.weight"] = model.get_input_embeddings().weight.detach().clone()
        save_file(tensors, file, metadata={"format": "pt"})
        weight_map |= {name: file.name for name in tensors}
        total += sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if len(files) > 1:
        write_json(directory / "model.safetensors.index.json",
                   {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))})


def old_rope(config, type_key):
    parameters = dict(config.pop("rope_parameters", None) or {})
    if parameters:
        config["rope_theta"] = parameters.pop("rope_theta")
        rope_type = parameters.pop("rope_type")
        config["rope_scaling"] = None if rope_type == "default" else {type_key: rope_type, **parameters}


def rewrite_config(case, directory):
    path = directory / "config.json"
    config = json.loads(path.read_text())
    spelling = case.get("spelling", "v5")
    if spelling != "v5":
        old_rope(config, "rope_type" if spelling == "old" else "type")
        config["torch_dtype"] = config.pop("dtype", "float32")
        config["transformers_version"] = "4.45.0" if spelling == "old" else "4.31.0"
    for key in case.get("drop", []):
        outer, _, inner = key.partition(".")
        if inner:
            config[outer].pop(inner)
        else:
            config.pop(outer, None)
    config |= case.get("place", {})
    if case.get("layout") == "wrapped":
        config = wrap_config(config)
    write_json(path, config)


def wrap_config(text):
    """The config of a multimodal checkpoint; the tie of the head is stated outside, as several of them do."""
    outer = {key: text.pop(key) for key in ("dtype", "transformers_version") if key in text}
    outer["tie_word_embeddings"] = text.pop("tie_word_embeddings", False)
    text.pop("architectures", None)
    return {
        "architectures": ["LlavaForConditionalGeneration"], "model_type": "llava", **outer, "text_config": text,
        "vision_config": {"model_type": "clip_vision_model", "hidden_size": 32, "num_hidden_layers": 1},
        "image_token_index": 5,
    }
