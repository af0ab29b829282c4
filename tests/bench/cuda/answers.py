"""Whether an engine's tokens are its model's: speed at wrong answers is worth nothing.

Eager Transformers reads prompt and answer in one pass. At each token its regret is told: how far the eager model's logit of
that token lies below the largest, in standard deviations of that row. Random weights have logits like random numbers: a
token chosen at random has a regret of 4.4 (of 128256) in the mean. Two engines that round differently choose another token
only where two logits nearly tie, and the regret of that is small, whatever comes afterwards.
"""
import torch

# At most the mean regret of an answer and that of each token, at least the cosine of each row of logits, by the type of the
# weights. 32 random layers (512 wide, on the CPU) show 0.0004, 0.02, 0.9998 in bfloat16, 0, 0, 0.9994 in int8 and 0.99, 1.3,
# 0.90 in int4, whose groups are rounded to nearest; chance gives 4.5, 6.1, 0.
BOUNDS = {"bfloat16": (0.05, 0.5, 0.99), "float16": (0.05, 0.5, 0.99), "int8": (0.1, 0.8, 0.98), "int4": (2.0, 3.5, 0.75)}


class WrongAnswer(Exception):
    pass


class Reference:
    """The eager model of the same weights."""

    def __init__(self, model):
        self.model = model

    def logits(self, ids, rows):
        """float32 [rows, vocabulary] of the last `rows` of ids [1, T]."""
        with torch.inference_mode():
            return self.model(ids, use_cache=False, logits_to_keep=rows).logits[0].float()

    def regrets(self, ids, tokens):
        """[len(tokens)] of the tokens that were said to follow ids [1, T]."""
        if min(tokens) < 0 or max(tokens) >= self.model.config.vocab_size:
            raise WrongAnswer(f"a token that the model does not have, {min(tokens)} or {max(tokens)}")
        chosen = torch.tensor(tokens, device=ids.device)
        logits = self.logits(torch.cat([ids, chosen[None, :-1]], 1), len(tokens))
        return (logits.amax(1) - logits.gather(1, chosen[:, None])[:, 0]) / logits.std(1)

    def check_tokens(self, kind, ids, tokens):
        """{"mean_regret", "most_regret", "equal"}: equal is the share of tokens that the eager model would choose itself."""
        regrets = self.regrets(ids, tokens)
        mean, most = regrets.mean().item(), regrets.max().item()
        if not (mean <= BOUNDS[kind][0] and most <= BOUNDS[kind][1]):  # so that NaN is wrong
            raise WrongAnswer(f"tokens are not the model's: a regret of {mean:.2f} in the mean and {most:.2f} at most, "
                              f"allowed {BOUNDS[kind][0]} and {BOUNDS[kind][1]}")
        return {"mean_regret": round(mean, 4), "most_regret": round(most, 4), "equal": (regrets == 0).float().mean().item()}

    def check_logits(self, kind, ids, told):
        """The least cosine of rows [T, vocabulary] with those of ids [1, T]."""
        cosine = torch.nn.functional.cosine_similarity(told.to(ids.device), self.logits(ids, ids.shape[1]), 1).min().item()
        if not cosine >= BOUNDS[kind][2]:
            raise WrongAnswer(f"logits are not the model's: a cosine of {cosine:.3f}, allowed {BOUNDS[kind][2]}")
        return round(cosine, 5)
