"""Runs a `decoder/1` model with a key-value cache that the caller owns, as the runtime does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

MASKED = np.float32(-1e9)


class Decoder:
    """An ONNX session and the facts that the model states about itself."""

    def __init__(self, model: Path | bytes, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        self.session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        facts = self.session.get_modelmeta().custom_metadata_map
        if facts.get("opea.layout") != "decoder/1":
            raise ValueError("the model does not state the layout decoder/1")
        self.layers, self.kv_heads, self.head_dim, self.context, self.vocab, self.eos = (
            int(facts[f"opea.{name}"]) for name in ("layers", "kv_heads", "head_dim", "context", "vocab", "eos")
        )


class Sequences:
    """A batch of sequences with their cache rows; each sequence has its own length."""

    def __init__(self, decoder: Decoder, count: int, capacity: int | None = None) -> None:
        self.decoder = decoder
        self.lengths = np.zeros(count, dtype=np.int64)
        rows = (2 * decoder.layers, count, decoder.kv_heads, capacity or decoder.context, decoder.head_dim)
        self.cache = np.zeros(rows, dtype=np.float32)
        self.past_mask = np.full((count, 1, 1, rows[3]), MASKED, dtype=np.float32)

    def append(self, chunks: list[list[int]], past: int | None = None) -> NDArray[np.float32]:
        """Feeds one non-empty chunk to every sequence (padded to the longest) and returns logits [count, vocab].

        `past` limits how many cache rows are shown to the model; it must reach the longest sequence.
        """
        decoder, count = self.decoder, len(chunks)
        sizes = np.array([len(chunk) for chunk in chunks])
        size = int(sizes.max())
        ids = np.zeros((count, size), dtype=np.int64)
        for row, chunk in enumerate(chunks):
            ids[row, : len(chunk)] = chunk
        step = np.arange(size)
        positions = np.minimum(self.lengths[:, None] + step, decoder.context - 1)
        allowed = (step[None, :, None] >= step[None, None, :]) & (step[None, None, :] < sizes[:, None, None])
        shown = self.cache.shape[3] if past is None else past
        feeds = {
            "input_ids": ids,
            "position_ids": positions,
            "past_mask": self.past_mask[..., :shown],
            "chunk_mask": np.where(allowed, np.float32(0), MASKED)[:, None],
            "logit_index": sizes - 1,
        }
        for layer in range(decoder.layers):
            feeds[f"past_key.{layer}"] = self.cache[2 * layer, :, :, :shown]
            feeds[f"past_value.{layer}"] = self.cache[2 * layer + 1, :, :, :shown]
        logits, *fresh = decoder.session.run(None, feeds)
        for row, length in enumerate(self.lengths):
            end = length + sizes[row]
            for index, values in enumerate(fresh):
                self.cache[index, row, :, length:end] = values[row, :, : sizes[row]]
            self.past_mask[row, ..., length:end] = 0
            self.lengths[row] = end
        return logits
