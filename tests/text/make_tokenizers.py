"""Writes small tokenizers of every kind, and what the Python package makes of a torture text with them.

    python make_tokenizers.py OUT_DIR

For each tokenizer: OUT_DIR/NAME/tokenizer.json and OUT_DIR/NAME/expected.json with
  vocab_size, pieces [[id, piece]], encode [[text, add_special, ids]],
  decode [[ids, skip_special, text, or null for an error]], truncate [[text, add_special, max_tokens, ids]].
And OUT_DIR/chats (make_chats.py).
"""

import contextlib
import json
import os
import random
import sys

import make_chats
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TORTURE = [
    "The quick brown fox jumps over the lazy dog. Don't panic! It's 3.14159, isn't it?",
    "She said: \"I'm sure we've met; you'll see they're here, do not wait...\"",
    "def f(x):\n    return x ** 2  # two  spaces\n\n\tif x > 10_000: pass\r\n",
    "  leading and trailing   ",
    "Übergröße naïve façade Ærøskøbing Łódź žluťoučký kůň",
    "Быстрая коричневая лиса прыгает через ленивую собаку.",
    "Η γρήγορη καφέ αλεπού πηδάει πάνω από το τεμπέλικο σκυλί.",
    "敏捷的棕色狐狸跳过了懒狗。東京都の素早い茶色の狐。빠른 갈색 여우",
    "الثعلب البني السريع يقفز فوق الكلب الكسول",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है",
    "བཀྲ་ཤིས་བདེ་ལེགས།",
    "emoji: 😀👍🏽👨‍👩‍👧‍👦🇪🇺 ✅️ and math ∑∫√≠ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "combining: e\u0301 a\u0308\u0323 n\u0303 vs é ạ̈ ñ",
    "spaces:\u00a0nbsp\u2003em\u3000ideographic\u200bzero\u2060joiner\ufeffbom",
    "controls: \x00\x01\x1b[0m\x7f end",
    "replacement \ufffd\ufffd here, private \ue000, last \U0010ffff",
    "▁ already ▁▁ meta ▁space and <0xE2><0x82> as text, ## hashes",
    "<s> specials </s> <|endoftext|> [CLS] x [SEP] [UNK] <pad>",
    "a" * 300,
    " " * 130 + "x" + "\n" * 70,
    "0123456789" * 12,
    ".,;:!?'\"()[]{}<>@#$%^&*-_=+\\|/~`" * 2,
    "HTTPServer camelCase snake_case kebab-case IPv6 x86_64 №½²",
    "",
    " ",
    "\n",
]

# Ranges that no Unicode version of the last ten years has changed.
RANGES = [(0x20, 0x7E), (0x20, 0x7E), (0xA1, 0x17F), (0x391, 0x3A1), (0x410, 0x44F), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3),
          (0x1F600, 0x1F64F), (0x300, 0x30F), (0x905, 0x939), (0x627, 0x63A), (0x09, 0x0D), (0x2581, 0x2581)]

GPT4_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
              r"|\s+(?!\S)|\s+")


def random_text(rng):
    return "".join(chr(rng.randint(*rng.choice(RANGES))) for _ in range(rng.randint(0, 40)))


