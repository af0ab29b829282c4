#!/usr/bin/env python3
"""How long a model directory takes from opening to ready on a device, beside what the bus gives in the same run.

    load_time.py [--geometry NAME...] [--dtype NAME...] [--device cuda] [--graft libgraft.so] [--rounds 5] [--cold]
                 [--weights FOLDER]

One JSON object per geometry and type: ready_s (median; weights, cache, captured steps and all), file_gb_s (bytes of the
files over it), first_token_s (from opening to the first token of an answer to 16) and, on a device, share_of_pinned: of the
rate at which pinned memory is copied to the device, measured between the rounds. Peer: safetensors.torch.load_file onto the
device. Files are in the page cache, with --cold they are dropped from it before every round (not from a file system in
memory).
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

import torch
from safetensors.torch import load_file

from graft_engine import GraftEngine, GraftLibrary, engine_options
from models import GEOMETRIES, saved_model

CONTEXT = 512
PROMPT = list(range(16))


def pinned_gb_s(device, size=256 << 20):
    """Gigabytes a second from pinned memory to the device; None where there is no device."""
    if not device.startswith("cuda"):
        return None
    host, there = torch.empty(size, dtype=torch.uint8, pin_memory=True), torch.empty(size, dtype=torch.uint8, device=device)
    times = []
    for _ in range(6):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        there.copy_(host, non_blocking=True)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return size / statistics.median(times[1:]) * 1e-9


def drop_from_cache(files):
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def open_graft(library, directory, dtype, device):
    """Seconds until it was ready, and until its first token was there."""
    engine = GraftEngine(library, directory, engine_options(dtype, device, CONTEXT))
    _, times = engine.generate(PROMPT, 1)
    engine.close()
    return engine.load_s, engine.load_s + times[0]


def open_peer(files, device):
    begin = time.perf_counter()
    tensors = [load_file(file, device=device) for file in files]
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    tensors.clear()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    return seconds, None


def measure(name, arguments, library):
    with tempfile.TemporaryDirectory() as own:
        directory = saved_model(name, arguments.weights or own, arguments.device)
        if arguments.device.startswith("cuda"):
            torch.cuda.empty_cache()
        files = sorted(directory.glob("*.safetensors"))
        size = sum(file.stat().st_size for file in files)
        loaders = {f"graft {dtype}": lambda dtype=dtype: open_graft(library, directory, dtype, arguments.device)
                   for dtype in arguments.dtype}
        loaders["safetensors load_file"] = lambda: open_peer(files, arguments.device)
        seconds, pinned = {loader: [] for loader in loaders}, []
        for turn in range(-1, arguments.rounds):  # the first fills the page cache and wakes the device
            for loader, load in loaders.items():
                if arguments.cold:
                    drop_from_cache(files)
                took = load()
                if turn >= 0:
                    seconds[loader].append(took)
            pinned.append(pinned_gb_s(arguments.device))
        rate = statistics.median(pinned) if pinned[0] else None
        for loader, took in seconds.items():
            times = [ready for ready, _ in took]
            ready = statistics.median(times)
            told = {"geometry": name, "loader": loader, "cold": arguments.cold, "file_gb": round(size * 1e-9, 3),
                    "ready_s": round(ready, 4), "least_s": round(min(times), 4), "most_s": round(max(times), 4),
                    "file_gb_s": round(size / ready * 1e-9, 3)}
            if took[0][1] is not None:
                told["first_token_s"] = round(statistics.median(first for _, first in took), 4)
            if rate:
                told |= {"pinned_gb_s": round(rate, 3), "share_of_pinned": round(size / ready * 1e-9 / rate, 3)}
            print(json.dumps(told), flush=True)


def main():
    beside = pathlib.Path(__file__).resolve().parent.parent / "lib/libgraft.so.1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", nargs="+", choices=GEOMETRIES, default=["llama-3.2-1b", "llama-3.1-8b"])
    parser.add_argument("--dtype", nargs="+", default=["bfloat16", "float16", "int8", "int4"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--graft", type=pathlib.Path, metavar="libgraft.so", default=beside)
    parser.add_argument("--weights", type=pathlib.Path, metavar="FOLDER", help="where they are, or are to be written and left")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    arguments = parser.parse_args()
    library = GraftLibrary(arguments.graft)
    for name in arguments.geometry:
        measure(name, arguments, library)


if __name__ == "__main__":
    sys.exit(main())
