#!/usr/bin/env python3
"""Graft's command beside Transformers' eager float32 run: the same random weights, turn by turn in one run, medians.

    tests/bench/transformers_peer.py GRAFT_BINARY [--rounds 3] [--threads 2] [--output results/NAME.json]

The model has Llama's shape at about 110 million parameters. Ratios above 1 mean that Graft is faster; absolute figures
hold for the machine of the run only.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
import transformers

PROMPT, GENERATE = 512, 64
SHAPE = dict(hidden_size=768, intermediate_size=2048, num_hidden_layers=12, num_attention_heads=12,
             num_key_value_heads=4, vocab_size=32000, max_position_embeddings=2048, tie_word_embeddings=True)


def graft_round(binary, directory, dtype, threads):
    command = [binary, "bench", str(directory), "--prompt", str(PROMPT), "--generate", str(GENERATE), "--batch", "1",
               "--dtype", dtype, "--threads", str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def transformers_round(model):
    ids = torch.randint(0, SHAPE["vocab_size"], (1, PROMPT))
    with torch.inference_mode():
        begin = time.perf_counter()
        out = model(ids, use_cache=True, logits_to_keep=1)
        prefill = time.perf_counter() - begin
        token, cache = out.logits[:, -1:].argmax(-1), out.past_key_values
        begin = time.perf_counter()
        for _ in range(GENERATE - 1):
            out = model(token, past_key_values=cache, use_cache=True)
            token, cache = out.logits[:, -1:].argmax(-1), out.past_key_values
        decode = time.perf_counter() - begin
    return {"prefill_tokens_per_s": PROMPT / prefill, "decode_tokens_per_s": (GENERATE - 1) / decode}


def medians(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0] if isinstance(rounds[0][key], (int, float))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**SHAPE)).eval()
    with tempfile.TemporaryDirectory() as folder:
        directories = {}
        for dtype in ("float32", "bfloat16"):
            directories[dtype] = Path(folder) / dtype
            model.to(getattr(torch, dtype)).save_pretrained(directories[dtype])
        model.float()
        transformers_round(model)  # warm-up
        rounds = {"transformers": [], "float32": [], "bfloat16": []}
        for _ in range(arguments.rounds):
            rounds["transformers"].append(transformers_round(model))
            for dtype, directory in directories.items():
                rounds[dtype].append(graft_round(arguments.binary, directory, dtype, arguments.threads))
    peer = medians(rounds["transformers"])
    record = {"parameters": model.num_parameters(), "threads": arguments.threads, "prompt": PROMPT,
              "generate": GENERATE, "transformers_float32": peer}
    for dtype in directories:
        own = medians(rounds[dtype])
        record[f"graft_{dtype}"] = own
        record[f"ratio_{dtype}"] = {key: own[key] / peer[key] for key in peer}
    text = json.dumps(record, indent=1)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
