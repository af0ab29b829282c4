"""Encoder cases: the classes over an encoder's base model, their hidden rows and the logits of their heads."""

import json
import random
import shutil

import checkpoint
import reference
import torch
import transformers
from safetensors.torch import save_file

LENGTHS = [1, 5, 17, 40, 75]
TOLERANCE = 1e-4
VISIBLE = 10 * TOLERANCE  # what a wrong reading must change at least
# What no output shows: the bias of keys adds the same to every score of a query.
UNSEEN = ("key.bias", "k_lin.bias", "k_proj.bias")


def load(directory, architecture, dtype=torch.float32):
    model = getattr(transformers, architecture).from_pretrained(directory, dtype=dtype, attn_implementation="eager")
    return model.eval()


@torch.no_grad()
def answer(model, prompt, types):
    """(hidden [T, width], logits [rows, columns] or None), float32; of an image, its embedding in place of logits."""
    if isinstance(prompt, torch.Tensor):
        output = model(pixel_values=prompt[None])
        embedding = output.pooler_output if model is model.base_model else output.image_embeds
        return output.last_hidden_state[0].float(), embedding.float()
    inputs = {"input_ids": torch.tensor([prompt])}
    if types is not None:
        inputs["token_type_ids"] = torch.tensor([types])
    hidden = model.base_model(**inputs)[0][0].float()
    if model is model.base_model:
        return hidden, None
    logits = model(**inputs).logits.float()
    return hidden, logits if logits.dim() == 2 else logits[0]


@torch.no_grad()
def pooled(model, prompt):
    """The class's own embedding of a text, float32 [1, width]."""
    return model(torch.tensor([prompt])).pooler_output.float()


def difference(result, expected):
    """The larger error of the two outputs."""
    return max(reference.error(a, b) for a, b in zip(result, expected) if b is not None)


def draw_images(model, case, seed, count):
    """[(pixels [channels, size, size], None)]"""
    generator = torch.Generator().manual_seed(checkpoint.seed_of(case["name"] + "/images", seed))
    config = model.config
    shape = (config.num_channels, config.image_size, config.image_size)
    return [(torch.randn(shape, generator=generator), None) for _ in range(count)]


def patches_of(pixels, size):
    """[1 + patches, values of a patch]: the class row is zero."""
    edge = pixels.shape[-1] // size * size
    rows = torch.nn.functional.unfold(pixels[None, :, :edge, :edge], size, stride=size)[0].T
    return torch.cat([torch.zeros(1, rows.shape[1]), rows])


def image_tensors(model, inputs):
    """What stands for the tokens of image I: its pixels as [channels * size, size], and its patches."""
    tensors = {}
    for i, (pixels, _) in enumerate(inputs):
        tensors[f"pixels.{i}"] = pixels.flatten(0, 1).contiguous()
        tensors[f"patches.{i}"] = patches_of(pixels, model.config.patch_size).contiguous()
    return tensors


def draw(model, case, seed):
    """[(prompt, token types or None)]"""
    rng = random.Random(checkpoint.seed_of(case["name"] + "/prompts", seed))
    drawn = []
    for length in case.get("lengths", LENGTHS):
        prompt = [rng.randrange(model.config.vocab_size) for _ in range(length)]
        if case.get("padded"):  # padding tokens inside of the text
            for i in range(1, length, 3):
                prompt[i] = model.config.pad_token_id
        prompt[max(0, length - len(case.get("ends", []))):] = case.get("ends", [])[:length]
        types = [rng.randrange(model.config.type_vocab_size) for _ in range(length)] if case.get("types") else None
        drawn.append((prompt, types))
    return drawn


@torch.no_grad()
def weakest_parameter(model, prompt, types):
    """(error, name) of the parameter whose loss changes the outputs least."""
    expected = answer(model, prompt, types)
    head = None if isinstance(prompt, torch.Tensor) else model.get_output_embeddings()
    tied = head is not None and head.weight is model.get_input_embeddings().weight
    weakest = (float("inf"), "")
    for name, parameter in model.named_parameters():
        if name.endswith(UNSEEN) or (model is model.base_model and name.startswith("pooler")):
            continue
        if name in ("cls.predictions.bias", "lm_head.bias") and not tied:
            continue  # the decoder's own bias is another tensor then
        kept = parameter.clone()
        parameter.copy_(reference.neutral(name, parameter))
        weakest = min(weakest, (difference(answer(model, prompt, types), expected), name))
        parameter.copy_(kept)
    return weakest


