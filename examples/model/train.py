"""Trains the small example chat model on the dialogues of tasks.py, on two CPU threads, and measures it.

    python train.py            trains (about 50 minutes on two cores), saves beside this file, then checks
    python train.py --check    only checks the saved model on questions.jsonl and writes accuracy.json

Needs torch (2.9 or newer), transformers and tokenizers; downloads nothing. The same versions on the
same kind of CPU give the same files.
"""
import argparse
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Two threads that each work on a half of a step meet once a step; threads that share each product meet at every one.
os.environ["OMP_NUM_THREADS"] = "1"

import tokenizers
import torch
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import (AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM,
                          PreTrainedTokenizerFast)
from transformers.utils import logging

import tasks

SEED = 20
WORKERS = 2
# Steps of each round and its share of the rates. The second starts from the first one's weights, as they are saved: what
# was learnt late is practised.
ROUNDS = ((9000, 1.0), (3000, 0.4))
VOCAB_SIZE = 896
POSITIONS = 256
SPECIALS = ["<|end|>", "<|begin|>", "<|user|>", "<|assistant|>", "<|system|>"]
END, BEGIN, USER, ASSISTANT, SYSTEM = range(5)
NOT_COUNTED = -1
CHAT_TEMPLATE = ("{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
                 "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")
# Of four steps, three have rows of separate dialogues, as most are asked, and one has long conversations.
# The rows and their length are those of one worker.
DIALOGUE_ROWS = (16, 64)
CONVERSATION_ROWS = (4, POSITIONS)
# Rates rise over WARMUP steps, stay, and fall to zero over the last DECAY steps.
MUON_RATE, ADAMW_RATE = 0.02, 3e-3
WARMUP, DECAY = 100, 3500
# A letter in a quoted word that no JSON punctuation follows: such words are spelled, to be reversed and counted.
QUOTED_LETTER = r'[a-z](?=[a-z]*"(?![:,}]))'


def train_tokenizer(texts):
    """Byte-level BPE; digits, and letters of quoted words, are tokens of their own, as the tasks work on them."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(tokenizers.Regex(QUOTED_LETTER), "isolated"),
         pre_tokenizers.Digits(individual_digits=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE, special_tokens=SPECIALS, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    assert tokenizer.get_vocab_size() <= VOCAB_SIZE
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|begin|>", eos_token="<|end|>",
                                   pad_token="<|end|>", additional_special_tokens=SPECIALS[USER:],
                                   chat_template=CHAT_TEMPLATE, model_max_length=POSITIONS,
                                   clean_up_tokenization_spaces=False)


def tokenizer_texts(generator):
    """Dialogues in which no Roman numeral stands, so that no merge joins two of its letters."""
    kinds = [task for task in (*tasks.TASKS, tasks.talk) if "roman" not in task.__name__]
    texts = [text for task in kinds for _ in range(3000) for text in tasks.draw(task, generator)]
    texts += [form.format(n="", r="") for form in (tasks.TO_ROMAN + "|" + tasks.FROM_ROMAN).split("|")] * 100
    return texts + tasks.SYSTEM_MESSAGES * 100


def build_model():
    config = LlamaConfig(
        vocab_size=VOCAB_SIZE, hidden_size=192, intermediate_size=512, num_hidden_layers=5, num_attention_heads=6,
        num_key_value_heads=3, head_dim=32, max_position_embeddings=POSITIONS, tie_word_embeddings=True,
        rms_norm_eps=1e-5, bos_token_id=BEGIN, eos_token_id=END, pad_token_id=END)
    return LlamaForCausalLM(config)


class Dialogues:
    """Endless training dialogues as (ids, kinds): the number of the task at the answer and its end, which alone count
    in the loss, and NOT_COUNTED elsewhere.
    """

    def __init__(self, tokenizer, generator):
        self.encode = tokenizer.backend_tokenizer.encode_batch
        self.generator = generator
        self.kinds = [*tasks.TASKS, tasks.talk]
        self.shares = [*tasks.TASKS.values(), tasks.TALK_SHARE]
        self.ready = []
        self.losses = torch.ones(len(self.kinds))
        self.systems = [[SYSTEM] + row.ids + [END] for row in self.encode(tasks.SYSTEM_MESSAGES)]

    def __next__(self):
        if not self.ready:
            # A task that is not learnt yet is drawn more often, one that is learnt less.
            hard = (self.losses / self.losses.sum()).tolist()
            shares = [0.5 * share + 0.5 * other for share, other in zip(self.shares, hard)]
            kinds = self.generator.choices(range(len(self.kinds)), shares, k=500)
            drawn = [tasks.draw(self.kinds[kind], self.generator) for kind in kinds]
            questions, answers = (self.encode(list(side)) for side in zip(*drawn))
            for question, answer, kind in zip(questions, answers, kinds):
                prompt = [USER] + question.ids + [END, ASSISTANT]
                answer = answer.ids + [END]
                self.ready.append((prompt + answer, [NOT_COUNTED] * len(prompt) + [kind] * len(answer)))
        return self.ready.pop()

    def opening(self, share):
        """Sometimes a system message."""
        system = self.generator.choice(self.systems) if self.generator.random() < share else []
        return list(system), [NOT_COUNTED] * len(system)

    def observe(self, losses, kinds):
        """Keeps a running mean of each task's loss."""
        for kind in range(len(self.kinds)):
            if (kinds == kind).any():
                self.losses[kind] += 0.03 * (losses[kinds == kind].mean() - self.losses[kind])

    def separate(self):
        """(ids, kinds, positions, mask): rows that each hold a few dialogues that do not see each other."""
        rows, length = DIALOGUE_ROWS
        filled = [[[], [], [], []] for _ in range(rows)]
        misses = 0
        while misses < 12:
            ids, kinds = self.opening(0.05)
            dialogue = next(self)
            ids, kinds = ids + dialogue[0], kinds + dialogue[1]
            row = min((row for row in filled if len(row[0]) + len(ids) <= length + 1),
                      key=lambda row: -len(row[0]), default=None)
            if row is None:
                misses += 1
                continue
            row[0] += ids
            row[1] += kinds
            row[2] += range(len(ids))
            row[3] += [row[3][-1] + 1 if row[3] else 0] * len(ids)
        for row in filled:
            missing = length + 1 - len(row[0])
            row[0] += [END] * missing
            row[1] += [NOT_COUNTED] * missing
            row[2] += range(missing)
            row[3] += [-1] * missing
        ids, kinds, positions, parts = (torch.tensor([row[k] for row in filled]) for k in range(4))
        parts = parts[:, :-1]
        mask = (parts[:, :, None] == parts[:, None, :]) & torch.ones(length, length, dtype=torch.bool).tril()
        return ids, kinds, positions[:, :-1], mask[:, None]

    def conversations(self):
        """The same, of rows that each hold one long conversation, the last turn cut."""
        rows, length = CONVERSATION_ROWS
        built = []
        for _ in range(rows):
            ids, kinds = self.opening(0.5)
            while len(ids) < length + 1:
                dialogue = next(self)
                ids, kinds = ids + dialogue[0], kinds + dialogue[1]
            built.append((ids[:length + 1], kinds[:length + 1]))
        ids, kinds = (torch.tensor([row[k] for row in built]) for k in range(2))
        return ids, kinds, None, None


