"""The goals of speed that one GPU can be held against, as data: what a figure is made of, and what it is to be.

A goal is a ratio to a ceiling or a peer of the same run wherever its text has one, so that it holds for any device. Those in
milliseconds and megabytes are for an H100 or H200. `judge` gives each as figure, bound and whether it was met, or why it was
not measured.
"""
import dataclasses
import typing


class Missing(Exception):
    """A figure that there is not, and why."""


class Figures:
    """What a check has measured: {step: {"state", "summary", "figures": [row]}}."""

    def __init__(self, steps):
        self.steps = steps

    def row(self, step, **wanted):
        """The last row of the step that has these values and was measured."""
        told = self.steps.get(step)
        if told is None:
            raise Missing(f"{step} was not run")
        if not told.get("figures"):
            raise Missing(f"{step} {told['state']}: {told['summary']}")
        rows = [row for row in told["figures"] if all(row.get(key) == value for key, value in wanted.items())]
        if rows:
            reason = rows[-1].get("failed") or rows[-1].get("left_out")  # counts for what was told of it before, too
            if not reason:
                return rows[-1]
            raise Missing(f"{step}: {reason}")
        what = ", ".join(str(value) for value in wanted.values())
        raise Missing(f"{step} has no figure{' of ' + what if what else ''}: {told['state']}, {told['summary']}")

    def value(self, step, key, **wanted):
        row = self.row(step, **wanted)
        if row.get(key) is None:
            unknown = "; ".join(row.get("unknown", {}).values())
            raise Missing(f"{step} has no {key}" + (f": {unknown}" if unknown else ""))
        return row[key]

    def ceiling(self, key):
        return self.value("ceilings", key)


@dataclasses.dataclass(frozen=True)
class Goal:
    id: str
    text: str
    figure: typing.Callable[[Figures], float]
    bound: float | None  # none: it is to be told
    at_least: bool = True
    unit: str = ""  # none: a ratio


def at_least(id, text, bound, figure, unit=""):
    return Goal(id, text, figure, bound, True, unit)


def told(id, text, figure):
    return Goal(id, text, figure, None)


def at_most(id, text, bound, figure, unit=""):
    return Goal(id, text, figure, bound, False, unit)


LLAMA, QWEN, SMALL = "llama-3.1-8b", "qwen3-8b", "llama-3.2-1b"  # geometries, and the steps of the check that compare on them


def of_decode(geometry, engine, key="decode_tokens_per_s"):
    """Of one sequence that goes on: a step that compares engines does so at one length of prompt, its first."""
    def figure(f):
        prompts = [row["prompt"] for row in f.steps.get(geometry, {}).get("figures", []) if "prompt" in row]
        return f.value(geometry, key, geometry=geometry, engine=engine, **({"prompt": prompts[0]} if prompts else {}))
    return figure


def share_of_bytes(geometry, engine, ceiling):
    """Of what the ceiling reads in the time of a token: the bytes that the token must read."""
    rate, size = of_decode(geometry, engine), of_decode(geometry, engine, "bytes_of_token")
    return lambda f: 1e-9 * rate(f) * size(f) / f.ceiling(ceiling)


def ratio(above, below):
    return lambda f: above(f) / below(f)


def first_token(engine, prompt):
    return lambda f: f.value(LLAMA, "first_token_ms", engine=engine, prompt=prompt)


def of_replay(engine, key):
    return lambda f: f.value("replay", key, engine=engine)


def of_load(loader, key):
    return lambda f: f.value("load time", key, loader=loader)


def of_batch(engine, batch, key="step_ms"):
    return lambda f: f.value("batches", key, engine=engine, batch=batch)


def of_ranks(ranks, link_us=2):
    return lambda f: f.value("shares", "efficiency", ranks=ranks, sums="peer memory", link_us=link_us)


def decoding(geometry):
    graft = {kind: of_decode(geometry, f"graft {kind}") for kind in ("bfloat16", "int8", "int4")}
    fast = {kind: of_decode(geometry, f"fast decoder {kind}") for kind in graft}
    share = lambda kind: share_of_bytes(geometry, f"graft {kind}", "read_gb_s")
    return [
        at_least("G1", f"{geometry}, bfloat16: share of reading", 0.90, share("bfloat16")),
        at_least("G1", f"{geometry}, bfloat16: over the fast decoder", 1.15, ratio(graft["bfloat16"], fast["bfloat16"])),
        at_least("G1", f"{geometry}, bfloat16: over Transformers eager", 4,
                 ratio(graft["bfloat16"], of_decode(geometry, "transformers eager"))),
        at_least("G2", f"{geometry}, int8: share of reading", 0.82, share("int8")),
        at_least("G2", f"{geometry}, int8: over the fast decoder", 1.6, ratio(graft["int8"], fast["int8"])),
        at_least("G3", f"{geometry}, int4: share of reading", 0.70, share("int4")),
        at_least("G3", f"{geometry}, int4: over the fast decoder", 1.8, ratio(graft["int4"], fast["int4"])),
    ]


