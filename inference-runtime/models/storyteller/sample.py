"""Tells a story in the terminal.

Usage:
    python sample.py "Once upon a time there was a fox" --seed 7
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from decoder import Decoder, Sequences

HERE = Path(__file__).parent


def choose(logits: NDArray[np.float32], seen: list[int], defaults: dict[str, float], rng: np.random.Generator) -> int:
    """Draws the next token: repetition penalty (Keskar et al. 2019), temperature, top-k, top-p, min-p."""
    scores = logits.astype(np.float64)
    repeated = np.unique(seen)
    penalty = defaults["repetition_penalty"]
    scores[repeated] = np.where(scores[repeated] > 0, scores[repeated] / penalty, scores[repeated] * penalty)
    if defaults["temperature"] == 0:
        return int(scores.argmax())
    scores /= defaults["temperature"]
    order = np.argsort(-scores)[: int(defaults["top_k"]) or None]
    shares = np.exp(scores[order] - scores[order[0]])
    shares /= shares.sum()
    before = np.cumsum(shares) - shares
    kept = (before < defaults["top_p"]) & (shares >= defaults["min_p"] * shares[0])
    return int(rng.choice(order[kept], p=shares[kept] / shares[kept].sum()))


def tell(decoder: Decoder, tokenizer: Tokenizer, prompt: str, defaults: dict[str, float], seed: int) -> str:
    """Continues a prompt until the story ends, the token limit is met or the context is full."""
    rng = np.random.default_rng(seed)
    tokens: list[int] = tokenizer.encode(prompt).ids
    sequences = Sequences(decoder, 1)
    logits = sequences.append([tokens])
    for _ in range(min(int(defaults["max_new_tokens"]), decoder.context - len(tokens))):
        token = choose(logits[0], tokens, defaults, rng)
        if token == decoder.eos:
            break
        tokens.append(token)
        logits = sequences.append([[token]])
    return tokenizer.decode(tokens)


def main() -> None:
    """Prints one story; options override `generation.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prompt", nargs="?", default="Once upon a time")
    parser.add_argument("--model", type=Path, default=HERE, help="folder of model.onnx and tokenizer.json")
    parser.add_argument("--seed", type=int, default=1)
    defaults: dict[str, float] = json.loads((HERE / "generation.json").read_text())
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value)
    options = vars(parser.parse_args())
    decoder = Decoder(options["model"] / "model.onnx")
    tokenizer = Tokenizer.from_file(str(options["model"] / "tokenizer.json"))
    print(tell(decoder, tokenizer, options["prompt"], {name: options[name] for name in defaults}, options["seed"]))


if __name__ == "__main__":
    main()
