import type { DecoderModel, RowInput } from './decoder-model.ts';
import { KvLane } from './kv-lane.ts';

const rows = 5;
const promptTokens = 8;

/**
 * Whether a row's scores are the same bits alone and beside others, under prompts and single tokens. Matrix kernels may add in
 * another order for another number of rows; where they do, the same seed can give another text under load.
 */
export async function isBatchInvariant(model: DecoderModel): Promise<boolean> {
  const { vocab } = model.layout;
  const prompts = Array.from({ length: rows }, (_, row) => ({
    tokens: Array.from({ length: promptTokens }, (_unused, at) => (row * 31 + at * 7) % vocab),
  }));
  const together = await scoresOf(model, prompts);
  for (const [row, prompt] of prompts.entries()) {
    const alone = await scoresOf(model, [prompt]);
    const same = alone.every((scores, step) =>
      scores.every((value, id) => Object.is(value, together[step]?.[row * vocab + id])),
    );
    if (!same) return false;
  }
  return true;
}

/** Scores after the prompts and after one token more. */
async function scoresOf(
  model: DecoderModel,
  inputs: readonly RowInput[],
): Promise<readonly Float32Array[]> {
  const lane = new KvLane({
    layout: { ...model.layout, context: 2 * promptTokens },
    maxRows: inputs.length,
    bucket: 64,
  });
  for (const _ of inputs) lane.add();
  const prefill = await model.run(lane, { firstRow: 0, chunk: promptTokens, inputs });
  const first = prefill.logits.slice();
  for (const row of inputs.keys()) lane.append(row, prefill.output, row, promptTokens);
  const decode = await model.run(lane, {
    firstRow: 0,
    chunk: 1,
    inputs: inputs.map(() => ({ tokens: [1] })),
  });
  return [first, decode.logits.slice()];
}
