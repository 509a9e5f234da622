"""Runs the exported classifier on its committed samples and prints what it makes of them.

Usage:
    python verify.py
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

HERE = Path(__file__).parent


def main() -> None:
    """Prints accuracy, the effect of batching on a row, and the time of one run at several batch sizes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(HERE / "model.onnx"), options, providers=["CPUExecutionProvider"])
    shipped = json.loads((HERE / "samples.json").read_text())
    labels = np.array([sample["label"] for sample in shipped["samples"]])
    pixels = np.array([sample["pixels"] for sample in shipped["samples"]], dtype=np.float32) / 255
    images = pixels.reshape(-1, 1, shipped["height"], shipped["width"])

    logits, probabilities = session.run(["logits", "probabilities"], {"image": images})
    alone = np.concatenate([session.run(["logits"], {"image": image[None]})[0] for image in images])
    report = {
        "onnxruntime": ort.__version__,
        "samples": len(labels),
        "right": int((logits.argmax(axis=1) == labels).sum()),
        "leastProbabilityOfTruth": round(float(probabilities[np.arange(len(labels)), labels].min()), 3),
        "largestLogitDifferenceAlone": float(np.abs(alone - logits).max()),
        "medianMs": {str(count): round(_median_ms(session, images[:1].repeat(count, axis=0)), 3) for count in (1, 16, 64)},
    }
    print(json.dumps(report, indent=2))


def _median_ms(session: ort.InferenceSession, images: np.ndarray, repeats: int = 50) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        session.run(["probabilities"], {"image": images})
        times.append((time.perf_counter() - began) * 1e3)
    return sorted(times)[repeats // 2]


if __name__ == "__main__":
    main()
