#!/usr/bin/env python3
"""Graft beside its peers on one GPU: the same random weights at real geometry, turn by turn in one run, medians.

    peers.py [--geometry NAME...] [--engine WORD...] [--device cuda] [--graft libgraft.so] [--prompt 512] [--generate 64]

Peers: Transformers eager; Transformers with a static cache and torch.compile; fast_decoder.py in bfloat16, int8 and int4.
Graft: bfloat16, int8 (whole rows) and int4 (groups of 128), in this process. One JSON object per engine and geometry:
decode_tokens_per_s, prefill_tokens_per_s, of Graft load_s, the processor cores that the host used and a profile too. Batch 1. Those
that need no compiling are told first, and once more with the others, between which they then took turns: of two lines of
an engine the last one counts. The exit code is 1 when one failed.

NAME/2, NAME/4 or NAME/8 is what one of so many ranks holds of a geometry, for tp_model.py.
"""
import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

import torch
import transformers

from fast_decoder import FastDecoder
from graft_engine import GraftEngine, GraftLibrary

GEOMETRIES = {
    "llama-3.2-1b": ("Llama", dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
                                   num_key_value_heads=8, head_dim=64, vocab_size=128256, tie_word_embeddings=True)),
    "llama-3.1-8b": ("Llama", dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
                                   num_key_value_heads=8, head_dim=128, vocab_size=128256, tie_word_embeddings=False)),
    "qwen3-8b": ("Qwen3", dict(hidden_size=4096, intermediate_size=12288, num_hidden_layers=36, num_attention_heads=32,
                               num_key_value_heads=8, head_dim=128, vocab_size=151936, tie_word_embeddings=False)),
    "tiny": ("Qwen3", dict(hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
                           num_key_value_heads=2, head_dim=64, vocab_size=1024, tie_word_embeddings=True)),
}


def geometry(name):
    """The family and the shape, or one rank's share of it."""
    whole, _, ranks = name.partition("/")
    if whole not in GEOMETRIES or ranks not in ("", "2", "4", "8"):
        raise argparse.ArgumentTypeError(f"{name}: expected one of {', '.join(GEOMETRIES)}, also with /2, /4 or /8")
    family, shape = GEOMETRIES[whole]
    if ranks:
        split = ("intermediate_size", "num_attention_heads", "num_key_value_heads", "vocab_size")
        shape = {key: value // int(ranks) if key in split else value for key, value in shape.items()}
        if 0 in shape.values():
            raise argparse.ArgumentTypeError(f"{name}: fewer than one of its heads to a rank")
    return family, shape


def make_model(name, context, device):
    """Random weights, made on the device: zeros would make some kernels faster than they are."""
    family, shape = geometry(name)
    config = getattr(transformers, f"{family}Config")(**shape, max_position_embeddings=context)
    torch.manual_seed(0)
    with torch.device(device):
        model = getattr(transformers, f"{family}ForCausalLM")(config).to(torch.bfloat16).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.02)
    return model


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

    def round(self, watch, ids, generate):
        begin = watch.now()
        token = self.prefill(ids)
        middle = watch.now()
        for _ in range(generate):
            token = self.step(token)
        end = watch.now()
        return {"prefill_tokens_per_s": ids.shape[1] / (middle - begin), "decode_tokens_per_s": generate / (end - middle)}


class Eager(Peer):
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
    def __init__(self, model, context):
        self.model, self.context, self.cache, self.position = model, context, None, None
        self.compiled = torch.compile(model.forward, mode="reduce-overhead", fullgraph=True)

    def run(self, forward, ids, positions):
        torch.compiler.cudagraph_mark_step_begin()
        out = forward(ids, past_key_values=self.cache, use_cache=True, cache_position=positions, logits_to_keep=1)
        return out.logits[:, -1:].argmax(-1).clone()

    def prefill(self, ids):
        self.cache = self.cache or transformers.StaticCache(config=self.model.config, max_cache_len=self.context)
        self.cache.reset()
        self.position = torch.full((1,), ids.shape[1], device=ids.device)
        return self.run(self.model.forward, ids, torch.arange(ids.shape[1], device=ids.device))

    def step(self, token):
        token = self.run(self.compiled, token, self.position)
        self.position += 1
        return token


class Fast(Peer):
    def __init__(self, model, context, kind, compiled):
        self.decoder = FastDecoder(model, context, kind).eval()
        self.forward, self.position = self.decoder, None
        if compiled:  # tuning turns products of one row into sums that read their weights as they lie
            self.forward = torch.compile(self.decoder, fullgraph=True,
                                         options={"triton.cudagraphs": True, "coordinate_descent_tuning": kind != "int4"})

    def prefill(self, ids):
        self.position = torch.full((1,), ids.shape[1], device=ids.device)
        return self.decoder(ids, torch.arange(ids.shape[1], device=ids.device))

    def step(self, token):
        if self.forward is not self.decoder:
            torch.compiler.cudagraph_mark_step_begin()
        token = self.forward(token, self.position).clone()
        self.position += 1
        return token


