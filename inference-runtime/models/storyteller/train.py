"""Trains the tokenizer and the storyteller from a folder of books, within a given number of minutes.

    python train.py --data books --out run --minutes 80

Writes `tokenizer.json`, `model.pt` (the averaged weights that `export.py` reads) and `history.jsonl` into the output folder, and
starts again from `checkpoint.pt` when that is present. The learning-rate schedule follows the clock: a short warm-up, a plateau,
then a straight line to zero. The last part of the training uses the full context length.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor

from corpus import Story, read_stories, split_stories
from model import Shape, Storyteller
from optimiser import build_optimisers, set_rate

END_OF_TEXT = "<|endoftext|>"
BATCH_TOKENS = 8192
SHORT_CONTEXT = 256
SHORT_SHARE = 0.6
WARM_UP_STEPS = 60
DECAY_FROM_SHARE = 0.4


def train_tokenizer(stories: list[Story], vocab: int) -> Tokenizer:
    """Builds a byte-level BPE tokenizer; its token 0 ends a text, and is put in front of every text that it encodes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((story.text for story in stories), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(f"{END_OF_TEXT} $A", special_tokens=[(END_OF_TEXT, 0)])
    return tokenizer


def encode(tokenizer: Tokenizer, stories: list[Story]) -> list[Tensor]:
    """Encodes each story as <|endoftext|> followed by its tokens."""
    return [torch.tensor(encoding.ids) for encoding in tokenizer.encode_batch([story.text for story in stories])]


def batches(stories: list[Tensor], length: int, rng: random.Random) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields (tokens, targets) of shape [batch, length] for ever; each epoch shuffles the stories and shifts the cut points."""
    rows: list[Tensor] = []
    while True:
        rng.shuffle(stories)
        stream = torch.cat([*stories, torch.zeros(1, dtype=torch.long)])[rng.randrange(length) :]
        windows = stream.unfold(0, length + 1, length)
        for index in rng.sample(range(len(windows)), len(windows)):
            rows.append(windows[index])
            if len(rows) * length == BATCH_TOKENS:
                batch = torch.stack(rows)
                rows = []
                yield batch[:, :-1].contiguous(), batch[:, 1:].contiguous()


@torch.no_grad()
def held_out_nats(model: Storyteller, stories: list[Tensor], context: int) -> float:
    """Mean cross-entropy in nats a token over consecutive windows of the held-out stories."""
    stream = torch.cat([*stories, torch.zeros(1, dtype=torch.long)])
    windows = stream.unfold(0, context + 1, context)
    model.eval()
    total = 0.0
    for chunk in windows.split(16):
        with torch.autocast("cpu", torch.bfloat16):
            total += model.loss(chunk[:, :-1], chunk[:, 1:]).item() * len(chunk)
    model.train()
    return total / len(windows)


def rate_share(step: int, progress: float) -> float:
    """The learning rate's share of its peak, for a step from 0 and a progress between 0 and 1."""
    return min(1.0, (step + 1) / WARM_UP_STEPS, max(0.0, (1 - progress) / (1 - DECAY_FROM_SHARE)))


def train(options: argparse.Namespace) -> None:
    """Runs the whole training; see the module's docstring."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    rng = random.Random(options.seed)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    shape = Shape()
    train_stories, held_out_stories = split_stories(read_stories(options.data), options.seed)
    tokenizer = train_tokenizer(train_stories, shape.vocab)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    stories, held_out = encode(tokenizer, train_stories), encode(tokenizer, held_out_stories)
    bytes_a_token = sum(len(story.text.encode()) for story in held_out_stories) / sum(len(ids) for ids in held_out)
    print(f"{sum(map(len, stories))} training tokens, {sum(map(len, held_out))} held out, {bytes_a_token:.3f} bytes a token", flush=True)

    model = Storyteller(shape, options.dropout)
    average = Storyteller(shape)
    average.load_state_dict(model.state_dict())
    optimisers = build_optimisers(model)
    spent, step, tokens = 0.0, 0, 0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        for optimiser, saved in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        spent, step, tokens = state["spent"], state["step"], state["tokens"]
        rng.seed(options.seed + step)

    loss_of: Callable[[Tensor, Tensor], Tensor] = torch.compile(model.loss, dynamic=False) if options.compile else model.loss
    allowed = options.minutes * 60
    length = 0
    source: Iterator[tuple[Tensor, Tensor]] = iter(())
    saved_at = reported_at = began = time.monotonic() - spent
    saved_at = reported_at = time.monotonic()
    recent: list[float] = []
    while (progress := (time.monotonic() - began) / allowed) < 1:
        wanted = SHORT_CONTEXT if progress < SHORT_SHARE else shape.context
        if wanted != length:
            length = wanted
            source = batches(stories, length, rng)
        inputs, targets = next(source)
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(inputs, targets)
        loss.backward()
        set_rate(optimisers, rate_share(step, progress))
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        step += 1
        tokens += BATCH_TOKENS
        recent.append(loss.item())
        with torch.no_grad():
            keep = min(0.99, step / (step + 20))
            for mean, current in zip(average.parameters(), model.parameters(), strict=True):
                mean.lerp_(current, 1 - keep)
        if time.monotonic() - reported_at > options.report_seconds:
            reported_at = time.monotonic()
            nats = held_out_nats(average, held_out, shape.context)
            line = {
                "minutes": round((reported_at - began) / 60, 1),
                "step": step,
                "tokens": tokens,
                "train": round(sum(recent) / len(recent), 4),
                "heldOut": round(nats, 4),
                "bitsPerByte": round(nats / math.log(2) / bytes_a_token, 4),
            }
            recent = []
            print(json.dumps(line), flush=True)
            with (out / "history.jsonl").open("a") as history:
                history.write(json.dumps(line) + "\n")
        if time.monotonic() - saved_at > options.save_seconds:
            saved_at = time.monotonic()
            _save(out, model, average, optimisers, {"spent": saved_at - began, "step": step, "tokens": tokens})
    _save(out, model, average, optimisers, {"spent": time.monotonic() - began, "step": step, "tokens": tokens})
    nats = held_out_nats(average, held_out, shape.context)
    print(f"{tokens} tokens in {step} steps: {math.exp(nats):.2f} perplexity, {nats / math.log(2) / bytes_a_token:.4f} bits a byte")


def _save(out: Path, model: Storyteller, average: Storyteller, optimisers: list[torch.optim.Optimizer], counts: dict[str, float]) -> None:
    state = {"model": model.state_dict(), "average": average.state_dict(), "optimisers": [o.state_dict() for o in optimisers]}
    _write({**state, **counts}, out / "checkpoint.pt")
    _write({"shape": asdict(replace(model.shape)), "weights": average.state_dict()}, out / "model.pt")


def _write(value: object, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(value, part)
    part.replace(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of .txt books")
    parser.add_argument("--out", type=Path, required=True, help="folder for tokenizer, weights and history")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--report-seconds", type=float, default=120)
    parser.add_argument("--save-seconds", type=float, default=240)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True, help="fuse operations; needs a C++ compiler")
    return parser.parse_args()


if __name__ == "__main__":
    train(_options())
