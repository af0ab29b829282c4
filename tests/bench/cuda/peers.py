#!/usr/bin/env python3
"""Graft beside its peers on one GPU: the same random weights at real geometry, turn by turn in one run, medians and spread.

    peers.py [--geometry NAME...] [--engine WORD...] [--device cuda] [--graft libgraft.so] [--prompt 512 2048]
             [--generate 256] [--rounds 5] [--weights FOLDER] [--no-compile]

Peers: Transformers eager; Transformers with a static cache and torch.compile; fast_decoder.py in bfloat16, int8 and int4.
Graft: bfloat16, int8 and int4 (groups of 128), in this process. Batch 1, a new prompt each round. One JSON object per
geometry, prompt and engine: first_token_ms and decode_tokens_per_s, each also as _least and _most of the rounds; of Graft
load_s, the processor cores that the host used, the bytes that a token must read and a profile too. Those that need no
compiling are told first, and once more with the others, between which they then took turns: of two lines of an engine the
last one counts. At further lengths of --prompt only the first token of Graft in bfloat16 and of Transformers is timed.

Each round's tokens are held against the eager model (answers.py), and of Graft logits too; an engine whose answers are
wrong has failed, like one that cannot run. The exit code is 1 when one failed.

NAME/2, NAME/4 or NAME/8 is what one of so many ranks holds of a geometry, for tp_model.py. FOLDER keeps the weights for
another program.
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import time

import torch
import transformers

from answers import Reference
from fast_decoder import FastDecoder
from graft_engine import GraftEngine, GraftLibrary, engine_options
from models import cache_bytes, geometry_name, looked_up_bytes, make_model, saved_model

LOGIT_ROWS = 64  # of a prompt, that are held against the eager model's
FIRST_TOKEN = ("graft bfloat16", "transformers")  # begins the names of what is timed at further lengths of the prompt


class Stopwatch:
    """Seconds of device work between two waits."""

    def __init__(self, device):
        self.cuda = device.startswith("cuda")

    def now(self):
        if self.cuda:
            torch.cuda.synchronize()
        return time.perf_counter()


class Peer:
    """`prefill(ids)` and `step(token)`, each after the other, give the next token [1, 1] on the device. Nothing waits for the
    device between two tokens."""

    kind = "bfloat16"
    most = None  # tokens of a round

    def round(self, watch, ids, generate):
        """Figures, and `generate` + 1 tokens."""
        generate = min(generate, self.most or generate)
        begin = watch.now()
        tokens = [self.prefill(ids)]
        middle = watch.now()
        for _ in range(generate):
            tokens.append(self.step(tokens[-1]))
        end = watch.now()
        return figures(middle - begin, end - begin, generate), torch.cat(tokens, 1)[0].tolist()


def figures(first, last, generate):
    """From the seconds after which the first token came and the last."""
    return {"first_token_ms": 1e3 * first} | ({"decode_tokens_per_s": generate / (last - first)} if generate else {})


class Eager(Peer):
    most = 64  # it takes several times as long as the others, and as long for each token

    def __init__(self, model):
        self.model, self.cache = model, None

    def run(self, ids):
        out = self.model(ids, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.cache = out.past_key_values
        return out.logits[:, -1:].argmax(-1)

    def prefill(self, ids):
        self.cache = None
        return self.run(ids)

    def step(self, token):
        return self.run(token)


class Static(Peer):
    """The prompt is compiled only where nothing else is timed: with reduce-overhead each length is a graph of its own."""

    def __init__(self, model, context, generate):
        self.model, self.context, self.cache, self.position = model, context, None, None
        self.compiled = torch.compile(model.forward, mode="reduce-overhead" if generate else "default", fullgraph=True)
        self.read = model.forward if generate else self.compiled

    def run(self, forward, ids, positions):
        torch.compiler.cudagraph_mark_step_begin()
        out = forward(ids, past_key_values=self.cache, use_cache=True, cache_position=positions, logits_to_keep=1)
        return out.logits[:, -1:].argmax(-1).clone()

    def prefill(self, ids):
        read = self.read
        if self.cache is None:  # filled once without compiling, which would be for a cache that has no tensors yet
            self.cache, read = transformers.StaticCache(config=self.model.config, max_cache_len=self.context), self.model.forward
        self.cache.reset()
        self.position = torch.full((1,), ids.shape[1], device=ids.device)
        return self.run(read, ids, torch.arange(ids.shape[1], device=ids.device))

    def step(self, token):
        token = self.run(self.compiled, token, self.position)
        self.position += 1
        return token


class Fast(Peer):
    def __init__(self, model, context, kind, compiled):
        self.kind = kind
        self.decoder = FastDecoder(model, context, kind).eval()
        # Tuning turns products of one row into sums that read their weights as they lie.
        self.forward = self.decoder.replay(tune=kind != "int4") if compiled else self.decoder
        self.position = None

    def prefill(self, ids):
        self.position = torch.full((1,), ids.shape[1], device=ids.device)
        return self.decoder(ids, torch.arange(ids.shape[1], device=ids.device))

    def step(self, token):
        token = self.forward(token, self.position).clone()
        self.position += 1
        return token


class Graft:
    """An engine in this process; its prompt goes in, and its tokens come out, as they do for an application."""

    def __init__(self, library, directory, arguments, kind, context):
        self.kind = kind
        self.engine = GraftEngine(library, directory, engine_options(kind, arguments.device, context,
                                                                     run_ahead_ms=arguments.run_ahead_ms))

    def round(self, watch, ids, generate):
        watch.now()
        begin = time.process_time()
        tokens, times = self.engine.generate(ids[0].tolist(), generate + 1)
        cores = (time.process_time() - begin) / times[-1]
        return figures(times[0], times[-1], generate) | {"host_cores": cores, "load_s": self.engine.load_s}, tokens

    def close(self):
        self.engine.close()

    def check(self, reference, ids):
        ids = ids[:, :LOGIT_ROWS]
        told = torch.frombuffer(bytearray(self.engine.logits(ids[0].tolist())), dtype=torch.float32)
        return {"least_logit_cosine": reference.check_logits(self.kind, ids, told.view(ids.shape[1], -1))}

    def details(self, name, ids, generate):
        """Bytes that a token must read, of weights and of the cache at half of its answer, and where the time goes."""
        info = self.engine.info()
        weights = info["weight_bytes"] - looked_up_bytes(name)
        return {"quantization": info["quantization"], "bytes_of_token": weights + cache_bytes(name, ids.shape[1] + generate // 2),
                "profile": self.engine.profile(ids[0].tolist(), 8)}


def engines(model, directory, arguments, prompt, generate):
    """(name, function that makes it), in two groups: what the run is for and what is made at once, then what compiles.
    Made one after another, so that one that cannot be had costs only itself."""
    quick, compiling = [], []
    context = prompt + generate + 8
    if directory:
        library = GraftLibrary(arguments.graft)
        for kind in ("bfloat16", "int8", "int4"):
            quick.append((f"graft {kind}", lambda kind=kind: Graft(library, directory, arguments, kind, context)))
    compiled = not arguments.no_compile
    quick.append(("transformers eager", lambda: Eager(model)))
    for kind in ("bfloat16", "int8", "int4"):
        compiling.append((f"fast decoder {kind}", lambda kind=kind: Fast(model, context, kind, compiled)))
    if compiled:
        compiling.append(("transformers static, compiled", lambda: Static(model, context, generate)))
    wanted = lambda name: ((not arguments.engine or any(word in name for word in arguments.engine)) and
                           (generate or name.startswith(FIRST_TOKEN)))
    return [[engine for engine in group if wanted(engine[0])] for group in (quick, compiling)]


class Comparison:
    """Engines of one geometry that take turns at prompts of one length. One that fails costs only itself."""

    def __init__(self, name, arguments, model, prompt, generate):
        self.name, self.arguments, self.prompt, self.generate = name, arguments, prompt, generate
        self.watch, self.reference, self.vocabulary = Stopwatch(arguments.device), Reference(model), model.config.vocab_size
        self.made, self.rounds, self.facts, self.failed, self.left_out = {}, {}, {}, {}, []
        self.known = set()  # engines that were told before, whose being left out is no news

    def draw(self):
        return torch.randint(0, self.vocabulary, (1, self.prompt), device=self.arguments.device)

    def tell(self, engine, **told):
        print(json.dumps({"geometry": self.name, "prompt": self.prompt, "engine": engine, **told}), flush=True)

    def attempt(self, engine, work):
        begin = time.perf_counter()
        try:
            work()
        except Exception as error:
            self.failed[engine] = (str(error) or type(error).__name__).splitlines()[0][:300]
            self.made.pop(engine, None)
            self.rounds.pop(engine, None)
        finally:
            print(f"{self.name}, {engine}: {time.perf_counter() - begin:.1f} s", file=sys.stderr, flush=True)

    def turn(self, engine, ids, generate):
        told, tokens = self.made[engine].round(self.watch, ids, generate)
        checked = self.reference.check_tokens(self.made[engine].kind, ids, tokens)
        return told | checked

    def begin(self, engine, make):
        def work():
            ids = self.draw()
            self.made[engine] = make()
            for _ in range(2):  # compiles, captures, fills caches
                self.turn(engine, ids, min(8, self.generate))
            self.facts[engine] = getattr(self.made[engine], "check", lambda *_: {})(self.reference, ids)
            self.rounds[engine] = []

        if time.monotonic() > self.arguments.end:
            self.left_out += [] if engine in self.known else [engine]
        else:
            self.attempt(engine, work)

    def take_turns(self):
        for engine in self.rounds:
            self.rounds[engine] = []
        for _ in range(self.arguments.rounds):
            ids = self.draw()
            for engine in list(self.rounds):
                self.attempt(engine, lambda: self.rounds[engine].append(self.turn(engine, ids, self.generate)))

    def tell_all(self):
        """Medians and spread of the last turns; of an engine that was told before, this is what counts."""
        for engine, told in self.rounds.items():
            figures = {}
            for key in told[0]:
                values = sorted(one[key] for one in told)
                figures[key] = round(statistics.median(values), 4)
                if key in ("first_token_ms", "decode_tokens_per_s"):
                    figures |= {f"{key}_least": round(values[0], 4), f"{key}_most": round(values[-1], 4)}
            explain = getattr(self.made[engine], "details", lambda *_: {}) if self.generate else lambda *_: {}
            try:
                details = explain(self.name, self.draw(), self.generate)
            except Exception as error:  # what was measured is worth more than its explanation
                details = {"no_details": str(error)}
            self.tell(engine, rounds=len(told), generate=self.generate, **figures, **self.facts[engine], **details)

    def end(self):
        for engine, reason in self.failed.items():
            self.tell(engine, failed=reason)
        for engine in self.left_out:
            self.tell(engine, left_out="no time was left")
        for engine in self.made.values():
            getattr(engine, "close", lambda: None)()
        self.made.clear()
        torch._dynamo.reset()
        if self.watch.cuda:
            torch.cuda.empty_cache()


def save(name, model, folder, comparison):
    """The directory that Graft reads. A disk that is too small is no reason to lose the others."""
    made = []
    comparison.attempt("graft", lambda: made.append(saved_model(name, folder, comparison.arguments.device, model)))
    return made[0] if made else None


def compare(comparison, group):
    for engine, make in group:
        comparison.begin(engine, make)
    if any(engine in comparison.rounds for engine, _ in group):
        comparison.take_turns()
        comparison.tell_all()


def first_tokens(name, model, directory, arguments, compiled):
    """At further lengths of the prompt; with `compiled` once more beside what compiles. Whether something failed."""
    failed = False
    for prompt in arguments.prompt[1:]:
        comparison = Comparison(name, arguments, model, prompt, 0)
        quick, compiling = engines(model, directory, arguments, prompt, 0)
        if compiled:  # what compiles begins: where there is no time for it, there is none for the others
            comparison.known = {engine for engine, _ in quick}
            quick = compiling + quick if compiling else []
        compare(comparison, quick)
        comparison.end()
        failed |= bool(comparison.failed)
    return failed


def measure(name, arguments):
    model, prompt = make_model(name, arguments.device), arguments.prompt[0]
    comparison = Comparison(name, arguments, model, prompt, arguments.generate)
    with contextlib.ExitStack() as stack:
        folder = arguments.weights or stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(torch.inference_mode())
        directory = save(name, model, folder, comparison) if arguments.graft else None
        quick, compiling = engines(model, directory, arguments, prompt, arguments.generate)
        compare(comparison, quick)
        failed = first_tokens(name, model, directory, arguments, compiled=False)
        compare(comparison, compiling)
        comparison.end()
        if not arguments.no_compile:
            failed |= first_tokens(name, model, directory, arguments, compiled=True)
    return failed or bool(comparison.failed)


def main():
    beside = pathlib.Path(__file__).resolve().parent.parent / "lib/libgraft.so.1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", nargs="+", type=geometry_name, metavar="NAME", default=["llama-3.2-1b", "llama-3.1-8b"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--graft", type=pathlib.Path, metavar="libgraft.so", default=beside if beside.exists() else None)
    parser.add_argument("--engine", nargs="+", metavar="WORD", help="only those whose names have one of these words")
    parser.add_argument("--prompt", type=int, nargs="+", default=[512])
    parser.add_argument("--generate", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--weights", type=pathlib.Path, metavar="FOLDER", help="where they are, or are to be written and left")
    parser.add_argument("--run-ahead-ms", type=int, default=10, help="of Graft: 0 has its host wait for each token")
    parser.add_argument("--seconds", type=float, default=3600, help="after which no further engine is begun")
    parser.add_argument("--no-compile", action="store_true", help="plain PyTorch only, to try the script where nothing compiles")
    arguments = parser.parse_args()
    arguments.end = time.monotonic() + arguments.seconds
    if not arguments.graft:
        print("no libgraft.so: Graft is left out", file=sys.stderr)
    return max([measure(name, arguments) for name in arguments.geometry])


if __name__ == "__main__":
    sys.exit(main())
