#!/usr/bin/env python3
"""Steps of Graft with more and more sequences, of one type of weights beside another in the same run.

    batches.py [--geometry llama-3.1-8b] [--dtype bfloat16 int8] [--batch 1 4 16 64] [--device cuda] [--graft libgraft.so]
               [--weights FOLDER] [--prompt 64] [--generate 64] [--rounds 5]

One JSON object per type and batch: step_ms, the median of the rounds (and _least, _most) of the time from token to token once
all sequences are decoding; outside_us, of a token of a sequence: from asking to the last one, less the engine's own steps.
agreed is the share of the first tokens of an answer that come alone as well as among others, counted to the first that does
not: other kernels round differently, so it need not be 1, but below a half the batch has failed. The exit code is 1 then.
"""
import argparse
import json
import pathlib
import random
import statistics
import sys
import tempfile

from graft_engine import GraftEngine, GraftLibrary, engine_options
from models import GEOMETRIES, random_ids, saved_model

COMPARED, FIRST = 8, 8  # sequences, and tokens of each


def agreement(alone, among):
    """Share of the tokens up to the first difference."""
    same = 0
    for one, other in zip(alone, among):
        equal = [a == b for a, b in zip(one, other)]
        same += equal.index(False) if False in equal else len(equal)
    return same / sum(len(one) for one in alone)


class Batches:
    def __init__(self, library, directory, dtype, arguments):
        self.arguments, self.name, self.rounds = arguments, f"graft {dtype}", {}
        context = arguments.prompt + arguments.generate + 8
        self.engine = GraftEngine(library, directory, engine_options(dtype, arguments.device, context, max(arguments.batch)))

    def take(self, prompts):
        generate = self.arguments.generate
        before = self.engine.step_seconds()
        answers = self.engine.generate_all(prompts, generate)
        last = max(times[-1] for _, times in answers)
        outside = 1e6 * (last - self.engine.step_seconds() + before) / (generate * len(prompts))
        # From the first token of the sequence that began last; it takes part in all steps that follow.
        steps = 1e3 * (last - max(times[0] for _, times in answers)) / (generate - 1)
        self.rounds.setdefault(len(prompts), []).append((steps, outside))
        return [tokens for tokens, _ in answers]

    def check(self, prompts):
        """Warms up as well."""
        among = [tokens[:FIRST] for tokens in self.take(prompts)][:COMPARED]
        alone = [self.engine.generate(ids, len(first))[0] for ids, first in zip(prompts, among)]
        self.rounds.pop(len(prompts))
        return agreement(alone, among)

    def tell(self, batch, agreed):
        steps, outside = zip(*self.rounds[batch])
        told = {"geometry": self.arguments.geometry, "engine": self.name, "batch": batch, "rounds": len(steps)}
        for key, value in (("step_ms", statistics.median(steps)), ("step_ms_least", min(steps)), ("step_ms_most", max(steps)),
                           ("outside_us", statistics.median(outside)), ("agreed", agreed)):
            told[key] = round(value, 4)
        if agreed < 0.5:
            told["failed"] = "the answers of a batch are not those of its sequences alone"
        print(json.dumps(told), flush=True)
        return "failed" in told


def main():
    beside = pathlib.Path(__file__).resolve().parent.parent / "lib/libgraft.so.1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="llama-3.1-8b")
    parser.add_argument("--dtype", nargs="+", default=["bfloat16", "int8"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--graft", type=pathlib.Path, metavar="libgraft.so", default=beside)
    parser.add_argument("--weights", type=pathlib.Path, metavar="FOLDER", help="where they are, or are to be written and left")
    parser.add_argument("--prompt", type=int, default=64)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    library, words, failed = GraftLibrary(arguments.graft), random.Random(1), False
    with tempfile.TemporaryDirectory() as own:
        directory = saved_model(arguments.geometry, arguments.weights or own, arguments.device)
        engines = [Batches(library, directory, dtype, arguments) for dtype in arguments.dtype]
        for batch in arguments.batch:
            draw = lambda: [random_ids(arguments.geometry, arguments.prompt, words) for _ in range(batch)]
            agreed = [engine.check(draw()) for engine in engines]
            for _ in range(arguments.rounds):
                prompts = draw()
                for engine in engines:
                    engine.take(prompts)
            failed |= any([engine.tell(batch, share) for engine, share in zip(engines, agreed)])
        for engine in engines:
            engine.engine.close()
    return failed


if __name__ == "__main__":
    sys.exit(main())