def replica(model):
    """A model with gradients of its own on the same weights."""
    copy = build_model()
    for mine, shared in zip(copy.parameters(), model.parameters()):
        mine.data = shared.data
    return copy


def backward(model, rows, counted):
    """The rows' part of the loss, a mean over counted tokens; adds its gradients.

    Returns it, and each token's loss and kind.
    """
    ids, kinds, positions, mask = rows
    logits = model(input_ids=ids[:, :-1], position_ids=positions, attention_mask=mask, use_cache=False).logits
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    loss = losses[kinds[:, 1:].flatten() != NOT_COUNTED].sum() / counted
    loss.backward()
    return loss.item(), losses.detach(), kinds[:, 1:].flatten()


def train(folder, number, stop_after):
    """One round; all but the first start from the weights in the folder."""
    steps, share = ROUNDS[number]
    torch.manual_seed(SEED + number)
    generator = random.Random(SEED + number)
    if number == 0:
        tokenizer = train_tokenizer(tokenizer_texts(generator))
        model = build_model()
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
    dialogues = Dialogues(tokenizer, generator)
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    # Muon for the layers' matrices, half of them on each worker's thread, and AdamW for the embedding and the norms.
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() == 1 or "embed" in name]
    optimizers = [torch.optim.Muon(matrices[k::WORKERS], lr=MUON_RATE, weight_decay=0.02, momentum=0.95)
                  for k in range(WORKERS)]
    optimizers.append(torch.optim.AdamW(others, lr=ADAMW_RATE, betas=(0.9, 0.98), weight_decay=0.0))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    workers = [model] + [replica(model) for _ in range(WORKERS - 1)]
    pool = ThreadPoolExecutor(WORKERS)
    start, running = time.time(), []
    for step in range(min(steps, stop_after or steps)):
        rate = share * min(1.0, (step + 1) / WARMUP, (steps - step) / min(DECAY, steps - WARMUP))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        halves = [dialogues.conversations() if step % 4 == 3 else dialogues.separate() for _ in workers]
        counted = sum((kinds[:, 1:] != NOT_COUNTED).sum() for _, kinds, _, _ in halves)
        results = list(pool.map(lambda worker, half: backward(worker, half, counted), workers, halves))
        dialogues.observe(*(torch.cat([result[k] for result in results]) for k in (1, 2)))
        for kept, *others in zip(*(worker.parameters() for worker in workers)):
            for other in others:
                kept.grad += other.grad
                other.grad = None
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        list(pool.map(lambda optimizer: optimizer.step(), optimizers))
        model.zero_grad()
        running.append(sum(loss for loss, _, _ in results))
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}/{steps}  loss {sum(running) / len(running):.4f}  {time.time() - start:.0f} s",
                  flush=True)
            print("   ", " ".join(f"{kind.__name__} {loss:.3f}"
                                  for kind, loss in zip(dialogues.kinds, dialogues.losses)), flush=True)
            running = []
        if (step + 1) % 1000 == 0 and step + 1 < steps:
            model.eval()
            save(model, tokenizer, folder)
            print(glance(model, tokenizer), flush=True)
            model.train()
    save(model, tokenizer, folder)


