#!/usr/bin/env python3
"""Makes the oracle: tiny random checkpoints and what Transformers' eager float32 model answers for them.

  make_cases.py OUT_DIR [--seed N] [--only NAME] [--scale K]

OUT_DIR/NAME is a model directory (config.json, *.safetensors, no tokenizer) with two more files:
  case.json             prompts, greedy continuations with the gap of the two best logits at each step, stop rule,
                        Transformers' own low-precision error; README.md says what each key means
  expected.safetensors  "logits.I" [T, vocab] and "hidden.I" [T, width] of prompt I, float32

A case whose stamp matches these scripts is kept. Every case is checked while it is made: Transformers reads the
written directory to the same logits as the model in memory, greedy decoding agrees with and without a cache, every
parameter and every contrasting config changes the logits by far more than the tolerance.
"""

import argparse
import hashlib
import json
import pathlib
import random
import shutil
import sys
import time

sys.dont_write_bytecode = True

import families

HERE = pathlib.Path(__file__).parent
LENGTHS = [1, 5, 17, 40, 75]
CONTEXT = 128  # longest prompt and continuation, in tokens
FLOAT32_TOLERANCE = 1e-4
VISIBLE = 10 * FLOAT32_TOLERANCE  # what a wrong reading must change at least


def stamp_of(arguments):
    digest = hashlib.sha256(repr((arguments.seed, arguments.scale)).encode())
    for path in sorted(HERE.rglob("*.py")):
        if path.name != "compare_cli.py":
            digest.update(path.read_bytes())
    return digest.hexdigest()


def fresh(directory, stamp):
    try:
        return json.loads((directory / "case.json").read_text())["stamp"] == stamp
    except (OSError, ValueError, KeyError):
        return False


def answers(model, case, seed):
    """(prompts, logits, greedy), prompts redrawn until every greedy step is decided."""
    import checkpoint
    import reference

    rng = random.Random(checkpoint.seed_of(case["name"] + "/prompts", seed))
    prompts, logits, greedy = [], [], []
    for length in case.get("lengths", LENGTHS):
        for attempt in range(20):
            prompt = [rng.randrange(model.config.vocab_size) for _ in range(length)]
            continuation = reference.greedy(model, prompt)
            if continuation is None or min(continuation["gaps"]) > reference.DECIDED:
                break
        else:
            raise SystemExit(f"{case['name']}: no prompt of {length} tokens gives decided greedy steps")
        prompts.append(prompt)
        greedy.append(continuation)
        logits.append(reference.logits(model, prompt))
    return prompts, logits, greedy


def stop_rule(case, greedy, directory):
    """Where a case is about eos ids: puts a token of a continuation on their list, and says where that stops."""
    import checkpoint

    if "generation" not in case and not case.get("eos_in_config"):
        return None
    path = directory / ("config.json" if case.get("eos_in_config") else "generation_config.json")
    eos = json.loads(path.read_text())["eos_token_id"]
    eos = list(eos) if isinstance(eos, list) else [eos]
    for index, continuation in enumerate(greedy):
        tokens = continuation["tokens"] if continuation else []
        step = next((i for i in range(3, len(tokens)) if tokens[i] not in tokens[:i]), None)
        if step is not None and not set(tokens[:step]) & set(eos):
            eos.append(tokens[step])
            checkpoint.write_json(path, {**json.loads(path.read_text()), "eos_token_id": eos})
            return {"prompt": index, "eos": eos, "length": step}
    raise SystemExit(f"{case['name']}: no continuation has a new token after step 3")


def check(name, what, holds):
    if not holds:
        raise SystemExit(f"{name}: {what}")


def verify(family, case, model, memory_logits, prompts, logits, greedy, scale):
    """Checks the oracle itself; returns notes and the least visible change."""
    import checkpoint
    import reference

    notes, name = [], case["name"]
    difference = reference.error(logits[-1], memory_logits)
    check(name, f"Transformers reads the directory to other logits than those in memory: {difference:.1e}",
          difference < 1e-6)
    for prompt, continuation in zip(prompts, greedy):
        if continuation is None:
            notes.append(f"prompt of {len(prompt)}: no greedy, its length crosses the rope threshold")
        elif reference.greedy_cached(model, prompt) != continuation["tokens"]:
            notes.append(f"prompt of {len(prompt)}: Transformers' cache gives another continuation")
    weakest, parameter = reference.weakest_parameter(model, prompts[-1], getattr(family, "UNSEEN", ()))
    check(name, f"without {parameter} the logits change by {weakest:.1e} only", weakest > VISIBLE)
    visible = {parameter: weakest}
    for label, keywords in case.get("contrast", {}).items():
        config = checkpoint.config_of(family, {**case["config"], **keywords}, scale)
        visible[label] = reference.error(reference.under_config(model, config, prompts[-1]), logits[-1])
        check(name, f"contrast '{label}' changes the logits by {visible[label]:.1e} only", visible[label] > VISIBLE)
    return notes, visible


