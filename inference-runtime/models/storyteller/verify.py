"""Checks an exported storyteller against its PyTorch original and prints the figures of the model card.

Usage:
    python verify.py --data books --run run --model model.onnx

Printed as JSON: perplexity of the original, of the unquantised and of the quantised graph on the same held-out windows; greedy
text of sixteen prompts alone and in one ragged batch; a prompt fed in chunks and token by token; the time of one decoding step.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from corpus import read_stories, split_stories
from decoder import Decoder, Sequences
from export import export
from model import Shape, Storyteller
from train import encode

PROMPTS = (
    "Once upon a time there was a king who had three daughters.",
    "The wolf",
    "There was once a poor woodcutter who lived with his wife at the edge of a great forest, and",
    '"Where are you going?" said the old witch.',
    "In the middle of the night",
    "Alice looked",
    "The princess began to cry, for she was afraid of the cold frog",
    "Far out in the sea",
    "A tailor once bought",
    "The Golden Bird\n",
    "When the giant heard this he",
    "Dorothy and the Scarecrow walked along the road until they came to a river, where",
    "The little mermaid",
    "One day a fox met a cat in the wood and said,",
    "It was winter",
    "The Prince mounted his horse and rode",
)


def perplexity(decoder: Decoder, windows: NDArray[np.int64]) -> float:
    """Perplexity of windows [count, length + 1], fed token by token through the cache."""
    sequences = Sequences(decoder, len(windows), windows.shape[1] - 1)
    rows = np.arange(len(windows))
    total = 0.0
    for step in range(windows.shape[1] - 1):
        logits = sequences.append([[int(token)] for token in windows[:, step]], past=step).astype(np.float64)
        top = logits.max(axis=1)
        total += float((np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - logits[rows, windows[:, step + 1]]).sum())
    return math.exp(total / (len(windows) * (windows.shape[1] - 1)))


def greedy(decoder: Decoder, prompts: list[list[int]], count: int) -> tuple[list[list[int]], NDArray[np.float32]]:
    """Continues every prompt by `count` most likely tokens; returns them and the first step's logits."""
    sequences = Sequences(decoder, len(prompts))
    logits = first = sequences.append(prompts)
    texts: list[list[int]] = [[] for _ in prompts]
    for _ in range(count):
        chosen = [int(token) for token in logits.argmax(axis=1)]
        for text, token in zip(texts, chosen, strict=True):
            text.append(token)
        logits = sequences.append([[token] for token in chosen])
    return texts, first


def batch_agreement(decoder: Decoder, prompts: list[list[int]], count: int) -> dict[str, object]:
    """Compares every prompt alone with the same prompt inside a ragged batch."""
    together, logits = greedy(decoder, prompts, count)
    identical, difference = 0, 0.0
    for row, prompt in enumerate(prompts):
        alone, own = greedy(decoder, [prompt], count)
        identical += alone[0] == together[row]
        difference = max(difference, float(np.abs(own[0] - logits[row]).max()))
    return {"prompts": len(prompts), "tokensEach": count, "identical": identical, "largestLogitDifference": difference}


def chunk_agreement(decoder: Decoder, tokens: list[int]) -> dict[str, object]:
    """Compares one prompt fed whole, in chunks of 32, and token by token; also with an empty cache."""
    results: list[NDArray[np.float32]] = []
    for size in (len(tokens), 32, 1):
        sequences = Sequences(decoder, 1)
        for start in range(0, len(tokens), size):
            logits = sequences.append([tokens[start : start + size]])
        results.append(logits)
    results.append(Sequences(decoder, 1).append([tokens], past=0))
    return {
        "tokens": len(tokens),
        "sameChoice": len({int(logits.argmax()) for logits in results}) == 1,
        "largestLogitDifference": max(float(np.abs(logits - results[0]).max()) for logits in results),
    }


def step_times(decoder: Decoder, past: int = 512, repeats: int = 60) -> dict[str, dict[str, float]]:
    """Median time of one decoding step against a cache buffer of `past` rows, in milliseconds, and tokens a second."""
    times: dict[str, dict[str, float]] = {}
    for count in (1, 4, 16):
        sequences = Sequences(decoder, count, past)
        sequences.past_mask[..., : past - 1] = 0
        taken = []
        for _ in range(repeats):
            sequences.lengths[:] = past - 1
            began = time.perf_counter()
            sequences.append([[7]] * count)
            taken.append(time.perf_counter() - began)
        median = sorted(taken)[len(taken) // 2]
        best = min(taken)
        times[str(count)] = {
            "medianMs": round(median * 1e3, 2),
            "bestMs": round(best * 1e3, 2),
            "tokensPerSecond": round(count / median),
        }
    return times


def main() -> None:
    """Runs every check that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="the output folder of train.py")
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / "model.onnx")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the training, which decides what was held out")
    parser.add_argument("--windows", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    tokenizer = Tokenizer.from_file(str(options.run / "tokenizer.json"))
    held_out_stories = split_stories(read_stories(options.data), options.seed)[1]
    held_out = encode(tokenizer, held_out_stories)
    bytes_a_token = sum(len(story.text.encode()) for story in held_out_stories) / sum(len(ids) for ids in held_out)
    saved = torch.load(options.run / "model.pt", weights_only=True)
    shape = Shape(**saved["shape"])
    windows = torch.cat(held_out).unfold(0, shape.context + 1, shape.context)
    windows = windows[torch.linspace(0, len(windows) - 1, min(options.windows, len(windows))).long()]
    original = Storyteller(shape)
    original.load_state_dict(saved["weights"])
    original.eval()
    with torch.no_grad():
        nats = sum(original.loss(window[None, :-1], window[None, 1:]).item() for window in windows) / len(windows)

    decoder = Decoder(options.model, options.threads)
    unquantised = Decoder(export(options.run, "fp32").SerializeToString(), options.threads)
    perplexities = {
        "original": math.exp(nats),
        "unquantisedGraph": perplexity(unquantised, windows.numpy()),
        "model": perplexity(decoder, windows.numpy()),
    }
    prompts = [tokenizer.encode(prompt).ids for prompt in PROMPTS]
    report = {
        "onnxruntime": ort.__version__,
        "megabytes": round(options.model.stat().st_size / 1e6, 2),
        "parameters": sum(parameter.numel() for parameter in original.parameters()),
        "heldOutTokens": windows.shape[0] * (windows.shape[1] - 1),
        "perplexity": {name: round(value, 3) for name, value in perplexities.items()},
        "bitsPerByte": {name: round(math.log2(value) / bytes_a_token, 4) for name, value in perplexities.items()},
        "batch": batch_agreement(decoder, prompts, 96),
        "chunks": chunk_agreement(decoder, [int(token) for token in windows[0, :300]]),
        "step": step_times(decoder),
        "stepUnquantised": step_times(unquantised),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
