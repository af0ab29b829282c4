"""Every other file of this folder describes one model family as data; `load` finds them by folder.

A family file defines
  MODEL_TYPE   the `model_type` of Transformers
  BASE         config keywords shared by its cases (tiny shapes)
  ATTENTION    where Transformers' eager attention is not what it gives its users: "sdpa"; "eager" by default
  CASES        a list of cases, each a dict:
    name       unique, starts with the file's name
    config     keywords over BASE
    contrast   {label: keywords}: the same weights under this other config must give other logits, so a reader of
               config.json that ignores the keyword cannot pass the case
    dtype      of the checkpoint: "float32" (default), "bfloat16", "float16"
    spelling   of the rope keys in config.json: "v5" (default), "old" (rope_scaling/rope_type), "older" (.../type)
    drop       config.json keys left out, because they equal the class default
    place      config.json keys set afterwards, top level
    shard      max_shard_size of save_pretrained
    layout     "transformers" (default), "wrapped" (text_config and model.language_model.), "bare" (no base prefix)
    extra      {tensor name: shape}: tensors that a loader must skip
    head_copy  also write the tied head under its own name
    copies     {tensor name: another's name}: also write that tensor under this name
    generation generation_config.json, with a list of eos ids that the stop rule adds to
    eos_in_config  no generation_config.json; config.json gets the list of eos ids
    lengths    prompt lengths instead of LENGTHS
    architecture  an encoder's class, instead of the causal language model; then also
      types    token types are drawn beside the tokens
      padded   padding tokens stand inside of the prompts
      ends     tokens that the prompts end with, the first ones where a prompt is shorter
    rename     [(pattern, replacement)]: names of tensors in the checkpoint
    query_std  standard deviation of query and key projections (sharper attention shows positions better)
  UNSEEN       optional: endings of the names of parameters that no logits show (the bias of keys without rotation adds
               the same to every score of a query)
  IMAGES       of models that take images: how many are drawn, in place of prompts
  POOLED       of encoders: the class's pooler_output is what an embedding is by default
  convert(config, tensors, case)  optional: config.json and tensors as Transformers' class has them -> the same in the
               layout of the family, for families without a class of that name; `drop` and `place` count afterwards
  FILES        names of the two files that `convert` makes; default ("config.json", "model.safetensors")
  random_layout(rng)  optional: more keys of a case for `convert`, in compare_cli.py
  random_config(rng)  of decoders: keywords over BASE with shapes drawn from random.Random `rng`
"""

import importlib.util
import pathlib

FOLDER = pathlib.Path(__file__).parent


def attention_of(family):
    return getattr(family, "ATTENTION", "eager")


def load():
    """{file stem: module}, sorted by name."""
    families = {}
    for path in sorted(FOLDER.glob("*.py")):
        if path.stem.startswith("_"):
            continue
        spec = importlib.util.spec_from_file_location(f"oracle_family_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        families[path.stem] = module
    return families