def verify(family, case, model, memory, inputs, scale):
    """Checks the oracle itself; returns the least visible changes."""
    def check(what, holds):
        if not holds:
            raise SystemExit(f"{case['name']}: {what}")

    expected = answer(model, *inputs[-1])
    reread = difference(answer(memory, *inputs[-1]), expected)
    check(f"Transformers reads the directory to other values than those in memory: {reread:.1e}", reread < 1e-6)
    weakest, parameter = weakest_parameter(model, *inputs[-1])
    check(f"without {parameter} the outputs change by {weakest:.1e} only", weakest > VISIBLE)
    visible = {parameter: weakest}
    for label, keywords in case.get("contrast", {}).items():
        config = checkpoint.config_of(family, {**case["config"], **keywords}, scale)
        config._attn_implementation = "eager"
        other = getattr(transformers, case["architecture"])(config).eval()
        other.load_state_dict(model.state_dict())
        visible[label] = difference(answer(other, *inputs[-1]), expected)
        check(f"contrast '{label}' changes the outputs by {visible[label]:.1e} only", visible[label] > VISIBLE)
    if case.get("types"):
        visible["types"] = difference(answer(model, inputs[-1][0], None), expected)
        check(f"token types change the outputs by {visible['types']:.1e} only", visible["types"] > VISIBLE)
    return visible


def low_precision(directory, case, inputs, answers):
    """Transformers' own error when it computes in the checkpoint's type, over all prompts together."""
    model = load(directory, case["architecture"], checkpoint.DTYPES[case["dtype"]])
    results = [answer(model, *each) for each in inputs]
    record = {"dtype": case["dtype"]}
    for index, name in enumerate(("hidden", "logits")):
        pairs = [(result[index], expected[index]) for result, expected in zip(results, answers)]
        if pairs[0][1] is None:
            continue
        worst = max((a.double() - b.double()).abs().max().item() for a, b in pairs)
        record[name] = worst / max(b.abs().max().item() for _, b in pairs)
    return record


def make(family, case, directory, arguments, stamp):
    """Writes one case; returns its case.json."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    model = checkpoint.build(family, case, arguments.seed, arguments.scale)
    checkpoint.save(model, case, directory)
    loaded = load(directory, case["architecture"])
    images = getattr(family, "IMAGES", 0)
    inputs = draw_images(loaded, case, arguments.seed, images) if images else draw(loaded, case, arguments.seed)
    answers = [answer(loaded, *each) for each in inputs]
    visible = verify(family, case, loaded, model.float(), inputs, arguments.scale)
    tensors = {}
    for i, (hidden, logits) in enumerate(answers):
        tensors[f"hidden.{i}"] = hidden.contiguous()
        if logits is not None:
            tensors[f"{'pooled' if images else 'logits'}.{i}"] = logits.contiguous()
        if getattr(family, "POOLED", False):
            tensors[f"pooled.{i}"] = pooled(loaded, inputs[i][0]).contiguous()
    prompts = [prompt for prompt, _ in inputs]
    if images:
        tensors |= image_tensors(loaded, inputs)
        prompts = [[0] + [1] * (len(hidden) - 1) for hidden, _ in answers]
    record = {
        "name": case["name"], "family": family.MODEL_TYPE, "encoder": True, "architecture": case["architecture"],
        "dtype": case.get("dtype", "float32"), "tolerance": TOLERANCE,
        "prompts": prompts, "token_types": [types for _, types in inputs],
        "labels": [loaded.config.id2label[i] for i in range(loaded.config.num_labels)]
                  if "Classification" in case["architecture"] else [],
        "low_precision": low_precision(directory, case, inputs, answers) if "dtype" in case else None,
        "visible": visible, "stamp": stamp,
    }
    save_file(tensors, directory / "expected.safetensors")
    (directory / "tree.txt").write_text(f"{loaded}\n")
    (directory / "case.json").write_text(json.dumps(record, indent=1) + "\n")
    for path in directory.iterdir():
        path.chmod(0o644)  # safetensors writes for the owner alone
    return record


def describe(record, seconds):
    low, visible = record["low_precision"], record["visible"]
    return (f"{record['name']:32} {seconds:5.1f} s  {record['architecture']:36} visible "
            f"{min(visible.values()):.4f} ({min(visible, key=visible.get)})"
            + (f"  {low['dtype']} {low['hidden']:.4f}" if low else ""))
