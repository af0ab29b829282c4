"""What Transformers' eager model answers: logits, greedy continuations without a cache, and how sure they are."""

import copy

import torch
import transformers
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

NEW_TOKENS = 16
# A greedy step counts as decided when its two best logits differ by more than this.
DECIDED = 2e-3


def load(directory, dtype=torch.float32, attention="eager"):
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=dtype, attn_implementation=attention)
    return model.eval()


def error(result, expected):
    """max |result - expected| over max |expected|, in float64."""
    result, expected = result.double(), expected.double()
    return ((result - expected).abs().max() / expected.abs().max()).item()


def rope_threshold(config):
    """The length at which the frequencies change, None when they do not depend on the length."""
    parameters = getattr(config, "rope_parameters", None) or {}
    if parameters.get("rope_type") == "dynamic":
        return config.max_position_embeddings
    if parameters.get("rope_type") == "longrope":
        return parameters["original_max_position_embeddings"]
    return None


def reset_rope(model):
    """Forgets the longest length seen: dynamic frequencies are state of the module."""
    rotary = getattr(model.base_model, "rotary_emb", None)
    if rotary is not None:
        model.base_model.rotary_emb = type(rotary)(model.config)


def plan_rope(model, length):
    """Fixes length-dependent frequencies to those of a sequence of `length` tokens."""
    reset_rope(model)
    rotary = model.base_model.rotary_emb
    frequencies, rotary.attention_scaling = ROPE_INIT_FUNCTIONS[rotary.rope_type](model.config, seq_len=length)
    rotary.inv_freq.copy_(frequencies)
    rotary.rope_type = "default"


@torch.no_grad()
def logits(model, prompt):
    """float32 [T, vocab]."""
    reset_rope(model)
    return forward(model, prompt)


@torch.no_grad()
def hidden(model, prompt):
    """The base model's last hidden state, float32 [T, width]."""
    reset_rope(model)
    return model.base_model(torch.tensor([prompt]), use_cache=False)[0][0].float()


def forward(model, prompt):
    return model(torch.tensor([prompt]), use_cache=False).logits[0].float()


@torch.no_grad()
def greedy(model, prompt, count=NEW_TOKENS):
    """Greedy tokens computed without a cache and the gap of the two best logits at each step; None when the
    length-dependent frequencies would change on the way, because then the answer depends on the implementation.
    Dynamic frequencies beyond the threshold change with every token: they are fixed to those of the planned total
    length."""
    threshold, total = rope_threshold(model.config), len(prompt) + count
    if threshold is not None and len(prompt) <= threshold < total:
        return None
    reset_rope(model)
    if threshold is not None and total > threshold:
        plan_rope(model, total)
    tokens, gaps = list(prompt), []
    for _ in range(count):
        best = forward(model, tokens)[-1].topk(2)
        gaps.append((best.values[0] - best.values[1]).item())
        tokens.append(best.indices[0].item())
    return {"tokens": tokens[len(prompt):], "gaps": gaps}


@torch.no_grad()
def greedy_cached(model, prompt, count=NEW_TOKENS):
    """The same through Transformers' own cache, for checking `greedy`."""
    threshold = rope_threshold(model.config)
    reset_rope(model)
    if threshold is not None and len(prompt) + count > threshold:
        plan_rope(model, len(prompt) + count)
    cache = transformers.DynamicCache(config=model.config)
    tokens, step = [], list(prompt)
    for _ in range(count):
        output = model(torch.tensor([step]), past_key_values=cache, use_cache=True).logits[0, -1]
        tokens.append(output.argmax().item())
        step = tokens[-1:]
    return tokens


def neutral(name, parameter):
    """The parameter as a reader would have it that does not know it: ones for norms, zeros for the rest."""
    norm_weight = ("norm" in name.lower() or ".ln_" in name) and name.endswith("weight")
    return torch.ones_like(parameter) if norm_weight else torch.zeros_like(parameter)


@torch.no_grad()
def weakest_parameter(model, prompt, unseen=()):
    """(error, name) of the parameter whose loss changes the logits least: the least that a comparison can see. Names
    that end in one of `unseen` are left out."""
    reset_rope(model)
    expected = forward(model, prompt)
    weakest = (float("inf"), "")
    for name, parameter in model.named_parameters():
        if name.endswith(tuple(unseen)):
            continue
        kept = parameter.clone()
        parameter.copy_(neutral(name, parameter))
        weakest = min(weakest, (error(forward(model, prompt), expected), name))
        parameter.copy_(kept)
    return weakest


@torch.no_grad()
def under_config(model, config, prompt):
    """Logits of the same weights under another config."""
    config = copy.deepcopy(config)
    config._attn_implementation = model.config._attn_implementation
    other = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    other.load_state_dict(model.state_dict())
    return forward(other, prompt)
