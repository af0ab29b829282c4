"""Trains the small example model on the text of tasks.py, on one CPU thread, and measures it on held-out prompts.

    python train.py            trains (about five minutes on an idle core), saves beside this file, then checks
    python train.py --check    only checks the saved model and writes accuracy.json

Needs torch, transformers and tokenizers; downloads nothing. The same versions on the same kind of CPU give the same
files.
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import tokenizers
import torch
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import (AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM,
                          PreTrainedTokenizerFast)
from transformers.utils import logging

import tasks

SEED = 20
VOCAB_SIZE = 512
END_OF_TEXT = "<|endoftext|>"
END_ID = 0
# Short rows start many documents at position 0, as a prompt does; long rows teach the positions of a longer context.
ROW_SHAPES = ((32, 64), (8, 256))
PEAK_LEARNING_RATE = 3e-3
# A prompt's operands and names are random, so its tokens count less in the loss than a continuation's.
PROMPT_WEIGHT = 0.1
CHECKED_PER_TASK = 200


def train_tokenizer(documents):
    """Byte-level BPE, each digit a token of its own, so that additions are worked digit by digit."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(documents, trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE, special_tokens=[END_OF_TEXT], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    assert tokenizer.get_vocab_size() == VOCAB_SIZE and tokenizer.token_to_id(END_OF_TEXT) == END_ID
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT,
                                   pad_token=END_OF_TEXT, model_max_length=256, clean_up_tokenization_spaces=False)


def build_model():
    config = LlamaConfig(
        vocab_size=VOCAB_SIZE, hidden_size=128, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, head_dim=32, max_position_embeddings=256, tie_word_embeddings=True, rms_norm_eps=1e-5,
        bos_token_id=END_ID, eos_token_id=END_ID, pad_token_id=END_ID)
    return LlamaForCausalLM(config)


def encode_documents(tokenizer, items):
    """[(ids, weights)]: prompt, continuation and end token of each item, with each token's weight in the loss."""
    encoded = []
    prompts = tokenizer([prompt for prompt, _ in items]).input_ids
    whole = tokenizer([prompt + continuation for prompt, continuation in items]).input_ids
    for prompt, ids in zip(prompts, whole):
        assert ids[:len(prompt)] == prompt, "the prompt's tokens must not depend on what follows"
        encoded.append((ids + [END_ID], [PROMPT_WEIGHT] * len(prompt) + [1.0] * (len(ids) + 1 - len(prompt))))
    return encoded


def batches(documents, generator):
    """Endless (ids, weights) of the shapes in turn; a row is documents of random tasks joined, the last one cut."""
    names, shares = list(documents), [tasks.TASKS[name][1] for name in documents]
    while True:
        for rows, length in ROW_SHAPES:
            ids, weights = [], []
            for _ in range(rows):
                row, row_weights = [], []
                while len(row) < length + 1:
                    document = generator.choice(documents[generator.choices(names, shares)[0]])
                    row += document[0]
                    row_weights += document[1]
                ids.append(row[:length + 1])
                weights.append(row_weights[:length + 1])
            yield torch.tensor(ids), torch.tensor(weights)


def train(folder, steps):
    torch.manual_seed(SEED)
    generator = random.Random(SEED)
    split = tasks.split()
    sample = [p + c for items, _ in split.values() for p, c in generator.sample(items, min(1000, len(items)))]
    tokenizer = train_tokenizer(sample)
    documents = {name: encode_documents(tokenizer, items) for name, (items, _) in split.items()}
    model = build_model()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    kept = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": kept, "weight_decay": 0.0}],
                                  lr=PEAK_LEARNING_RATE, betas=(0.9, 0.98), fused=True)
    start, running = time.time(), 0.0
    for step, (ids, weights) in zip(range(steps), batches(documents, generator)):
        decay = 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = PEAK_LEARNING_RATE * min(1.0, (step + 1) / 100) * decay
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits.flatten(0, 1)
        losses = torch.nn.functional.cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
        target_weights = weights[:, 1:].flatten()
        loss = (losses * target_weights).sum() / target_weights.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        running += loss.item()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}/{steps}  loss {running / 100:.4f}  {time.time() - start:.0f} s", flush=True)
            running = 0.0
    model = model.to(torch.bfloat16)
    model.generation_config = GenerationConfig(bos_token_id=END_ID, eos_token_id=END_ID, pad_token_id=END_ID,
                                               do_sample=False, max_new_tokens=96)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    # The name that every version of transformers knows; version 5 writes one that version 4 does not.
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    path.write_text(json.dumps(settings, indent=2) + "\n")


@torch.no_grad()
def count_correct(model, tokenizer, items):
    """How many prompts the greedy choice continues exactly as the item says, up to and with the end token."""
    by_length = {}
    for (ids, weights) in encode_documents(tokenizer, items):
        prompt_length = weights.index(1.0)
        by_length.setdefault(prompt_length, []).append(ids)
    correct = 0
    for prompt_length, group in sorted(by_length.items()):
        prompts = torch.tensor([ids[:prompt_length] for ids in group])
        longest = max(map(len, group)) - prompt_length
        output = model.generate(prompts, attention_mask=torch.ones_like(prompts), do_sample=False,
                                max_new_tokens=longest)
        correct += sum(row[:len(ids)] == ids for row, ids in zip(output.tolist(), group))
    return correct


def check(folder):
    """Writes accuracy.json; weights are the saved bfloat16 ones, computed in float32 and in bfloat16."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    report = {"measure": "exact greedy continuation with its end token, on prompts not trained on", "tasks": {}}
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    loaded = {name: AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval() for name, dtype in dtypes.items()}
    totals = dict.fromkeys(dtypes, 0)
    prompts = 0
    for task, (_, held_out) in tasks.split().items():
        items = random.Random(SEED).sample(held_out, min(CHECKED_PER_TASK, len(held_out)))
        prompts += len(items)
        row = {"prompts": len(items)}
        for name, model in loaded.items():
            correct = count_correct(model, tokenizer, items)
            totals[name] += correct
            row[name] = round(correct / len(items), 4)
        report["tasks"][task] = row
        print(task, row, flush=True)
    report["all"] = {"prompts": prompts, **{name: round(total / prompts, 4) for name, total in totals.items()}}
    print("all", report["all"])
    (folder / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only check the saved model")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where the model is saved")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    if not arguments.check:
        train(arguments.folder, arguments.steps)
    check(arguments.folder)


if __name__ == "__main__":
    main()
