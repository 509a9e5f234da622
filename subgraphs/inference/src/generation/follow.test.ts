import type { GenerationEvent, ServedVersion } from '@opea/schema/runtime';
import { expect, test } from 'vitest';
import { follow } from './follow.ts';
import { LiveGeneration } from './live-generation.ts';

const version: ServedVersion = {
  versionId: 'ver_1',
  modelId: 'mdl_1',
  model: 'storyteller',
  number: 1,
  kind: 'DECODER',
  state: 'READY',
  signature: { inputs: [], outputs: [] },
};
const started: GenerationEvent = { type: 'started', version, promptTokens: 3, queueMs: 0 };
const token = (index: number): GenerationEvent => ({
  type: 'token',
  index,
  text: `t${index}`,
  tokenId: index,
  logprob: -1,
});
const finished: GenerationEvent = {
  type: 'finished',
  reason: 'STOP',
  text: 't0t1t2',
  usage: { promptTokens: 3, completionTokens: 3 },
  timing: { queueMs: 0, timeToFirstTokenMs: 1, totalMs: 3, tokensPerSecond: 1_000 },
  batch: { meanSize: 1 },
};

async function* saying(...events: GenerationEvent[]) {
  yield* events;
}

const newGeneration = (aborter = new AbortController()) =>
  new LiveGeneration({ id: 'gen_1', version, aborter });
const forever = new AbortController().signal;

async function indexesOf(generation: LiveGeneration, from = 0): Promise<number[]> {
  const seen: number[] = [];
  for await (const { index } of follow({ source: { live: generation }, from, signal: forever }))
    seen.push(index);
  return seen;
}

test('a follower sees every token once, in order, then the end', async () => {
  const generation = newGeneration();
  const seen = indexesOf(generation);

  await generation.run(saying(started, token(0), token(1), token(2), finished));

  await expect(seen).resolves.toEqual([0, 1, 2, 3]);
  expect(generation.text).toBe('t0t1t2');
});

test('a late follower goes on after the token it names', async () => {
  const generation = newGeneration();
  await generation.run(saying(started, token(0), token(1), token(2), finished));

  await expect(indexesOf(generation, 2)).resolves.toEqual([2, 3]);
});

test('a follower that leaves is answered at once and tells so once', async () => {
  const generation = newGeneration();
  let left = 0;
  const following = follow({
    source: { live: generation },
    from: 0,
    signal: forever,
    onLeave: () => left++,
  });
  const pending = following.next();

  await following.return?.();
  await following.return?.();

  await expect(pending).resolves.toEqual({ done: true, value: undefined });
  expect(left).toBe(1);
});

test('a failure reaches every follower', async () => {
  const generation = newGeneration();
  const seen = indexesOf(generation);

  await generation.run(
    (async function* () {
      yield started;
      throw new Error('worker gone');
    })(),
  );

  await expect(seen).rejects.toThrow('worker gone');
  await expect(generation.ended()).rejects.toThrow('worker gone');
  expect(generation.state).toBe('FAILED');
});
