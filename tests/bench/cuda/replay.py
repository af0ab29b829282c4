#!/usr/bin/env python3
"""What lies between Graft's kernels: a replayed step beside its kernels one by one, and what the host and the C ABI add.

    replay.py [--geometry llama-3.1-8b] [--dtype bfloat16 int4] [--device cuda] [--graft libgraft.so] [--weights FOLDER]
              [--prompt 512] [--generate 128] [--rounds 5]

One JSON object per type. Two engines take turns, with replay and without; batch 1, medians of the rounds:
  step_us, step_off_us        from token to token, and without replay; off_over_on is their ratio
  outside_us                  of a further token: the time until it is there, less the engine's own steps (graft_engine_stats)
  setter_us                   a call of the C ABI that sets an option, less one that does nothing, both from Python
and on a device, where torch has its profiler:
  isolated_us, kernels        kernels of a token, each waited for before the next begins, by the device's own clock
  step_over_isolated          step_us over that
  launch_us                   the host in cudaGraphLaunch, while it is traced
  capture_ms, graph_mb        of each of the `steps_captured`: what opening takes longer, and the device holds more, than without
A figure that could not be had is left out, with the reason under "unknown".
"""
import argparse
import ctypes
import json
import pathlib
import random
import statistics
import sys
import tempfile
import time

from graft_engine import GraftEngine, GraftLibrary, engine_options
from models import GEOMETRIES, random_ids, saved_model

STEP_TOKENS = 512  # the most that a step of one sequence computes


def steps_captured():
    """One for each capacity, docs/cuda.md: 1, 8, 16, 32, 64, ... tokens."""
    capacities = [1, 8]
    while capacities[-1] < STEP_TOKENS:
        capacities.append(2 * capacities[-1])
    return len(capacities)


def memory_used(device):
    if not device.startswith("cuda"):
        return None
    import torch

    torch.cuda.synchronize()
    free, total = torch.cuda.mem_get_info()
    return total - free


def traced(work):
    """(names and microseconds of the kernels that `work` ran, microseconds of each launch of a graph)."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as told:
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    kernels, launches = [], []
    for event in told.profiler.kineto_results.events():
        microseconds = 1e-3 * event.duration_ns()
        if event.device_type() == torch.autograd.DeviceType.CUDA and not event.name().startswith(("Memcpy", "Memset")):
            kernels.append((event.name(), microseconds))
        elif event.name().startswith("cudaGraphLaunch"):
            launches.append(microseconds)
    return kernels, launches


def setter_us(library, calls=20000):
    """From Python a call of the ABI takes about as long as one of C's library that does nothing; the rest is the ABI's."""
    options, nothing = library.make("request_options_new"), ctypes.CDLL(None).abs
    setter = library.functions.graft_request_options_set_greedy

    def seconds(call):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - begin

    differences = [seconds(lambda: setter(options, 1)) - seconds(lambda: nothing(1)) for _ in range(5)]
    library.functions.graft_request_options_free(options)
    return 1e6 * max(0, statistics.median(differences)) / calls


class Turns:
    """An engine and what its rounds took."""

    def __init__(self, library, directory, name, arguments, dtype, graph):
        self.name, self.arguments, self.words, self.steps, self.outside = name, arguments, random.Random(1), [], []
        context = arguments.prompt + arguments.generate + 8
        before = memory_used(arguments.device)
        self.engine = GraftEngine(library, directory, engine_options(dtype, arguments.device, context, graph=graph))
        self.bytes = None if before is None else memory_used(arguments.device) - before

    def ids(self):
        return random_ids(self.name, self.arguments.prompt, self.words)

    def answer(self, count):
        """The seconds at which tokens came, and those beside the engine's own steps."""
        before = self.engine.step_seconds()
        _, times = self.engine.generate(self.ids(), count)
        return times, times[-1] - self.engine.step_seconds() + before

    def take(self):
        count = self.arguments.generate
        _, beside_one = self.answer(1)
        times, beside = self.answer(count)
        self.outside.append(1e6 * (beside - beside_one) / (count - 1))
        self.steps.append(1e6 * (times[-1] - times[0]) / (count - 1))

    def isolated(self, tokens=8):
        """Of a token: what `tokens` more in an answer add to the kernels, each of which is waited for."""
        profile = lambda count: lambda: self.engine.profile(self.ids(), count)
        profile(1)()
        short, long = (traced(profile(count))[0] for count in (1, 1 + tokens))
        if not short:
            raise RuntimeError("the trace holds no kernels")
        microseconds = [sum(took for _, took in kernels) for kernels in (short, long)]
        return {"isolated_us": (microseconds[1] - microseconds[0]) / tokens, "kernels": (len(long) - len(short)) / tokens}

    def launch(self):
        _, launches = traced(lambda: self.engine.generate(self.ids(), min(64, self.arguments.generate)))
        if not launches:
            raise RuntimeError("the trace holds no launch of a graph")
        return {"launch_us": statistics.median(launches)}


def measure(library, directory, name, dtype, arguments):
    open_engine = lambda graph: Turns(library, directory, name, arguments, dtype, graph)
    open_engine(False).engine.close()  # brings in files and kernels
    off, on = open_engine(False), open_engine(True)
    for turns in (on, off) * (arguments.rounds + 1):
        turns.take()
    step, step_off = (statistics.median(turns.steps[1:]) for turns in (on, off))  # the first fills caches
    told = {"geometry": name, "engine": f"graft {dtype}", "graph": on.engine.info()["graph"], "step_us": step,
            "step_off_us": step_off, "off_over_on": step_off / step, "outside_us": statistics.median(on.outside[1:]),
            "setter_us": setter_us(library)}
    unknown = {}
    for what in (on.isolated, on.launch):
        try:
            told |= what()
        except Exception as error:
            unknown[what.__name__] = str(error).splitlines()[0]
    if "isolated_us" in told:
        told["step_over_isolated"] = step / told["isolated_us"]
    if on.bytes is None:
        unknown["capture"] = "nothing is captured on a CPU"
    else:
        count = steps_captured()
        told |= {"steps_captured": count, "capture_ms": 1e3 * (on.engine.load_s - off.engine.load_s) / count,
                 "graph_mb": 1e-6 * (on.bytes - off.bytes) / count}
    for turns in (on, off):
        turns.engine.close()
    rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in told.items()}
    print(json.dumps(rounded | ({"unknown": unknown} if unknown else {})), flush=True)


def main():
    beside = pathlib.Path(__file__).resolve().parent.parent / "lib/libgraft.so.1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="llama-3.1-8b")
    parser.add_argument("--dtype", nargs="+", default=["bfloat16", "int4"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--graft", type=pathlib.Path, metavar="libgraft.so", default=beside)
    parser.add_argument("--weights", type=pathlib.Path, metavar="FOLDER", help="where they are, or are to be written and left")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    library = GraftLibrary(arguments.graft)
    with tempfile.TemporaryDirectory() as own:
        directory = saved_model(arguments.geometry, arguments.weights or own, arguments.device)
        for dtype in arguments.dtype:
            measure(library, directory, arguments.geometry, dtype, arguments)


if __name__ == "__main__":
    sys.exit(main())
