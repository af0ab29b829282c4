"""Tests scripts/gpu-check and what it is made of, without a device: gpu_check_test.py [unittest's arguments].

GRAFT_GPU_BUNDLE is the folder of an unpacked bundle, GRAFT_TEST_SOURCE the repository.
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import torch

SOURCE = pathlib.Path(os.environ["GRAFT_TEST_SOURCE"])
BUNDLE = pathlib.Path(os.environ["GRAFT_GPU_BUNDLE"])
loader = importlib.machinery.SourceFileLoader("gpu_check", str(BUNDLE / "gpu-check"))
gpu_check = importlib.util.module_from_spec(importlib.util.spec_from_loader("gpu_check", loader))
loader.exec_module(gpu_check)
goals = gpu_check.goals

import answers  # noqa: E402: from the bundle, where gpu-check has found goals too
import batches  # noqa: E402
import models  # noqa: E402


def bench(program, *arguments):
    """(exit code, rows) of a program of the bundle, on the CPU and the tiny geometry."""
    done = subprocess.run([sys.executable, BUNDLE / "bench" / program, *arguments], capture_output=True, text=True,
                          env=dict(os.environ, GRAFT_LIBTORCH=str(pathlib.Path(torch.__file__).parent)), check=False)
    rows = gpu_check.json_lines(done.stdout)
    if not rows:
        raise AssertionError(f"{program}: exit {done.returncode}: {done.stderr[-2000:]}")
    return done.returncode, rows


def decoded(engine, rate, **more):
    return {"geometry": "llama-3.1-8b", "prompt": 512, "engine": engine, "decode_tokens_per_s": rate, "first_token_ms": 10.0,
            **more}


def results(*rows, step="llama-3.1-8b", **steps):
    ceilings = {"state": "passed", "summary": "", "figures": [{"read_gb_s": 4500.0, "copy_gb_s": 4000.0}]}
    return {"ceilings": ceilings, step: {"state": "partly", "summary": "so far", "figures": list(rows)}, **steps}


def judged(steps, text):
    return next(row for row in goals.judge(steps) if text in row["text"])


class Goals(unittest.TestCase):
    def test_a_share_of_reading(self):
        whole = decoded("graft bfloat16", 270.0, bytes_of_token=15_000_000_000)
        row = judged(results(whole), "llama-3.1-8b, bfloat16: share of reading")
        self.assertAlmostEqual(row["figure"], 0.9, places=4)
        self.assertIs(row["met"], True)
        slow = dict(whole, decode_tokens_per_s=269.0)
        self.assertIs(judged(results(slow), "llama-3.1-8b, bfloat16: share of reading")["met"], False)

    def test_bytes_are_those_of_the_prompt_that_goes_on(self):
        rows = [decoded("graft bfloat16", 270.0, bytes_of_token=15e9),
                {"geometry": "llama-3.1-8b", "prompt": 8192, "engine": "graft bfloat16", "first_token_ms": 200.0}]
        steps = results(*rows)
        self.assertAlmostEqual(judged(steps, "bfloat16: share of reading")["figure"], 0.9)
        self.assertEqual(judged(steps, "first token after 512")["figure"], 10)
        long = judged(steps, "first token after 8192")
        self.assertEqual((long["figure"], long["met"]), (200, False))

    def test_a_ratio_to_a_peer_and_the_last_line_that_counts(self):
        rows = [decoded("graft int8", 100.0), decoded("fast decoder int8", 300.0), decoded("graft int8", 480.0)]
        row = judged(results(*rows), "llama-3.1-8b, int8: over the fast decoder")
        self.assertEqual((row["figure"], row["bound"], row["met"]), (1.6, 1.6, True))

    def test_why_a_figure_is_missing(self):
        rows = [decoded("graft int8", 100.0), dict(geometry="llama-3.1-8b", prompt=512, engine="graft int8", failed="no luck"),
                dict(geometry="llama-3.1-8b", prompt=512, engine="fast decoder int4", left_out="no time was left")]
        steps = results(*rows, decoded("graft int4", 1.0))
        reason = lambda text: judged(steps, text).get("not_measured")
        self.assertEqual(reason("llama-3.1-8b, int8: over"), "llama-3.1-8b: no luck")
        self.assertEqual(reason("llama-3.1-8b, int4: over"), "llama-3.1-8b: no time was left")
        self.assertIn("graft bfloat16", reason("llama-3.1-8b, bfloat16: over the fast"))
        steps["qwen3-8b"] = {"state": "left out", "summary": "no time was left"}
        self.assertEqual(reason("qwen3-8b, int4: share of reading"), "qwen3-8b left out: no time was left")
        del steps["qwen3-8b"]
        self.assertIn("so far", reason("llama-3.1-8b, bfloat16: over the fast"))
        self.assertEqual(reason("qwen3-8b, int8: share of reading"), "qwen3-8b was not run")

    def test_an_upper_bound_a_told_figure_and_what_is_unknown(self):
        told = {"engine": "graft int4", "step_over_isolated": 1.05, "off_over_on": 3.0, "graph_mb": 1.5,
                "unknown": {"launch": "no trace"}}
        steps = results(told, step="replay")
        self.assertIs(judged(steps, "int4: replayed step")["met"], False)
        self.assertIs(judged(steps, "int4: memory of a graph")["met"], True)
        self.assertIsNone(judged(steps, "int4: step without replay")["met"])
        self.assertIn("no trace", judged(steps, "int4: the host in a launch")["not_measured"])

    def test_batches_loading_and_ranks(self):
        rows = [{"engine": f"graft {kind}", "batch": batch, "step_ms": took, "outside_us": 0.1}
                for batch in (1, 64) for kind, took in (("bfloat16", 4.0), ("int8", 2.4))]
        steps = results(*rows, step="batches")
        self.assertAlmostEqual(judged(steps, "batch 64:")["figure"], 0.6)
        self.assertIn("no figure", judged(steps, "batch 16:")["not_measured"])
        loads = [{"loader": "graft bfloat16", "ready_s": 0.5, "first_token_s": 0.6, "share_of_pinned": 0.8},
                 {"loader": "safetensors load_file", "ready_s": 3.0}]
        steps = results(*loads, step="load time")
        self.assertEqual(judged(steps, "over safetensors")["figure"], 6)
        self.assertIs(judged(steps, "bfloat16: ready, share")["met"], False)
        ranks = [{"ranks": 4, "sums": "peer memory", "link_us": link, "efficiency": 1 / link} for link in (1.0, 2.0, 4.0)]
        self.assertEqual(judged(results(*ranks, step="shares"), "4 ranks")["figure"], 0.5)

    def test_every_goal_of_the_table_is_there_once(self):
        self.assertLessEqual({"G1", "G2", "G3", "G5", "G7", "G13", "G17", "G21", "G22", "G26"}, {g.id for g in goals.GOALS})
        self.assertEqual(len({g.text for g in goals.GOALS}), len(goals.GOALS))

    def test_the_table_says_figure_goal_and_verdict(self):
        steps = results(decoded("graft bfloat16", 270.0, bytes_of_token=15e9, first_token_ms_least=9.0, first_token_ms_most=11.0,
                                decode_tokens_per_s_least=260.0, decode_tokens_per_s_most=280.0))
        lines = list(gpu_check.table(steps))
        self.assertRegex(next(line for line in lines if "bfloat16: share of reading" in line), r">= 0\.9 +0\.900 +met")
        self.assertTrue(any("270.0 /s (260.0 to 280.0)" in line and "90.0 % of reading" in line for line in lines))
        self.assertEqual(sum("not measured" in line for line in lines), sum("not_measured" in row for row in goals.judge(steps)))


class Steps(unittest.TestCase):
    def check(self, minutes=1.0, earlier=None):
        return gpu_check.Check(minutes, earlier)

    def run_steps(self, check, steps):
        before, gpu_check.STEPS = gpu_check.STEPS, steps
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                gpu_check.run_steps(check, list(steps))
        finally:
            gpu_check.STEPS = before

    def step(self, run, least=1, most=10, kept=0):
        return gpu_check.Step("tests", least, most, kept, "", run)

    def test_the_later_steps_keep_their_time(self):
        told = {}
        note = lambda check, step: (told.update({step: check.left()}), check.record(step, "passed", ""))
        check = self.check(1.0)
        self.run_steps(check, {"first": self.step(note), "never": self.step(note, least=41), "last": self.step(note, kept=20)})
        self.assertLess(told["first"], 40.1)
        self.assertGreater(told["last"], 55)
        self.assertEqual(check.results["never"]["state"], "left out")
        self.assertIn("no time was left", check.results["never"]["summary"])

    def test_a_surprise_costs_one_step(self):
        def surprise(check, step):
            raise ValueError("oh")

        check = self.check()
        self.run_steps(check, {"bad": self.step(surprise), "good": self.step(lambda c, s: c.record(s, "passed", ""))})
        self.assertEqual([check.results[name]["state"] for name in ("bad", "good")], ["failed", "passed"])

    def test_a_second_call_does_not_lose_what_the_first_had(self):
        rows = lambda count: [{"us": 1}] * count
        earlier = {"more": {"state": "partly", "summary": "", "figures": rows(3)},
                   "less": {"state": "partly", "summary": "", "figures": rows(1)}}
        note = lambda check, step: check.record(step, "partly", "again", figures=rows(2))
        check = self.check(earlier=earlier)
        self.run_steps(check, {"more": self.step(note), "less": self.step(note)})
        self.assertEqual([check.results[name]["summary"] for name in ("more", "less")], ["", "again"])

    def test_a_skipped_test_is_not_passed(self):
        told = {"testsuites": [{"name": "S", "testsuite": [
            {"name": "a", "result": "COMPLETED"}, {"name": "b", "result": "SKIPPED"},
            {"name": "c", "result": "COMPLETED", "failures": [{}]}, {"name": "d", "result": "SUPPRESSED"}]}]}
        self.assertEqual(gpu_check.count_tests(told), (["S.a"], ["S.c"], ["S.b"]))
        out = "[       OK ] S.a (1 ms)\n[  SKIPPED ] S.b (0 ms)\n[  FAILED  ] S.c, where GetParam() = 1 (2 ms)\n[ RUN      ] S.d\n"
        self.assertEqual(gpu_check.count_lines(out), (["S.a"], ["S.c"], ["S.b"]))

    def test_wrong_figures_fail_their_step(self):
        check = self.check()
        with contextlib.redirect_stdout(io.StringIO()):
            gpu_check.record_figures(check, "wrong", 0, [{"engine": "graft int8", "failed": "tokens"}, {"us": 1}], "")
            gpu_check.record_figures(check, "cut", 0, [{"left_out": "time"}, {"us": 1}], "")
            gpu_check.record_figures(check, "none", 0, [], "")
        self.assertEqual([check.results[name]["state"] for name in ("wrong", "cut", "none")], ["failed", "partly", "failed"])
        self.assertIn("graft int8: tokens", check.results["wrong"]["summary"])

    def test_weights_are_kept_for_one_geometry(self):
        check = self.check()
        first = check.weights("a")
        self.assertEqual(check.weights("a"), first)
        second = check.weights("b")
        self.assertFalse(os.path.exists(first))
        check.forget_weights()
        self.assertFalse(os.path.exists(second))

    def test_every_suite_with_kernels_is_sanitized(self):
        program = BUNDLE / "tests/cuda_device_tests"
        environment = gpu_check.environment()

        def names(tests):
            out = subprocess.run([program, "--gtest_list_tests", f"--gtest_filter={tests}"], env=environment, check=True,
                                 capture_output=True, text=True).stdout
            return {line.strip() for line in out.splitlines() if line and not line.startswith(" ")}

        for pattern in gpu_check.TINY + gpu_check.SUMS:
            self.assertTrue(names(pattern), f"no test has the name {pattern}")
        suites = {name for name in names("Cuda*-*Plan.*")}
        self.assertEqual(names(":".join(gpu_check.TINY + gpu_check.SUMS)) & suites, suites)

    def test_findings_of_a_sanitizer(self):
        clean = "========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 0 errors\n[       OK ] S.a (1 ms)\n"
        self.assertEqual(gpu_check.findings(clean), [])
        self.assertEqual(len(gpu_check.findings(clean + "========= Invalid __global__ read of size 4\n[  FAILED  ] S.a\n")), 2)

    def test_the_page_has_the_plan(self):
        page = (SOURCE / "docs/cuda.md").read_text()
        self.assertIn("\n".join(gpu_check.plan()), page, "docs/cuda.md is to have what gpu-check --plan prints")

    def test_the_sanitizer_shares_its_time_and_tells_its_order(self):
        with tempfile.TemporaryDirectory() as folder:
            tool = pathlib.Path(folder) / "compute-sanitizer"
            tool.write_text('#!/bin/sh\necho "$@" >>"$0.calls"\ncase "$*" in *racecheck*) exec sleep 60 ;; esac\n'
                            'echo "[       OK ] S.a (1 ms)"\n')
            tool.chmod(0o755)
            check = self.check(12 / 60)
            check.most = 12
            before, gpu_check.find_sanitizer = gpu_check.find_sanitizer, lambda: str(tool)
            begin = time.monotonic()
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    gpu_check.sanitizer(check, "sanitizer")
            finally:
                gpu_check.find_sanitizer = before
            told = check.results["sanitizer"]
            self.assertEqual(told["state"], "partly")
            self.assertEqual([run["end"] for run in told["tools"].values()], ["clean", "stopped", "clean"])
            self.assertLess(time.monotonic() - begin, 10)
            calls = (pathlib.Path(folder) / "compute-sanitizer.calls").read_text().splitlines()
            self.assertTrue(all(f"--gtest_random_seed={told['seed']}" in call for call in calls), calls)


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = models.make_model("tiny", "cpu")
        cls.reference = answers.Reference(cls.model)
        torch.manual_seed(1)
        cls.ids = torch.randint(0, 1024, (1, 32))

    def answer(self, regrets):
        """Tokens of at least these regrets, and hardly more."""
        ids = self.ids
        for wanted in regrets:
            logits = self.reference.logits(ids, 1)[0]
            regret = (logits.max() - logits) / logits.std()
            token = torch.where(regret >= wanted, regret, torch.inf).argmin()
            ids = torch.cat([ids, token[None, None]], 1)
        return ids[0, self.ids.shape[1]:].tolist()

    def greedy(self, count):
        return self.answer([0] * count)

    def test_the_models_own_tokens(self):
        self.assertEqual(self.reference.check_tokens("bfloat16", self.ids, self.greedy(12))["equal"], 1)

    def test_random_tokens_are_wrong_for_every_type(self):
        garbage = torch.randint(0, 1024, (12,)).tolist()
        chance = self.reference.regrets(self.ids, garbage)
        for kind, (mean, most, _) in answers.BOUNDS.items():
            self.assertGreater(chance.mean(), 1.5 * mean)
            self.assertGreater(chance.max(), 1.2 * most)
            with self.assertRaises(answers.WrongAnswer):
                self.reference.check_tokens(kind, self.ids, garbage)

    def test_either_bound_of_regrets(self):
        for kind, (mean, most, _) in answers.BOUNDS.items():
            for regrets, what in (([(mean + most) / 2] * 6, "too much in the mean"), ([0] * 23 + [most + 0.02], "one wrong token")):
                with self.subTest(kind, what=what), self.assertRaises(answers.WrongAnswer):
                    self.reference.check_tokens(kind, self.ids, self.answer(regrets))

    def test_a_token_that_the_model_does_not_have(self):
        with self.assertRaises(answers.WrongAnswer):
            self.reference.check_tokens("int4", self.ids, [*self.greedy(3), 1024, 5])

    def test_logits(self):
        logits = self.reference.logits(self.ids, 32)
        self.assertGreater(self.reference.check_logits("bfloat16", self.ids, logits), 0.999)
        for wrong in (logits.roll(1, 0), torch.full_like(logits, float("nan")), torch.randn_like(logits)):
            for kind in answers.BOUNDS:
                with self.assertRaises(answers.WrongAnswer):
                    self.reference.check_logits(kind, self.ids, wrong)

    def test_agreement_of_batches(self):
        self.assertEqual(batches.agreement([[1, 2, 3, 4]], [[1, 2, 9, 4]]), 0.5)
        self.assertEqual(batches.agreement([[1, 2], [3, 4]], [[1, 2], [3, 4]]), 1)


class Programs(unittest.TestCase):
    """The benchmarks of the bundle, as far as a CPU allows."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def bench(self, program, *arguments):
        return bench(program, "--device", "cpu", "--weights", self.folder.name, "--rounds", "2", *arguments)

    def test_peers_and_what_is_predicted_of_ranks(self):
        code, rows = self.bench("peers.py", "--geometry", "tiny", "tiny/2", "--no-compile", "--prompt", "48", "80", "--generate", "8")
        told = {(row["geometry"], row["prompt"], row["engine"]): row for row in rows}
        self.assertEqual([key[2] for key, row in told.items() if "failed" in row], ["fast decoder int4"] * 2)  # not on a CPU
        self.assertEqual(code, 1)
        for engine in ("graft bfloat16", "graft int8", "graft int4", "transformers eager", "fast decoder bfloat16"):
            row = told["tiny", 48, engine]
            self.assertLessEqual(row["decode_tokens_per_s_least"], row["decode_tokens_per_s"])
            self.assertLessEqual(row["decode_tokens_per_s"], row["decode_tokens_per_s_most"])
            self.assertIn("mean_regret", row)
        self.assertEqual([told["tiny", 48, f"graft {kind}"]["quantization"] for kind in ("bfloat16", "int8", "int4")],
                         [None, {"bits": 8, "group_size": 128}, {"bits": 4, "group_size": 128}])
        of_token = [told["tiny", 48, f"graft {kind}"]["bytes_of_token"] for kind in ("bfloat16", "int8", "int4")]
        self.assertGreater(of_token[0], 1.6 * of_token[1])
        self.assertGreater(of_token[1], of_token[2])
        self.assertGreater(told["tiny", 80, "graft bfloat16"]["first_token_ms"], 0)
        self.assertNotIn("decode_tokens_per_s", told["tiny", 80, "graft bfloat16"])
        self.assertNotIn(("tiny", 80, "graft int8"), told)
        steps, kernels = (pathlib.Path(self.folder.name) / name for name in ("steps", "kernels"))
        steps.write_text("".join(json.dumps(row) + "\n" for row in rows))
        kernels.write_text(json.dumps({"name": "residual + norm", "us": 2}) + "\n" +
                           json.dumps({"name": "sum of 2 ranks + residual + norm, width 256", "us": 5}) + "\n")
        code, rows = bench("tp_model.py", steps, kernels, "--geometry", "tiny", "--link", "2")
        self.assertEqual((code, rows[0]["ranks"], rows[0]["added_by_a_sum_us"]), (0, 2, 5))
        share = 1e6 / told["tiny/2", 48, "graft bfloat16"]["decode_tokens_per_s"]
        self.assertAlmostEqual(rows[0]["step_us"], share + 2 * 2 * 5, delta=0.2)

    def test_load_time(self):
        code, rows = self.bench("load_time.py", "--geometry", "tiny", "--dtype", "bfloat16", "int4")
        self.assertEqual((code, [row["loader"] for row in rows]), (0, ["graft bfloat16", "graft int4", "safetensors load_file"]))
        self.assertGreater(rows[0]["first_token_s"], rows[0]["ready_s"])

    def test_replay(self):
        code, rows = self.bench("replay.py", "--geometry", "tiny", "--dtype", "bfloat16", "--generate", "16", "--prompt", "16")
        self.assertEqual((code, rows[0]["graph"]), (0, "on"))
        self.assertLess(rows[0]["setter_us"], 1000)
        self.assertGreater(rows[0]["step_us"], 0)
        self.assertEqual(set(rows[0]["unknown"]), {"isolated", "launch", "capture"})

    def test_batches(self):
        code, rows = self.bench("batches.py", "--geometry", "tiny", "--batch", "1", "4", "--generate", "16")
        self.assertEqual(code, 0)
        self.assertEqual([(row["engine"], row["batch"]) for row in rows],
                         [("graft bfloat16", 1), ("graft int8", 1), ("graft bfloat16", 4), ("graft int8", 4)])
        self.assertGreaterEqual(min(row["agreed"] for row in rows), 0.5)


