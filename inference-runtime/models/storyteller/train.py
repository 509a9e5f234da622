"""Trains the tokenizer and the storyteller from a folder of books, within a given number of minutes.

Usage:
    python train.py --data books --out run --minutes 70

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
from dataclasses import asdict, dataclass
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
SHORT_SHARE = 0.9
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


@dataclass
class Counts:
    """How far the training has come."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


class Run:
    """The model, its running average and its optimisers, with the files they are kept in."""

    def __init__(self, out: Path, shape: Shape, dropout: float) -> None:
        self.out = out
        self.model = Storyteller(shape, dropout)
        self.average = Storyteller(shape)
        self.average.load_state_dict(self.model.state_dict())
        self.optimisers = build_optimisers(self.model)
        self.counts = Counts()

    def resume(self) -> None:
        """Goes on from `checkpoint.pt`, if there is one."""
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.counts = Counts(**state["counts"])

    def save(self) -> None:
        """Writes `checkpoint.pt` and `model.pt`."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "counts": asdict(self.counts),
        }
        _write(state, self.out / "checkpoint.pt")
        _write({"shape": asdict(self.model.shape), "weights": self.average.state_dict()}, self.out / "model.pt")

    def learn(self, loss_of: Callable[[Tensor, Tensor], Tensor], batch: tuple[Tensor, Tensor], share: float) -> float:
        """Takes one step with a share of the peak learning rate; returns the batch's loss."""
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(*batch)
        loss.backward()
        set_rate(self.optimisers, share)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.counts.step += 1
        self.counts.tokens += batch[0].numel()
        keep = min(0.99, self.counts.step / (self.counts.step + 20))
        with torch.no_grad():
            for mean, current in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(current, 1 - keep)
        return loss.item()


def train(options: argparse.Namespace) -> None:
    """Runs the whole training; see the module's docstring."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    shape = Shape()
    train_stories, held_out_stories = split_stories(read_stories(options.data), options.seed)
    tokenizer = train_tokenizer(train_stories, shape.vocab)
    tokenizer.save(str(options.out / "tokenizer.json"), pretty=False)
    stories, held_out = encode(tokenizer, train_stories), encode(tokenizer, held_out_stories)
    bytes_a_token = sum(len(story.text.encode()) for story in held_out_stories) / sum(map(len, held_out))
    print(
        f"{sum(map(len, stories))} training tokens, {sum(map(len, held_out))} held out, {bytes_a_token:.3f} bytes a token",
        flush=True,
    )

    run = Run(options.out, shape, options.dropout)
    run.resume()
    counts = run.counts
    rng = random.Random(options.seed + counts.step)
    loss_of: Callable[[Tensor, Tensor], Tensor] = (
        torch.compile(run.model.loss, dynamic=False) if options.compile else run.model.loss
    )
    began = time.monotonic() - counts.seconds
    reported, saved = counts.seconds, counts.seconds
    losses: list[float] = []
    length, source = 0, iter(())
    while (progress := counts.seconds / (options.minutes * 60)) < 1:
        wanted = SHORT_CONTEXT if progress < SHORT_SHARE else shape.context
        if wanted != length:
            length, source = wanted, batches(stories, wanted, rng)
        losses.append(run.learn(loss_of, next(source), rate_share(counts.step, progress)))
        counts.seconds = time.monotonic() - began
        if counts.seconds - reported > options.report_seconds:
            reported = counts.seconds
            nats = held_out_nats(run.average, held_out, shape.context)
            line = {
                "minutes": round(counts.seconds / 60, 1),
                "step": counts.step,
                "tokens": counts.tokens,
                "train": round(sum(losses) / len(losses), 4),
                "heldOut": round(nats, 4),
                "bitsPerByte": round(nats / math.log(2) / bytes_a_token, 4),
            }
            losses = []
            print(json.dumps(line), flush=True)
            with (options.out / "history.jsonl").open("a") as history:
                history.write(json.dumps(line) + "\n")
        if counts.seconds - saved > options.save_seconds:
            saved = counts.seconds
            run.save()
    run.save()
    nats = held_out_nats(run.average, held_out, shape.context)
    bits = nats / math.log(2) / bytes_a_token
    print(f"{counts.tokens} tokens in {counts.step} steps: perplexity {math.exp(nats):.2f}, {bits:.4f} bits a byte")


def _write(value: object, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(value, part)
    part.replace(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of .txt books")
    parser.add_argument("--out", type=Path, required=True, help="folder for tokenizer, weights and history")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--report-seconds", type=float, default=120)
    parser.add_argument("--save-seconds", type=float, default=240)
    parser.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, default=False, help="fuse operations; needs a C++ compiler"
    )
    return parser.parse_args()


if __name__ == "__main__":
    train(_options())
