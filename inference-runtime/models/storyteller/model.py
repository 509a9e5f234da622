"""The storyteller network in PyTorch: a decoder-only transformer that is easy to write down in ONNX.

Every choice below has an ONNX counterpart in `export.py`: RMS normalisation without gains, rotary positions, grouped-query
attention with normalised queries and keys, a squared-ReLU feed-forward layer and one matrix for both embedding and output head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class Shape:
    """The network's dimensions; `context` counts tokens."""

    vocab: int = 4096
    context: int = 512
    layers: int = 6
    width: int = 256
    heads: int = 4
    kv_heads: int = 1
    head_dim: int = 64
    hidden: int = 1024
    rope_base: float = 10_000.0


def normalise(x: Tensor) -> Tensor:
    """RMS normalisation over the last dimension, without a gain."""
    return F.rms_norm(x, (x.shape[-1],), eps=NORM_EPSILON)


def rotary_table(shape: Shape) -> tuple[Tensor, Tensor]:
    """Returns cosines and sines of shape [context, head_dim / 2] (RoFormer, Su et al. 2021)."""
    half = shape.head_dim // 2
    frequency = shape.rope_base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.outer(torch.arange(shape.context, dtype=torch.float64), frequency)
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates the two halves of the last dimension; x is [batch, heads, time, head_dim]."""
    left, right = x.chunk(2, dim=-1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1)


class Block(nn.Module):
    """Attention and feed-forward, each added to the residual stream after a normalisation in front."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self.qkv = nn.Linear(shape.width, queries + 2 * keys, bias=False)
        self.attention_out = nn.Linear(queries, shape.width, bias=False)
        self.up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, shape.width, bias=False)
        self.qk_gain = nn.Parameter(torch.ones(shape.head_dim))
        for linear in (self.qkv, self.up):
            nn.init.normal_(linear.weight, std=shape.width**-0.5)
        for linear in (self.attention_out, self.down):
            nn.init.zeros_(linear.weight)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Maps the residual stream [batch, time, width] to itself."""
        shape = self.shape
        batch, time, _ = x.shape
        mixed = self.qkv(normalise(x)).view(batch, time, shape.heads + 2 * shape.kv_heads, shape.head_dim).transpose(1, 2)
        qk, value = mixed.split((shape.heads + shape.kv_heads, shape.kv_heads), dim=1)
        qk = rotate(normalise(qk) * self.qk_gain, cos[:time], sin[:time]).to(value.dtype)
        query, key = qk.split((shape.heads, shape.kv_heads), dim=1)
        group = shape.heads // shape.kv_heads
        key, value = (part.repeat_interleave(group, dim=1) for part in (key, value))
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended = self.attention_out(attended.transpose(1, 2).reshape(batch, time, -1))
        x = x + self.drop(attended)
        return x + self.drop(self.down(F.relu(self.up(normalise(x))).square()))

    def drop(self, x: Tensor) -> Tensor:
        """Drops whole channels for the length of a sequence (Gal and Ghahramani 2016), which needs few random numbers."""
        if not self.training or self.dropout == 0:
            return x
        keep = torch.rand(x.shape[0], 1, x.shape[2]) >= self.dropout
        return x * (keep / (1 - self.dropout)).to(x.dtype)


class Storyteller(nn.Module):
    """Predicts the next token of a story."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocab, shape.width)
        nn.init.normal_(self.embedding.weight, std=shape.width**-0.5)
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.layers))
        self.final_gain = nn.Parameter(torch.ones(shape.width))
        cos, sin = rotary_table(shape)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps token ids [batch, time] to logits [batch, time, vocab]."""
        x = normalise(self.embedding(tokens))
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return F.linear(normalise(x) * self.final_gain, self.embedding.weight)

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats a token."""
        logits = self(tokens)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())