class WholeCheck(unittest.TestCase):
    """On a machine without a device."""

    def test_every_step_says_what_it_lacks(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "result.json"
            done = subprocess.run([BUNDLE / "gpu-check", "--minutes", "2.2", "--output", file], capture_output=True, text=True,
                                  env=dict(os.environ, PATH=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
                                           CUDA_VISIBLE_DEVICES=""), check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            result = json.loads(file.read_text())
            steps = result["steps"]
            self.assertEqual(list(steps), list(gpu_check.STEPS))
            states = {name: told["state"] for name, told in steps.items()}
            self.assertEqual({states[name] for name in ("doctor", "ceilings", "example model")}, {"failed"}, states)
            self.assertEqual(states["llama-3.1-8b"], "left out")
            self.assertLessEqual(set(states.values()), {"failed", "absent", "left out", "partly", "passed"})
            self.assertTrue(all(told["summary"] and told["seconds"] < 60 for told in steps.values()), steps)
            self.assertTrue(all("not_measured" in row for row in result["goals"]))
            self.assertEqual(len(result["goals"]), len(goals.GOALS))
            self.assertEqual(done.stdout.count("not measured"), len(goals.GOALS))
            left_out = [name for name, state in states.items() if state in ("left out", "partly")]
            subprocess.run([BUNDLE / "gpu-check", "--minutes", "0.01", "--continue", file, "--output", file],
                           capture_output=True, text=True, check=False)
            again = json.loads(file.read_text())["steps"]
            self.assertEqual(set(again), set(steps))
            self.assertEqual({name for name in again if again[name] != steps[name]} - set(left_out), set())


if __name__ == "__main__":
    unittest.main()