GOALS = [
    *decoding(LLAMA),
    *decoding(QWEN),
    # 0.94 ms where an H100 copies 3.0 TB/s.
    at_least("G5", f"{SMALL}, bfloat16: share of copying", 0.87, share_of_bytes(SMALL, "graft bfloat16", "copy_gb_s")),
    *(at_most("G7", f"{LLAMA}, bfloat16: first token after {prompt}", bound, first_token("graft bfloat16", prompt), "ms")
      for prompt, bound in ((512, 12), (2048, 44), (8192, 185))),
    *(at_least("G7", f"{LLAMA}, bfloat16: over Transformers compiled, {prompt}", 1.05,
               ratio(first_token("transformers static, compiled", prompt), first_token("graft bfloat16", prompt)))
      for prompt in (2048, 8192)),
    *(goal for kind in ("bfloat16", "int4") for goal in (
        at_most("G13", f"{kind}: replayed step over its kernels", 1.04, of_replay(f"graft {kind}", "step_over_isolated")),
        told("G13", f"{kind}: step without replay over one with it", of_replay(f"graft {kind}", "off_over_on")),
        at_most("G13", f"{kind}: the host in a launch", 10, of_replay(f"graft {kind}", "launch_us"), "us"),
        at_most("G13", f"{kind}: memory of a graph", 2, of_replay(f"graft {kind}", "graph_mb"), "MB"),
        at_most("G13", f"{kind}: time of a capture", 50, of_replay(f"graft {kind}", "capture_ms"), "ms"))),
    *(at_least("G17", f"{LLAMA}, bfloat16: {ranks} ranks, predicted, link of 2 us", bound, of_ranks(ranks))
      for ranks, bound in ((2, 0.92), (4, 0.82), (8, 0.66))),
    at_least("G21", "bfloat16: ready, share of copying from pinned memory", 0.85, of_load("graft bfloat16", "share_of_pinned")),
    at_most("G21", "bfloat16: ready", 0.9, of_load("graft bfloat16", "ready_s"), "s"),
    at_most("G21", "bfloat16: first token", 1.5, of_load("graft bfloat16", "first_token_s"), "s"),
    at_least("G21", "bfloat16: over safetensors load_file", 4,
             ratio(of_load("safetensors load_file", "ready_s"), of_load("graft bfloat16", "ready_s"))),
    at_most("G22", "a call of the C ABI", 1, of_replay("graft bfloat16", "setter_us"), "us"),
    at_most("G22", "a token, one sequence", 3, of_replay("graft bfloat16", "outside_us"), "us"),
    at_most("G22", "a token of 64 sequences", 0.2, of_batch("graft bfloat16", 64, "outside_us"), "us"),
    *(at_most("G26", f"batch {batch}: step of int8 over bfloat16", 0.62,
              ratio(of_batch("graft int8", batch), of_batch("graft bfloat16", batch))) for batch in (1, 4, 16, 64)),
]


VERDICTS = {True: " met", False: " missed", None: ""}


def judge(steps, goals=GOALS):
    """A row for each goal: "figure" and "met" (null where it is only told), or "not_measured" with the reason."""
    rows, figures = [], Figures(steps)
    for goal in goals:
        row = {"goal": goal.id, "text": goal.text, "bound": goal.bound, "at_least": goal.at_least, "unit": goal.unit}
        try:
            figure = goal.figure(figures)
            met = None if goal.bound is None else figure >= goal.bound if goal.at_least else figure <= goal.bound
            rows.append(row | {"figure": round(figure, 4), "met": met})
        except Missing as reason:
            rows.append(row | {"not_measured": str(reason)})
        except (ZeroDivisionError, TypeError, KeyError) as error:
            rows.append(row | {"not_measured": f"{type(error).__name__}: {error}"})
    return rows


def lines(rows):
    """The same as a table."""
    for row in rows:
        bound = "told"
        if row["bound"] is not None:
            bound = f"{'>=' if row['at_least'] else '<='} {row['bound']:g} {row['unit']}"
        if "figure" in row:
            judged = f"{row['figure']:10.3f} {VERDICTS[row['met']]}"
        else:
            judged = f"not measured: {row['not_measured']}"
        yield f"  {row['goal']:<4} {row['text']:<60} {bound:<10} {judged}"