def with_byte_tokens(tokenizer):
    """The same BPE or Unigram tokenizer with <0x00> to <0xFF> as ordinary tokens and byte fallback on."""
    settings = json.loads(tokenizer.to_str())
    model = settings["model"]
    names = [f"<0x{byte:02X}>" for byte in range(256)]
    if isinstance(model["vocab"], dict):
        for name in names:
            model["vocab"][name] = len(model["vocab"])
    else:
        model["vocab"] += [[name, 0.0] for name in names]
    model["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(settings))


def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def train(tokenizer, trainer):
    tokenizer.train_from_iterator(TORTURE * 2, trainer)
    return tokenizer


def bpe_trainer(size=600, alphabet=None, names=("<unk>", "<s>", "</s>"), **options):
    return trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=special(*names),
                               initial_alphabet=alphabet or [], **options)


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(GPT4_SPLIT), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, bpe_trainer(700, pre_tokenizers.ByteLevel.alphabet(), names=("<|endoftext|>",)))
    tokenizer.add_tokens([AddedToken("<tool call>", normalized=False), AddedToken("naïve→", normalized=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def byte_level_gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    train(tokenizer, bpe_trainer(500, pre_tokenizers.ByteLevel.alphabet(), names=("<s>", "</s>")))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return tokenizer


def sentencepiece_bpe():
    """Llama 2: Prepend and Replace normalisers, byte fallback, Fuse, Strip."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    train(tokenizer, bpe_trainer(400, limit_alphabet=120))
    tokenizer = with_byte_tokens(tokenizer)
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def metaspace_bpe():
    """Metaspace as pre-tokenizer and decoder, byte fallback before it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    train(tokenizer, bpe_trainer(400, limit_alphabet=100))
    tokenizer = with_byte_tokens(tokenizer)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    return tokenizer


def unigram():
    """T5: NFKC, Metaspace, unknown tokens."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    train(tokenizer, trainers.UnigramTrainer(vocab_size=420, show_progress=False, unk_token="<unk>",
                                             special_tokens=special("<pad>", "</s>", "<unk>")))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def unigram_bytes():
    """Gemma-like decoder: no Strip after Fuse."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    train(tokenizer, trainers.UnigramTrainer(vocab_size=300, show_progress=False, unk_token="<unk>",
                                             special_tokens=special("<unk>", "<bos>")))
    tokenizer = with_byte_tokens(tokenizer)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    train(tokenizer, trainers.WordPieceTrainer(vocab_size=450, show_progress=False,
                                               special_tokens=special("[PAD]", "[UNK]", "[CLS]", "[SEP]")))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.enable_padding(length=64)  # both must be ignored
    tokenizer.enable_truncation(16)
    return tokenizer


def bpe_suffix():
    """GPT-1 and CLIP: a word end is a suffix."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    return train(tokenizer, bpe_trainer(500, end_of_word_suffix="</w>"))


def no_decoder():
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return train(tokenizer, trainers.WordLevelTrainer(show_progress=False, special_tokens=special("<unk>", "<s>")))


def ctc():
    letters = ["<pad>", "<unk>", "|"] + [chr(c) for c in range(0x61, 0x7B)] + [".", "'", "n't", "é"]
    tokenizer = Tokenizer(models.WordLevel({letter: i for i, letter in enumerate(letters)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.CTC()
    return tokenizer


def strip_both_ends():
    """Strip at the end of a fused text has to hold spaces back."""
    tokenizer = sentencepiece_bpe()
    tokenizer.decoder = decoders.Sequence([
        decoders.ByteFallback(), decoders.Fuse(), decoders.Replace("▁", " "), decoders.Strip(" ", 2, 3)])
    return tokenizer


def whole_text():
    """A pattern over the fused text is known at the end only."""
    tokenizer = sentencepiece_bpe()
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.Fuse(), decoders.Replace(Regex(" +"), " "), decoders.WordPiece()])
    return tokenizer


KINDS = [byte_level, byte_level_gpt2, sentencepiece_bpe, metaspace_bpe, unigram, unigram_bytes, wordpiece, bpe_suffix,
         no_decoder, ctc, strip_both_ends, whole_text]


@contextlib.contextmanager
def no_stderr():
    """The package reports its panics on file descriptor 2."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def decode_or_none(tokenizer, ids, skip_special):
    """None where the package panics, as Strip does on a text that is too short for it."""
    try:
        with no_stderr():
            return tokenizer.decode(ids, skip_special_tokens=skip_special)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


def expected_of(tokenizer, rng):
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    vocab = tokenizer.get_vocab(with_added_tokens=True)
    texts = TORTURE + [random_text(rng) for _ in range(150)]
    encode, decode = [], []
    for text in texts:
        for add_special in (True, False):
            encode.append([text, add_special, tokenizer.encode(text, add_special_tokens=add_special).ids])
    sequences = [ids for _, _, ids in encode]
    sequences += [[rng.randrange(size) for _ in range(rng.randint(1, 30))] for _ in range(150)]
    byte_ids = [i for piece, i in vocab.items() if len(piece) == 6 and piece.startswith("<0x")]
    if byte_ids:  # broken and unfinished characters
        for _ in range(100):
            sequences.append([rng.choice(byte_ids) if rng.random() < 0.7 else rng.randrange(size) for _ in range(12)])
    for ids in sequences:
        for skip_special in (True, False):
            decode.append([ids, skip_special, decode_or_none(tokenizer, ids, skip_special)])
    pieces = sorted([i, piece] for piece, i in vocab.items())
    whole = "\n".join(TORTURE)
    return {"vocab_size": size, "pieces": pieces, "encode": encode, "decode": decode,
            "truncate": truncated(tokenizer, texts), "whole": [whole, tokenizer.encode(whole).ids]}


def truncated(tokenizer, texts):
    cases = []
    for most in (3, 4, 7, 16):
        tokenizer.enable_truncation(most)
        for text in texts[:60]:
            for add_special in (True, False):
                cases.append([text, add_special, most, tokenizer.encode(text, add_special_tokens=add_special).ids])
    tokenizer.no_truncation()
    return cases


def main(out):
    for number, make in enumerate(KINDS):
        directory = os.path.join(out, make.__name__)
        os.makedirs(directory, exist_ok=True)
        tokenizer = make()
        tokenizer.save(os.path.join(directory, "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        with open(os.path.join(directory, "expected.json"), "w", encoding="utf-8") as file:
            json.dump(expected_of(tokenizer, random.Random(number)), file)
    make_chats.main(out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_tokenizers.py OUT_DIR")
    main(sys.argv[1])
