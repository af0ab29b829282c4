#!/usr/bin/env python3
"""Makes what tests/generation and tests/conformance compare token choice with: Transformers' own logits processors on
random logits, and its beam search on cases of tests/oracle.

  make_choices.py CASES_DIR OUT_DIR

OUT_DIR/processors.json: [{"name", "options": names as in graft_request_options_set_json, "tokens", "prompt" (how many
of the tokens), "ends", "logits", "expected": processed logits, null for minus infinity}].
OUT_DIR/beams.json: [{"case", "prompt", "options", "answers": [tokens of each]}].
A second run with unchanged scripts does nothing.
"""
import hashlib
import json
import math
import pathlib
import sys

sys.dont_write_bytecode = True

VOCABULARY = 97
BEAM_CASES = ["llama_gqa", "gpt2_plain", "qwen3_gqa", "mistral_window"]


def processor_cases():
    """(name, our options, Transformers' processors), one for each processor and some together."""
    from transformers.generation import logits_process as p

    ends = [3, 8]
    warpers = {
        "temperature": (dict(temperature=0.7), [p.TemperatureLogitsWarper(0.7)]),
        "top_k": (dict(top_k=5), [p.TopKLogitsWarper(5)]),
        "top_p": (dict(top_p=0.8), [p.TopPLogitsWarper(0.8)]),
        "top_p_small": (dict(top_p=0.01), [p.TopPLogitsWarper(0.01)]),
        "min_p": (dict(min_p=0.2), [p.MinPLogitsWarper(0.2)]),
        "typical_p": (dict(typical_p=0.6), [p.TypicalLogitsWarper(0.6)]),
        "typical_p_small": (dict(typical_p=0.05), [p.TypicalLogitsWarper(0.05)]),
        "all": (dict(temperature=1.3, top_k=40, top_p=0.95, min_p=0.02, typical_p=0.9),
                [p.TemperatureLogitsWarper(1.3), p.TopKLogitsWarper(40), p.TopPLogitsWarper(0.95),
                 p.MinPLogitsWarper(0.02), p.TypicalLogitsWarper(0.9)]),
    }
    for name, (options, processors) in warpers.items():
        yield name, options, processors, []
    rules = {
        "repetition": (dict(repetition_penalty=1.3), [p.RepetitionPenaltyLogitsProcessor(1.3)]),
        "repetition_below_one": (dict(repetition_penalty=0.8), [p.RepetitionPenaltyLogitsProcessor(0.8)]),
        "ngram_1": (dict(no_repeat_ngram=1), [p.NoRepeatNGramLogitsProcessor(1)]),
        "ngram_2": (dict(no_repeat_ngram=2), [p.NoRepeatNGramLogitsProcessor(2)]),
        "ngram_3": (dict(no_repeat_ngram=3), [p.NoRepeatNGramLogitsProcessor(3)]),
        "bias": (dict(logit_bias={"5": -1.5, "90": 2.25}),
                 [p.SequenceBiasLogitsProcessor({(5,): -1.5, (90,): 2.25})]),
        "banned": (dict(banned_tokens=[1, 2, 60]), [p.SuppressTokensLogitsProcessor([1, 2, 60])]),
        "allowed": (dict(allowed_tokens=[4, 9, 33]),
                    [p.PrefixConstrainedLogitsProcessor(lambda batch, ids: [4, 9, 33], 1)]),
        "min_tokens": (dict(min_tokens=30), [p.MinNewTokensLengthLogitsProcessor(10, 30, ends)]),
        "min_tokens_reached": (dict(min_tokens=5), [p.MinNewTokensLengthLogitsProcessor(10, 5, ends)]),
        "together": (dict(logit_bias={"5": -1.5}, repetition_penalty=1.2, no_repeat_ngram=2, banned_tokens=[7],
                          min_tokens=30, temperature=0.9, top_k=20, top_p=0.9),
                     [p.SequenceBiasLogitsProcessor({(5,): -1.5}), p.RepetitionPenaltyLogitsProcessor(1.2),
                      p.NoRepeatNGramLogitsProcessor(2), p.SuppressTokensLogitsProcessor([7]),
                      p.MinNewTokensLengthLogitsProcessor(10, 30, ends), p.TemperatureLogitsWarper(0.9),
                      p.TopKLogitsWarper(20), p.TopPLogitsWarper(0.9)]),
    }
    for name, (options, processors) in rules.items():
        yield name, options, processors, ends


def make_processors():
    import torch

    cases = []
    generator = torch.Generator().manual_seed(11)
    for name, options, processors, ends in processor_cases():
        for draw in range(5):
            logits = 3 * torch.randn(VOCABULARY, generator=generator)
            # Few distinct tokens, so that n-grams repeat.
            tokens = torch.randint(0, 6, (30,), generator=generator)
            scores = logits.clone()[None]
            for processor in processors:
                scores = processor(tokens[None], scores)
            cases.append(dict(name=f"{name}/{draw}", options=options, tokens=tokens.tolist(), prompt=10, ends=ends,
                              logits=logits.tolist(),
                              expected=[None if math.isinf(x) else x for x in scores[0].tolist()]))
    return cases


def make_beams(cases):
    import torch
    import transformers

    settings = [dict(num_beams=4), dict(num_beams=2, length_penalty=0.0), dict(num_beams=5, length_penalty=2.0),
                dict(num_beams=3, length_penalty=-1.0, num_sequences=3), dict(num_beams=4, no_repeat_ngram=2),
                dict(num_beams=3, repetition_penalty=1.3, min_tokens=4)]
    beams = []
    for case in BEAM_CASES:
        about = json.loads((cases / case / "case.json").read_text())
        model = transformers.AutoModelForCausalLM.from_pretrained(
            cases / case, dtype=torch.float32, attn_implementation="eager").eval()
        for number, options in enumerate(settings):
            prompt = about["prompts"][number % 3]
            # Ends that come often: the tokens the model likes at the start, but for the very first choice.
            with torch.no_grad():
                likely = model(torch.tensor([prompt])).logits[0, -1].topk(8).indices.tolist()
            ends = likely[3:6] if number % 2 else likely[6:8]
            kept = options.get("num_sequences", 1)
            output = model.generate(
                torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                generation_config=transformers.GenerationConfig(
                    max_new_tokens=12, num_beams=options["num_beams"], num_return_sequences=kept, do_sample=False,
                    early_stopping=False, length_penalty=options.get("length_penalty", 1.0), eos_token_id=ends,
                    no_repeat_ngram_size=options.get("no_repeat_ngram", 0),
                    repetition_penalty=options.get("repetition_penalty", 1.0),
                    min_new_tokens=options.get("min_tokens"), pad_token_id=ends[0], return_dict_in_generate=True,
                    output_scores=True))
            answers = []
            for row in output.sequences.tolist():
                tokens = row[len(prompt):]
                end = next((i for i, token in enumerate(tokens) if token in ends), len(tokens) - 1)
                answers.append(tokens[:end + 1])
            beams.append(dict(case=case, prompt=prompt, answers=answers,
                              options=dict(options, max_tokens=12, ignore_eos=True, stop_tokens=ends)))
    return beams


def main():
    cases, out = map(pathlib.Path, sys.argv[1:])
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    for case in BEAM_CASES:
        digest.update((cases / case / "case.json").read_bytes())
    stamp = out / "stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    out.mkdir(parents=True, exist_ok=True)
    (out / "processors.json").write_text(json.dumps(make_processors()))
    (out / "beams.json").write_text(json.dumps(make_beams(cases)))
    stamp.write_text(digest.hexdigest())


if __name__ == "__main__":
    main()