class Graft:
    """An engine in this process; its prompt goes in, and its tokens come out, as they do for an application."""

    def __init__(self, library, directory, arguments, dtype, config, context):
        self.config = config
        options = {"device": arguments.device, "dtype": dtype, "max_sequences": 1, "context_limit": context,
                   "run_ahead_ms": arguments.run_ahead_ms}
        if dtype == "int4":
            options |= {"quantization": {"bits": 4, "group_size": 128}}
            del options["dtype"]
        self.engine = GraftEngine(library, directory, options)

    def round(self, watch, ids, generate):
        watch.now()
        begin = time.process_time()
        _, times = self.engine.generate(ids[0].tolist(), generate + 1)
        return {"prefill_tokens_per_s": ids.shape[1] / times[0], "decode_tokens_per_s": generate / (times[-1] - times[0]),
                "host_cores": (time.process_time() - begin) / times[-1], "load_s": self.engine.load_s}

    def close(self):
        self.engine.close()

    def details(self, ids):
        """Bytes that a token must read of the weights (one row of a table that is only looked up counts as none), and
        where the time goes."""
        looked_up = 0 if self.config.tie_word_embeddings else self.config.vocab_size * self.config.hidden_size * 2
        return {"bytes_of_token": self.engine.info()["weight_bytes"] - looked_up,
                "profile": self.engine.profile(ids[0].tolist(), 8)}


def engines(model, directory, arguments, context):
    """(name, function that makes it), in two groups: what the run is for and what is made at once, then what compiles for
    a minute or more. Made one after another, so that one that cannot be had costs only itself."""
    quick, compiling = [], []
    if directory:
        library = GraftLibrary(arguments.graft)
        for dtype in ("bfloat16", "int8", "int4"):
            quick.append((f"graft {dtype}", lambda dtype=dtype: Graft(library, directory, arguments, dtype, model.config, context)))
    compiled = not arguments.no_compile
    quick.append(("transformers eager", lambda: Eager(model)))
    for kind in ("bfloat16", "int8", "int4"):
        compiling.append((f"fast decoder {kind}", lambda kind=kind: Fast(model, context, kind, compiled)))
    if compiled:
        compiling.append(("transformers static, compiled", lambda: Static(model, context)))
    wanted = lambda name: not arguments.engine or any(word in name for word in arguments.engine)
    return [[engine for engine in group if wanted(engine[0])] for group in (quick, compiling)]


class Comparison:
    """Engines of one geometry that take turns. One that fails costs only itself."""

    def __init__(self, name, arguments, watch, ids):
        self.name, self.arguments, self.watch, self.ids = name, arguments, watch, ids
        self.made, self.rounds, self.failed, self.left_out = {}, {}, {}, []

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

    def begin(self, engine, make):
        def work():
            self.made[engine] = make()
            self.made[engine].round(self.watch, self.ids, min(8, self.arguments.generate))  # compiles, captures, fills caches
            self.rounds[engine] = []

        if time.monotonic() > self.arguments.end:
            self.left_out.append(engine)
        else:
            self.attempt(engine, work)

    def take_turns(self):
        for engine in self.rounds:
            self.rounds[engine] = []
        for _ in range(self.arguments.rounds):
            for engine in list(self.rounds):
                self.attempt(engine, lambda: self.rounds[engine].append(
                    self.made[engine].round(self.watch, self.ids, self.arguments.generate)))

    def tell(self):
        """Medians of the last turns; of an engine that was told before, this is what counts."""
        for engine, told in self.rounds.items():
            figures = {key: round(statistics.median(one[key] for one in told), 3) for key in told[0]}
            try:
                details = getattr(self.made[engine], "details", lambda _: {})(self.ids)
            except Exception as error:  # what was measured is worth more than its explanation
                details = {"no_details": str(error)}
            print(json.dumps({"geometry": self.name, "engine": engine, **figures, **details}), flush=True)

    def end(self):
        for engine, reason in self.failed.items():
            print(json.dumps({"geometry": self.name, "engine": engine, "failed": reason}), flush=True)
        for engine in self.left_out:
            print(json.dumps({"geometry": self.name, "engine": engine, "left_out": "no time was left"}), flush=True)
        for engine in self.made.values():
            getattr(engine, "close", lambda: None)()
        self.made.clear()


def save(model, directory, comparison):
    """Whether Graft can have the model. A disk that is too small is no reason to lose the others."""
    comparison.attempt("graft", lambda: model.save_pretrained(directory))
    return "graft" not in comparison.failed


def measure(name, arguments):
    context = arguments.prompt + arguments.generate + 8
    model = make_model(name, context, arguments.device)
    watch = Stopwatch(arguments.device)
    ids = torch.randint(0, model.config.vocab_size, (1, arguments.prompt), device=arguments.device)
    comparison = Comparison(name, arguments, watch, ids)
    with tempfile.TemporaryDirectory() as directory, torch.inference_mode():
        saved = arguments.graft and save(model, directory, comparison)
        for group in engines(model, directory if saved else None, arguments, context):
            for engine, make in group:
                comparison.begin(engine, make)
            if any(engine in comparison.rounds for engine, _ in group):
                comparison.take_turns()
                comparison.tell()
        comparison.end()
    if watch.cuda:
        torch._dynamo.reset()
        torch.cuda.empty_cache()
    return bool(comparison.failed)


def main():
    here = pathlib.Path(__file__).resolve().parent
    beside = here.parent / "lib/libgraft.so.1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", nargs="+", type=lambda name: geometry(name) and name,
                        metavar="NAME", default=["llama-3.2-1b", "llama-3.1-8b"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--graft", type=pathlib.Path, metavar="libgraft.so", default=beside if beside.exists() else None)
    parser.add_argument("--engine", nargs="+", help="only those whose names have one of these words")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
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