def low_precision(family, directory, dtype, prompts, logits):
    """Transformers' own error when it computes in the checkpoint's type, over all prompts together and for each."""
    import checkpoint
    import reference

    model = reference.load(directory, checkpoint.DTYPES[dtype], families.attention_of(family))
    results = [reference.logits(model, prompt) for prompt in prompts]
    pairs = list(zip(results, logits))
    worst = max((a.double() - b.double()).abs().max().item() for a, b in pairs)
    return {
        "dtype": dtype,
        "error": worst / max(b.abs().max().item() for b in logits),
        "errors": [reference.error(a, b) for a, b in pairs],
    }


def make(family, case, directory, arguments, stamp):
    """Writes one case; returns its case.json."""
    import checkpoint
    import reference
    from safetensors.torch import save_file

    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    model = checkpoint.build(family, case, arguments.seed, arguments.scale)
    plain = checkpoint.save_for_both(family, model, case, directory)
    loaded = reference.load(plain, attention=families.attention_of(family))
    prompts, logits, greedy = answers(loaded, case, arguments.seed)
    memory_logits = reference.logits(model.float(), prompts[-1])
    notes, visible = verify(family, case, loaded, memory_logits, prompts, logits, greedy, arguments.scale)
    record = {
        "name": case["name"], "family": family.MODEL_TYPE, "dtype": case.get("dtype", "float32"),
        "vocab_size": loaded.config.vocab_size, "context": CONTEXT, "tolerance": FLOAT32_TOLERANCE,
        "prompts": prompts, "greedy": greedy, "stop": stop_rule(case, greedy, directory),
        "scale": max(tensor.abs().max().item() for tensor in logits),
        "low_precision": None, "visible": visible, "notes": notes, "stamp": stamp,
    }
    if record["dtype"] != "float32":
        record["low_precision"] = low_precision(family, plain, record["dtype"], prompts, logits)
    if plain != directory:
        shutil.rmtree(plain)
    tensors = {f"logits.{i}": tensor.contiguous() for i, tensor in enumerate(logits)}
    tensors |= {f"hidden.{i}": reference.hidden(loaded, prompt).contiguous() for i, prompt in enumerate(prompts)}
    save_file(tensors, directory / "expected.safetensors")
    if plain == directory:  # the tree as Transformers prints it
        (directory / "tree.txt").write_text(f"{loaded}\n")
    (directory / "case.json").write_text(json.dumps(record, indent=1) + "\n")
    for path in directory.iterdir():
        path.chmod(0o644)  # safetensors writes for the owner alone
    return record


def describe(record, seconds):
    steps = [gap for continuation in record["greedy"] if continuation for gap in continuation["gaps"]]
    distinct = max(len(set(c["tokens"])) for c in record["greedy"] if c)
    low = record["low_precision"]
    return (f"{record['name']:32} {seconds:5.1f} s  |logit| {record['scale']:.2f}  gap {min(steps):.4f}  "
            f"distinct {distinct:2}  visible {min(record['visible'].values()):.4f} "
            f"({min(record['visible'], key=record['visible'].get)})"
            + (f"  {low['dtype']} {low['error']:.4f}" if low else "")
            + "".join(f"\n    note: {note}" for note in record["notes"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", metavar="NAME", help="cases whose name contains NAME; the others stay as they are")
    parser.add_argument("--scale", type=int, default=1, metavar="K", help="multiplies widths and head counts")
    arguments = parser.parse_args()

    stamp, start = stamp_of(arguments), time.time()
    known = [(family, case) for family in families.load().values() for case in family.CASES]
    names = [case["name"] for _, case in known]
    if len(set(names)) != len(names):
        raise SystemExit(f"case names repeat: {sorted(name for name in set(names) if names.count(name) > 1)}")
    wanted = [(family, case) for family, case in known if not arguments.only or arguments.only in case["name"]]
    if not wanted:
        raise SystemExit(f"no case has '{arguments.only}' in its name")
    if not arguments.only and arguments.out_dir.is_dir():
        for directory in arguments.out_dir.iterdir():  # cases that no longer exist
            if directory.name not in names and (directory / "case.json").is_file():
                shutil.rmtree(directory)
    stale = [(family, case) for family, case in wanted if not fresh(arguments.out_dir / case["name"], stamp)]
    if stale:
        import torch
        import transformers

        torch.set_num_threads(1)
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
    for family, case in stale:
        began = time.time()
        directory = arguments.out_dir / case["name"]
        if "architecture" in case:
            import encoders

            record = encoders.make(family, case, directory, arguments, stamp)
            print(encoders.describe(record, time.time() - began), flush=True)
            continue
        record = make(family, case, directory, arguments, stamp)
        print(describe(record, time.time() - began), flush=True)
    size = sum(path.stat().st_size for path in arguments.out_dir.rglob("*") if path.is_file())
    print(f"{len(stale)} of {len(wanted)} cases made, {time.time() - start:.1f} s, {size / 1e6:.1f} MB in "
          f"{arguments.out_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
