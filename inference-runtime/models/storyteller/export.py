"""Writes the trained storyteller as an ONNX graph in the runtime's cache layout `decoder/1`.

Usage:
    python export.py --run run --out .

Weights are eight-bit integers in blocks with one float scale each; activations stay floating point between the operators, so a
row's result does not depend on the rest of its batch. `--precision fp32` writes the same graph without quantisation, which
`verify.py` uses as a reference. The layout's inputs and outputs are described in `../README.md`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from model import NORM_EPSILON, Shape, rotary_table

MICROSOFT = "com.microsoft"
LAYOUT = "decoder/1"
END_OF_TEXT_ID = 0
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def quantise(weight: NDArray[np.float32], block: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Quantises [rows, columns] symmetrically to bytes around 128; returns bytes [rows, blocks, block], scales [rows, blocks]."""
    blocks = weight.reshape(weight.shape[0], -1, block)
    scales = np.maximum(np.abs(blocks).max(axis=2), 1e-12) / 127
    return (np.rint(blocks / scales[:, :, None]) + 128).astype(np.uint8), scales.astype(np.float32)


@dataclass
class GraphWriter:
    """Collects nodes and weights; every method returns the name of the value it adds."""

    precision: str
    block: int
    accuracy: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Adds a stored tensor."""
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def ints(self, name: str, *values: int) -> str:
        """Adds a stored list of 64-bit integers."""
        return self.constant(name, np.array(values, dtype=np.int64))

    def node(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        """Adds an operator with one output."""
        return self.nodes_of(operator, inputs, [output], domain, **attributes)[0]

    def nodes_of(self, operator: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: object) -> list[str]:
        """Adds an operator with several outputs."""
        self.nodes.append(
            helper.make_node(operator, inputs, outputs, name=f"{operator}:{outputs[-1]}", domain=domain, **attributes)
        )
        return outputs

    def linear(self, x: str, name: str, weight: Tensor, output: str) -> str:
        """Multiplies [..., columns] by a stored matrix [rows, columns], giving [..., rows]."""
        matrix = weight.float().numpy()
        if self.precision == "fp32":
            return self.node("MatMul", [x, self.constant(name, np.ascontiguousarray(matrix.T))], output)
        data, scales = quantise(matrix, self.block)
        return self.packed_linear(x, self.constant(name, data), self.constant(f"{name}.scales", scales), matrix.shape, output)

    def packed_linear(self, x: str, data: str, scales: str, shape: tuple[int, ...], output: str) -> str:
        """Multiplies by a matrix [rows, columns] that is already stored as bytes and scales."""
        return self.node(
            "MatMulNBits",
            [x, data, scales],
            output,
            MICROSOFT,
            N=shape[0],
            K=shape[1],
            bits=8,
            block_size=self.block,
            accuracy_level=self.accuracy,
        )

    def normalise(self, x: str, gain: str, output: str) -> str:
        """RMS normalisation over the last dimension."""
        return self.node("SimplifiedLayerNormalization", [x, gain], output, axis=-1, epsilon=NORM_EPSILON)

    def add_and_normalise(self, residual: str, branch: str, gain: str, output: str) -> tuple[str, str]:
        """Adds a branch to the residual stream; returns (normalised sum, sum)."""
        outputs = self.nodes_of(
            "SkipSimplifiedLayerNormalization",
            [residual, branch, gain],
            [output, "", "", f"{output}.sum"],
            MICROSOFT,
            epsilon=NORM_EPSILON,
        )
        return outputs[0], outputs[3]


def build(weights: dict[str, Tensor], shape: Shape, precision: str, block: int, accuracy: int) -> onnx.ModelProto:
    """Builds the whole graph from the state of `model.Storyteller`."""
    g = GraphWriter(precision, block, accuracy)
    queries, keys, group = shape.heads, shape.kv_heads, shape.heads // shape.kv_heads
    both = queries + keys
    ones = g.constant("ones", np.ones(shape.width, dtype=np.float32))
    cos, sin = (g.constant(name, table.numpy()) for name, table in zip(("cos", "sin"), rotary_table(shape), strict=True))
    split_heads = g.ints("shape.heads", 0, 0, queries + 2 * keys, shape.head_dim)
    grouped = g.ints("shape.grouped", 0, keys, -1, shape.head_dim)
    ungrouped = g.ints("shape.ungrouped", 0, queries, -1, shape.head_dim)
    merged = g.ints("shape.merged", 0, 0, queries * shape.head_dim)
    qk_and_value = g.ints("split.qk_value", both, keys)
    query_and_key = g.ints("split.query_key", queries, keys)

    past_size = g.node("Shape", ["past_mask"], "past_size", start=3, end=4)
    chunk_size = g.node("Shape", ["input_ids"], "chunk_size", start=1, end=2)
    past_and_chunk = g.node("Concat", [past_size, chunk_size], "split.past_chunk", axis=0)
    chunk_mask = g.node("Concat", ["chunk_mask"] * group, "grouped_chunk_mask", axis=2) if group > 1 else "chunk_mask"
    rows = g.node("Unsqueeze", ["logit_index", g.ints("axis.last", -1)], "rows")

    embedding = weights["embedding.weight"].float().numpy()
    if precision == "fp32":
        table = g.constant("embedding", embedding)
        embedded = g.node("Gather", [table, "input_ids"], "embedded")
    else:
        data, scales = quantise(embedding, block)
        table = g.constant("embedding", data.reshape(embedding.shape))
        table_scales = g.constant("embedding.scales", scales)
        embedded = g.node(
            "GatherBlockQuantized",
            [table, "input_ids", table_scales],
            "embedded",
            MICROSOFT,
            block_size=block,
            bits=8,
            quantize_axis=1,
        )
    residual = g.normalise(embedded, ones, "x")
    h = g.normalise(residual, ones, "h")

    for layer in range(shape.layers):
        last = layer == shape.layers - 1

        def weight(name: str, layer: int = layer) -> Tensor:
            return weights[f"blocks.{layer}.{name}"]

        def at(name: str, layer: int = layer) -> str:
            return f"{name}.{layer}"

        qkv = g.linear(h, at("qkv"), weight("qkv.weight"), at("qkv_out"))
        by_time = g.node("Reshape", [qkv, split_heads], at("by_time"))
        by_head = g.node("Transpose", [by_time], at("by_head"), perm=[0, 2, 1, 3])
        qk, value = g.nodes_of("Split", [by_head, qk_and_value], [at("qk"), at("new_value")], axis=1)
        gain = g.constant(at("qk_gain"), weight("qk_gain").float().numpy())
        rotated = g.node(
            "RotaryEmbedding", [g.normalise(qk, gain, at("qk_norm")), "position_ids", cos, sin], at("qk_rotated"), MICROSOFT
        )
        query, key = g.nodes_of("Split", [rotated, query_and_key], [at("query"), at("new_key")], axis=1)
        query = g.node("Reshape", [query, grouped], at("query_grouped"))

        scores = []
        for part, keys_of, mask in (("past", at("past_key"), "past_mask"), ("chunk", key, chunk_mask)):
            product = g.node(
                "FusedMatMul", [query, keys_of], at(f"{part}_product"), MICROSOFT, transB=1, alpha=float(shape.head_dim**-0.5)
            )
            scores.append(g.node("Add", [product, mask], at(f"{part}_scores")))
        share = g.node("Softmax", [g.node("Concat", scores, at("scores"), axis=-1)], at("shares"), axis=-1)
        shares = g.nodes_of("Split", [share, past_and_chunk], [at("past_share"), at("chunk_share")], axis=-1)
        from_past = g.node("MatMul", [shares[0], at("past_value")], at("from_past"))
        from_chunk = g.node("MatMul", [shares[1], value], at("from_chunk"))
        mixed = g.node("Reshape", [g.node("Add", [from_past, from_chunk], at("mixed")), ungrouped], at("mixed_heads"))
        mixed = g.node("Transpose", [mixed], at("mixed_by_time"), perm=[0, 2, 1, 3])
        mixed = g.node("Reshape", [mixed, merged], at("mixed_merged"))
        if last:
            mixed = g.node("GatherND", [mixed, rows], "mixed_row", batch_dims=1)
            residual = g.node("GatherND", [residual, rows], "residual_row", batch_dims=1)

        attended = g.linear(mixed, at("attention_out"), weight("attention_out.weight"), at("attended"))
        h, residual = g.add_and_normalise(residual, attended, ones, at("after_attention"))
        up = g.node("Relu", [g.linear(h, at("up"), weight("up.weight"), at("up_out"))], at("positive"))
        squared = g.node("Mul", [up, up], at("squared"))
        fed = g.linear(squared, at("down"), weight("down.weight"), at("fed"))
        next_gain = g.constant("final_gain", weights["final_gain"].float().numpy()) if last else ones
        h, residual = g.add_and_normalise(residual, fed, next_gain, at("after_feed"))

    if precision == "fp32":
        transposed = g.node("Transpose", [table], "head", perm=[1, 0])
        g.node("MatMul", [h, transposed], "logits")
    else:
        blocks = g.ints("shape.blocks", shape.vocab, shape.width // block, block)
        packed = g.node("Reshape", [table, blocks], "head")
        g.packed_linear(h, packed, table_scales, embedding.shape, "logits")
    return _model(g, shape)


def _model(g: GraphWriter, shape: Shape) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    inputs = [
        info("input_ids", INT64, ["batch", "chunk"]),
        info("position_ids", INT64, ["batch", "chunk"]),
        info("past_mask", FLOAT, ["batch", 1, 1, "past"]),
        info("chunk_mask", FLOAT, ["batch", 1, "chunk", "chunk"]),
        info("logit_index", INT64, ["batch"]),
    ]
    outputs = [info("logits", FLOAT, ["batch", shape.vocab])]
    for layer in range(shape.layers):
        for part in ("key", "value"):
            inputs.append(info(f"past_{part}.{layer}", FLOAT, ["batch", shape.kv_heads, "past", shape.head_dim]))
            outputs.append(info(f"new_{part}.{layer}", FLOAT, ["batch", shape.kv_heads, "chunk", shape.head_dim]))
    graph = helper.make_graph(g.nodes, "storyteller", inputs, outputs, g.weights)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)],
        ir_version=8,
        producer_name="opea-graph",
    )
    facts = {
        "layout": LAYOUT,
        "layers": shape.layers,
        "heads": shape.heads,
        "kv_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "context": shape.context,
        "vocab": shape.vocab,
        "eos": END_OF_TEXT_ID,
    }
    helper.set_model_props(model, {f"opea.{name}": str(value) for name, value in facts.items()})
    return model


def export(run: Path, precision: str = "int8", block: int = 64, accuracy: int = 4) -> onnx.ModelProto:
    """Builds the graph from the weights that `train.py` left in its output folder."""
    saved = torch.load(run / "model.pt", weights_only=True)
    return build(saved["weights"], Shape(**saved["shape"]), precision, block, accuracy)


def main() -> None:
    """Writes `model.onnx` and copies `tokenizer.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="the output folder of train.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    parser.add_argument("--block", type=int, default=64, help="weights that share one scale")
    parser.add_argument("--accuracy", type=int, default=4, help="4 multiplies in integers, 0 in floating point")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    onnx.save(export(options.run, options.precision, options.block, options.accuracy), options.out / "model.onnx")
    (options.out / "tokenizer.json").write_bytes((options.run / "tokenizer.json").read_bytes())


if __name__ == "__main__":
    main()
