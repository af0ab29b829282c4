#!/usr/bin/env python3
"""Predicted speed of several GPUs, from what one GPU measures: a step of a rank's share, and the latency of a sum.

    tp_model.py PEERS.jsonl KERNELS.jsonl [--geometry llama-3.1-8b] [--engine "graft bfloat16"] [--link 1 2 4] [--nccl 21]

PEERS: lines of peers.py for the geometry and its shares (--geometry llama-3.1-8b llama-3.1-8b/2 .../4 .../8): a share is
run as a model of its own, whose step has everything but sums. KERNELS: lines of cuda_kernels, whose "sum of N ranks" run
on one device; --link is what the way to another device adds to a sum, in microseconds, swept since one GPU cannot tell.

t(p) = step of the share + sums * (sum of p ranks - residual and norm, which the share's step has already + link).
Efficiency = t(1) / (p t(p)). With --nccl: the same with sums of so many microseconds. A JSON object a line. Nothing here
is measured on several GPUs: the figures are predictions, to be held against the first machine that has them.
"""
import argparse
import json
import sys

from models import GEOMETRIES, geometry


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.startswith("{")]


def step_us(lines, geometry, engine):
    for line in reversed(lines):  # of an engine that was told twice the last one counts
        if line.get("geometry") == geometry and line.get("engine") == engine and "decode_tokens_per_s" in line:
            return 1e6 / line["decode_tokens_per_s"]
    return None


def kernel_us(lines, name):
    return next((line["us"] for line in lines if line.get("name") == name), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers")
    parser.add_argument("kernels")
    parser.add_argument("--geometry", choices=GEOMETRIES, default="llama-3.1-8b")
    parser.add_argument("--engine", default="graft bfloat16")
    parser.add_argument("--link", type=float, nargs="+", default=[1, 2, 4], metavar="US")
    parser.add_argument("--nccl", type=float, metavar="US")
    arguments = parser.parse_args()
    steps, kernels = lines_of(arguments.peers), lines_of(arguments.kernels)
    shape = geometry(arguments.geometry)[1]
    layers, width = shape["num_hidden_layers"], shape["hidden_size"]
    whole = step_us(steps, arguments.geometry, arguments.engine)
    norm = kernel_us(kernels, "residual + norm")
    if whole is None or norm is None:
        sys.exit(f"no step of {arguments.geometry} with {arguments.engine}, or no figure of residual + norm")
    told = 0
    for ranks in (2, 4, 8):
        share = step_us(steps, f"{arguments.geometry}/{ranks}", arguments.engine)
        summed = kernel_us(kernels, f"sum of {ranks} ranks + residual + norm, width {width}")
        ways = [] if summed is None else [("peer memory", link, summed - norm + link) for link in arguments.link]
        if arguments.nccl:
            ways.append(("nccl", None, arguments.nccl))
        for way, link, added in ways if share is not None else []:
            step = share + 2 * layers * added
            print(json.dumps({"geometry": arguments.geometry, "ranks": ranks, "sums": way, "link_us": link,
                              "share_us": round(share, 1), "added_by_a_sum_us": round(added, 2), "step_us": round(step, 1),
                              "efficiency": round(whole / (ranks * step), 3), "predicted": True}))
            told += 1
    return 0 if told else "no share was measured, or no sum"


if __name__ == "__main__":
    sys.exit(main())
