"""A decoder as plain PyTorch and torch.compile allow at best: static cache, fused projections, a compiled step that is
replayed as a CUDA graph, weights in bfloat16 or, weight-only, int8 by row or int4 by groups of 128 (the method of
pytorch-labs' gpt-fast, written anew). A peer to measure against; its numbers are never compared with anybody's.
"""
import torch
import torch.nn.functional as functional

GROUP = 128


class Linear(torch.nn.Module):
    """x @ weight.T from a weight [out, in] in the form that `kind` names."""

    def __init__(self, weight, kind):
        super().__init__()
        self.kind = kind
        if kind == "bfloat16":
            self.register_buffer("weight", weight)
        elif kind == "int8":
            scale = weight.float().abs().amax(1) / 127
            self.register_buffer("weight", (weight / scale[:, None]).round().clamp(-127, 127).to(torch.int8))
            self.register_buffer("scale", scale.to(torch.bfloat16))
        else:
            out, width = weight.shape
            groups = weight.float().reshape(out, width // GROUP, GROUP)
            low, high = groups.amin(2), groups.amax(2)
            scale = ((high - low) / 15).clamp(min=1e-6)
            codes = ((groups - low[..., None]) / scale[..., None]).round().clamp(0, 15).to(torch.int32).reshape(out, width)
            packed = (codes[:, ::2] << 4 | codes[:, 1::2]).to(torch.uint8)
            self.register_buffer("weight", torch.ops.aten._convert_weight_to_int4pack(packed, 8))
            zero = low + scale * 8  # the kernel computes (code - 8) * scale + zero
            self.register_buffer("scale", torch.stack([scale, zero], 2).transpose(0, 1).contiguous().to(torch.bfloat16))

    def forward(self, x):
        if self.kind == "bfloat16":
            return functional.linear(x, self.weight)
        if self.kind == "int8":
            # In float32, which is fused all the same: the compiler knows a kernel for int8 weights whose scale follows at
            # once, and that one is slow for a single row.
            return (functional.linear(x, self.weight.to(x.dtype)).float() * self.scale.float()).to(x.dtype)
        flat = torch.ops.aten._weight_int4pack_mm(x.reshape(-1, x.shape[-1]), self.weight, GROUP, self.scale)
        return flat.reshape(*x.shape[:-1], -1)


class Layer(torch.nn.Module):
    def __init__(self, layer, config, context, kind):
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.head_dim, self.epsilon = getattr(config, "head_dim", None) or config.hidden_size // self.heads, config.rms_norm_eps
        parts = [attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight]
        self.qkv = Linear(torch.cat([part.data for part in parts]), kind)
        self.output = Linear(attention.o_proj.weight.data, kind)
        self.up = Linear(torch.cat([mlp.gate_proj.weight.data, mlp.up_proj.weight.data]), kind)
        self.down = Linear(mlp.down_proj.weight.data, kind)
        for name, source in (("input_norm", layer.input_layernorm), ("post_norm", layer.post_attention_layernorm),
                             ("query_norm", getattr(attention, "q_norm", None)), ("key_norm", getattr(attention, "k_norm", None))):
            self.register_buffer(name, None if source is None else source.weight.data)
        shape = (1, self.kv_heads, context, self.head_dim)
        self.register_buffer("keys", torch.zeros(shape, dtype=torch.bfloat16, device=parts[0].device))
        self.register_buffer("values", torch.zeros(shape, dtype=torch.bfloat16, device=parts[0].device))

    def norm(self, x, weight):
        return functional.rms_norm(x, (x.shape[-1],), weight, self.epsilon)

    def forward(self, x, positions, cosine, sine, mask):
        tokens = x.shape[1]
        q, k, v = self.qkv(self.norm(x, self.input_norm)).split(
            [self.heads * self.head_dim, self.kv_heads * self.head_dim, self.kv_heads * self.head_dim], -1)
        q = q.view(1, tokens, self.heads, self.head_dim)
        k = k.view(1, tokens, self.kv_heads, self.head_dim)
        if self.query_norm is not None:
            q, k = self.norm(q, self.query_norm), self.norm(k, self.key_norm)
        q, k = rotate(q, cosine, sine).transpose(1, 2), rotate(k, cosine, sine).transpose(1, 2)
        self.keys.index_copy_(2, positions, k)
        self.values.index_copy_(2, positions, v.view(1, tokens, self.kv_heads, self.head_dim).transpose(1, 2))
        y = functional.scaled_dot_product_attention(q, self.keys, self.values, attn_mask=mask, enable_gqa=True)
        x = x + self.output(y.transpose(1, 2).reshape(1, tokens, -1))
        gate, up = self.up(self.norm(x, self.post_norm)).chunk(2, -1)
        return x + self.down(functional.silu(gate) * up)


def rotate(x, cosine, sine):
    first, second = x.chunk(2, -1)
    cosine, sine = cosine[None, :, None, :], sine[None, :, None, :]
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)


class FastDecoder(torch.nn.Module):
    """From a Llama or Qwen3 model of Transformers, whose weights it copies in its own form."""

    def __init__(self, model, context, kind):
        super().__init__()
        config = model.config
        self.embedding = model.model.embed_tokens
        self.layers = torch.nn.ModuleList(Layer(layer, config, context, kind) for layer in model.model.layers)
        self.register_buffer("final_norm", model.model.norm.weight.data)
        self.head = Linear(model.lm_head.weight.data, "bfloat16")
        device = self.final_norm.device
        at = torch.arange(context, device=device)
        frequency = 10000.0 ** (-torch.arange(0, self.layers[0].head_dim, 2, device=device) / self.layers[0].head_dim)
        phase = torch.outer(at.float(), frequency)
        self.register_buffer("cosine", phase.cos().to(torch.bfloat16))
        self.register_buffer("sine", phase.sin().to(torch.bfloat16))
        self.register_buffer("mask", at[None, :] <= at[:, None])

    def begin(self, tokens, positions):
        return self.embedding(tokens), self.cosine[positions], self.sine[positions], self.mask[positions][None, None]

    def end(self, x):
        return self.head(self.layers[-1].norm(x[:, -1:], self.final_norm)).argmax(-1)

    def forward(self, tokens, positions):
        """tokens [1, T], positions [T]: the next token [1, 1]."""
        return run(self.begin, self.layers, self.end, tokens, positions)

    def replay(self, tune):
        """A step [1, 1] -> [1, 1] of compiled parts that is captured once. One layer is compiled for all of them, in seconds
        where the whole step takes minutes; no kernel of the whole step would reach from one layer into the next."""
        compiled = [torch.compile(part, fullgraph=True, options={"coordinate_descent_tuning": tune})
                    for part in (self.begin, *self.layers, self.end)]
        step = lambda token, position: run(compiled[0], compiled[1:-1], compiled[-1], token, position)
        return Replay(step, self.final_norm.device) if self.final_norm.is_cuda else step


def run(begin, layers, end, tokens, positions):
    x, cosine, sine, mask = begin(tokens, positions)
    for layer in layers:
        x = layer(x, positions, cosine, sine, mask)
    return end(x)


class Replay:
    """A CUDA graph of a step."""

    def __init__(self, step, device):
        self.token = torch.zeros((1, 1), dtype=torch.int64, device=device)
        self.position = torch.zeros(1, dtype=torch.int64, device=device)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # compiles, tunes, and brings in what a capture must not
            for _ in range(3):
                step(self.token, self.position)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.next = step(self.token, self.position)

    def __call__(self, token, position):
        """The next token, valid until the next call."""
        self.token.copy_(token)
        self.position.copy_(position)
        self.graph.replay()
        return self.next