def save(model, tokenizer, folder):
    """Saves a bfloat16 copy and the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = LlamaForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    copy = copy.to(torch.bfloat16)
    copy.generation_config = GenerationConfig(bos_token_id=BEGIN, eos_token_id=END, pad_token_id=END,
                                              do_sample=False, max_new_tokens=64)
    copy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    # The template inside tokenizer_config.json, and only what every version of transformers knows; tokenizer.json says
    # which tokens are special.
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    settings.pop("extra_special_tokens", None)
    settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": CHAT_TEMPLATE}
    path.write_text(json.dumps(settings, indent=2) + "\n")


@torch.no_grad()
def count_correct(model, tokenizer, rows):
    """How many of the rows of questions.jsonl the greedy answer equals exactly."""
    by_length = {}
    for row in rows:
        text = tokenizer.apply_chat_template([{"role": "user", "content": row["question"]}], tokenize=False,
                                             add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False).input_ids
        by_length.setdefault(len(ids), []).append((ids, row["answer"]))
    correct = 0
    for length, group in sorted(by_length.items()):
        prompts = torch.tensor([ids for ids, _ in group])
        output = model.generate(prompts, attention_mask=torch.ones_like(prompts), do_sample=False, max_new_tokens=40,
                                eos_token_id=END, pad_token_id=END)
        answers = tokenizer.batch_decode(output[:, length:], skip_special_tokens=True)
        correct += sum(found.strip() == answer for found, (_, answer) in zip(answers, group))
    return correct


def glance(model, tokenizer, per_task=24):
    """{task: fraction} of questions as held out as those of the check, but others."""
    found = {}
    for task in tasks.TASKS:
        generator = random.Random(f"glance {task.__name__}")
        drawn = [tasks.draw(task, generator, held_out=True) for _ in range(per_task)]
        rows = [{"question": question, "answer": answer} for question, answer in drawn]
        found[task.__name__] = count_correct(model, tokenizer, rows) / per_task
    return found


def check(folder):
    """Writes accuracy.json; weights are the saved bfloat16 ones, computed in float32 and in bfloat16."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [json.loads(line) for line in (Path(__file__).parent / "questions.jsonl").read_text().splitlines()]
    report = {"measure": "greedy answers that equal the right one exactly, on the held-out questions.jsonl",
              "tasks": {}}
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    loaded = {name: AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval() for name, dtype in dtypes.items()}
    totals = dict.fromkeys(dtypes, 0)
    for task in dict.fromkeys(row["task"] for row in rows):
        asked = [row for row in rows if row["task"] == task]
        line = {"questions": len(asked)}
        for name, model in loaded.items():
            correct = count_correct(model, tokenizer, asked)
            totals[name] += correct
            line[name] = round(correct / len(asked), 4)
        report["tasks"][task] = line
        print(task, line, flush=True)
    report["all"] = {"questions": len(rows), **{name: round(n / len(rows), 4) for name, n in totals.items()}}
    print("all", report["all"])
    (folder / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only check the saved model")
    parser.add_argument("--round", type=int, choices=range(len(ROUNDS)), help="train this round alone")
    parser.add_argument("--stop-after", type=int, help="stop after so many of the steps, to try the script")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where the model is saved")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    if not arguments.check:
        for number in range(len(ROUNDS)) if arguments.round is None else [arguments.round]:
            train(arguments.folder, number, arguments.stop_after)
    check(arguments.folder)


if __name__ == "__main__":
    main()
