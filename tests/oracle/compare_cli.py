#!/usr/bin/env python3
"""Compares `graft logits` and `graft generate` with Transformers on shapes and seeds that no test uses.

  compare_cli.py GRAFT_BINARY --seeds 11,12,13 [--families llama,gpt2] [--inject none,kernel] [--keep DIR]

For each seed and family a model of random shape is made and asked through the command line. Prints one line per
(family, seed, injection); exits 1 when an error reaches the tolerance, a greedy token differs before the first
undecided step, or the program fails.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import checkpoint
import families
import numpy
import reference
import torch
import transformers

TOLERANCE = 1e-4
SEED_BASE = 7_000_000  # away from the seeds of make_cases.py


def graft(binary, *arguments):
    """Standard output of one call; raises RuntimeError with the program's own words."""
    result = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        raise RuntimeError(f"exit {result.returncode}: {result.stderr.strip()[-400:] or result.stdout.strip()[-400:]}")
    return result.stdout


def token_list(prompt):
    return ",".join(map(str, prompt))


def program_logits(binary, model, prompt, options, folder):
    output = pathlib.Path(folder) / "logits.npy"
    output.unlink(missing_ok=True)
    graft(binary, "logits", model, "--tokens", token_list(prompt), "--output", output, *options)
    return torch.from_numpy(numpy.load(output))


def program_tokens(binary, model, prompt, options):
    output = graft(binary, "generate", model, "--tokens", token_list(prompt), "--greedy",
                   "--max-tokens", reference.NEW_TOKENS, "--ignore-eos", "--json", *options)
    return json.loads(output.strip().splitlines()[-1])["tokens"]


def draw(family, stem, seed, folder):
    """Writes a random model and lets Transformers answer; returns (directory, keywords, prompts, logits, greedy)."""
    rng = random.Random(f"{stem} {SEED_BASE + seed}")
    keywords = family.random_config(rng)
    case = {"name": f"{stem}_{seed}", "config": keywords, "query_std": rng.choice([None, 0.2]),
            "shard": rng.choice(["5GB", "120KB"])}
    directory = pathlib.Path(folder) / case["name"]
    case |= family.random_layout(rng) if hasattr(family, "random_layout") else {}
    plain = checkpoint.save_for_both(family, checkpoint.build(family, case, SEED_BASE + seed), case, directory)
    model = reference.load(plain, attention=families.attention_of(family))
    lengths = [1, rng.randrange(2, 12), rng.randrange(30, 110)]
    prompts = [[rng.randrange(model.config.vocab_size) for _ in range(length)] for length in lengths]
    return (directory, keywords, prompts, [reference.logits(model, prompt) for prompt in prompts],
            [reference.greedy(model, prompt) for prompt in prompts])


def compare(binary, directory, prompts, logits, greedy, options, folder):
    """(error, greedy tokens compared, text of the failure or empty)."""
    worst, largest = 0.0, max(expected.abs().max().item() for expected in logits)
    for prompt, expected in zip(prompts, logits):
        result = program_logits(binary, directory, prompt, options, folder)
        if result.shape != expected.shape or result.dtype != torch.float32:
            return float("nan"), 0, f"logits {result.dtype} {tuple(result.shape)}, expected {tuple(expected.shape)}"
        if not torch.isfinite(result).all():
            return float("nan"), 0, "logits are not finite"
        worst = max(worst, (result.double() - expected.double()).abs().max().item())
    error, compared = worst / largest, 0
    failure = "" if error < TOLERANCE else f"error {error:.2e}, expected below {TOLERANCE:.0e}"
    for prompt, continuation in zip(prompts, greedy):
        tokens = program_tokens(binary, directory, prompt, options)
        decided = next((i for i, gap in enumerate(continuation["gaps"]) if gap < 10 * error * min(1.0, largest)),
                       len(continuation["gaps"]))
        compared += decided
        if len(tokens) != reference.NEW_TOKENS or tokens[:decided] != continuation["tokens"][:decided]:
            failure = failure or f"prompt of {len(prompt)}: tokens {tokens}, expected {continuation['tokens']}"
    return error, compared, failure


def shape_of(keywords):
    short = {"hidden_size": "h", "n_embd": "h", "num_attention_heads": "H", "n_head": "H", "num_key_value_heads": "K",
             "head_dim": "d", "intermediate_size": "I", "n_inner": "I", "num_hidden_layers": "L", "n_layer": "L",
             "vocab_size": "V", "sliding_window": "W"}
    words = [f"{short[key]}{value}" for key, value in keywords.items() if key in short and value is not None]
    rope = keywords.get("rope_parameters", {}).get("rope_type")
    return " ".join(words + ([rope] if rope else []) + [key for key, value in keywords.items() if value is True])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=lambda text: str(pathlib.Path(text).resolve()))
    parser.add_argument("--seeds", default="11,12,13", type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--families", help="comma-separated; all by default", type=lambda text: text.split(","))
    parser.add_argument("--inject", default="none,kernel", type=lambda text: text.split(","))
    parser.add_argument("--keep", type=pathlib.Path, help="keep the models here")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    known = {stem: family for stem, family in families.load().items() if hasattr(family, "random_config")}
    unknown = set(arguments.families or known) - set(known)
    if unknown:
        parser.error(f"no family {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    failures = rows = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{'family':8} {'seed':>5} {'inject':7} {'error':>9} {'greedy':>7}  result  shape")
        for seed in arguments.seeds:
            for stem in arguments.families or known:
                directory, keywords, prompts, logits, greedy = draw(known[stem], stem, seed, folder)
                for inject in arguments.inject:
                    options = ["--device", "cpu", "--dtype", "float32", "--inject", inject]
                    try:
                        error, compared, failure = compare(arguments.binary, directory, prompts, logits, greedy,
                                                           options, temporary)
                    except (RuntimeError, OSError, ValueError, LookupError, subprocess.TimeoutExpired) as reason:
                        error, compared, failure = float("nan"), 0, str(reason)
                    rows += 1
                    failures += bool(failure)
                    print(f"{stem:8} {seed:5} {inject:7} {error:9.2e} {compared:4}/48  "
                          f"{'FAIL' if failure else 'ok':6}  {shape_of(keywords)}"
                          + (f"\n    {failure}" if failure else ""), flush=True)
    print(f"{rows - failures} of {rows} agree")
    return 1 if failures or rows == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
