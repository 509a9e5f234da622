import { frozenClock } from '@opea/kernel/clock';
import { InMemorySpanExporter, startTelemetry } from '@opea/kernel/telemetry';
import type { PredictResult } from '@opea/schema/runtime';
import { expect, test } from 'vitest';
import { tracePrediction } from './trace-prediction.ts';

const result: PredictResult = {
  version: {
    versionId: 'v',
    modelId: 'm',
    model: 'digits',
    number: 3,
    kind: 'TENSOR',
    state: 'READY',
    signature: { inputs: [], outputs: [] },
  },
  outputs: [],
  timing: { queueMs: 4, computeMs: 6, totalMs: 11 },
  batch: { size: 16, reason: 'FULL', executionId: 'e1' },
};
const about = {
  ref: { tenant: 't', model: 'digits' },
  options: { requestId: 'r', tenant: 't', signal: new AbortController().signal },
  clock: frozenClock('2026-01-01T00:00:01Z'),
};

test('a prediction leaves a span with its batch, and one for the queue and one for the engine inside', async () => {
  const exporter = new InMemorySpanExporter();
  const telemetry = startTelemetry({ service: 'test', exporter });
  await tracePrediction(about, async () => result);
  const spans = exporter.getFinishedSpans();
  await telemetry[Symbol.asyncDispose]();

  const predict = spans.find(({ name }) => name === 'inference.predict');
  expect(predict?.attributes).toMatchObject({
    'inference.version': 3,
    'inference.batch.size': 16,
    'inference.execution_id': 'e1',
  });
  const stages = spans.filter(({ name }) => name !== 'inference.predict');
  expect(stages.map(({ name, duration }) => [name, Math.round(duration[1] / 1e6)])).toEqual([
    ['inference.queue', 4],
    ['inference.compute', 6],
  ]);
  expect(new Set(stages.map(({ parentSpanContext }) => parentSpanContext?.spanId))).toEqual(
    new Set([predict?.spanContext().spanId]),
  );
});
