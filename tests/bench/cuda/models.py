"""Models of real geometry with random weights, written once and shared by everything that is measured on them."""
import argparse
import pathlib

CONTEXT = 32768  # max_position_embeddings: more than any measurement needs
GEOMETRIES = {
    "llama-3.2-1b": ("Llama", dict(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
                                   num_key_value_heads=8, head_dim=64, vocab_size=128256, tie_word_embeddings=True)),
    "llama-3.1-8b": ("Llama", dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
                                   num_key_value_heads=8, head_dim=128, vocab_size=128256, tie_word_embeddings=False)),
    "qwen3-8b": ("Qwen3", dict(hidden_size=4096, intermediate_size=12288, num_hidden_layers=36, num_attention_heads=32,
                               num_key_value_heads=8, head_dim=128, vocab_size=151936, tie_word_embeddings=False)),
    "tiny": ("Qwen3", dict(hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
                           num_key_value_heads=2, head_dim=64, vocab_size=1024, tie_word_embeddings=False)),
}


def geometry(name):
    """The family and the shape, or with /2, /4 or /8 one rank's share of it. For argparse: fails as that wants it."""
    whole, _, ranks = name.partition("/")
    if whole not in GEOMETRIES or ranks not in ("", "2", "4", "8"):
        raise argparse.ArgumentTypeError(f"{name}: expected one of {', '.join(GEOMETRIES)}, also with /2, /4 or /8")
    family, shape = GEOMETRIES[whole]
    if ranks:
        split = ("intermediate_size", "num_attention_heads", "num_key_value_heads", "vocab_size")
        shape = {key: value // int(ranks) if key in split else value for key, value in shape.items()}
        if 0 in (shape[key] for key in split):
            raise argparse.ArgumentTypeError(f"{name}: fewer than one of its heads to a rank")
    return family, shape


def geometry_name(name):
    """For argparse: the name of a geometry that there is."""
    geometry(name)
    return name


def cache_bytes(name, tokens):
    """Bytes of 16-bit keys and values of so many tokens."""
    shape = geometry(name)[1]
    return tokens * shape["num_hidden_layers"] * 2 * shape["num_key_value_heads"] * shape["head_dim"] * 2


def looked_up_bytes(name):
    """Bytes of a table of embeddings that serves as nothing else: a token reads one row of it, which counts as none."""
    shape = geometry(name)[1]
    return 0 if shape["tie_word_embeddings"] else shape["vocab_size"] * shape["hidden_size"] * 2


def random_ids(name, count, words):
    """A prompt, from a random.Random."""
    return [words.randrange(geometry(name)[1]["vocab_size"]) for _ in range(count)]


def make_model(name, device):
    """Random weights, made on the device, the same each time: zeros would make some kernels faster than they are. Built in
    bfloat16 rather than converted to it: angles stay float32, as in a model that was loaded."""
    import torch
    import transformers

    family, shape = geometry(name)
    config = getattr(transformers, f"{family}Config")(**shape, max_position_embeddings=CONTEXT)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = getattr(transformers, f"{family}ForCausalLM")(config).eval()
    finally:
        torch.set_default_dtype(before)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.02)
    return model


def saved_model(name, folder, device, model=None):
    """The directory in `folder` that holds the model; it is made, or `model` saved, where it is not there yet."""
    directory = pathlib.Path(folder) / name.replace("/", "-of-")
    whole = directory / "complete"  # an earlier attempt may have ended half-way
    if not whole.exists():
        (model or make_model(name, device)).save_pretrained(directory)
        whole.touch()
    return directory
