import { expect, test } from 'vitest';
import { createLogger, withLogContext } from '../log/index.ts';
import {
  currentTraceId,
  extractContext,
  InMemorySpanExporter,
  injectContext,
  startTelemetry,
  withSpan,
} from './index.ts';

test('a trace goes on behind a network, and log lines carry it', async () => {
  const exporter = new InMemorySpanExporter();
  await using _telemetry = startTelemetry({ service: 'demo', exporter });
  const lines: string[] = [];
  const logger = createLogger({
    service: 'demo',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const headers: Record<string, string> = {};

  const caller = await withSpan('caller', {}, async () => {
    injectContext(headers);
    return currentTraceId();
  });
  const callee = await extractContext(headers, () =>
    withSpan('callee', { model: 'churn' }, async () => {
      withLogContext({ correlationId: 'c-1' }, () => logger.info({ apiKey: 'opea_x' }, 'hello'));
      return currentTraceId();
    }),
  );

  expect(callee).toBe(caller);
  expect(callee).toMatch(/^[0-9a-f]{32}$/);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    trace_id: callee,
    correlation_id: 'c-1',
    service: 'demo',
    apiKey: '[secret]',
  });
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name }) => name)).toEqual(['caller', 'callee']);
  expect(spans[1]?.parentSpanContext?.spanId).toBe(spans[0]?.spanContext().spanId);
});

test('a failure is on its span and still thrown', async () => {
  const exporter = new InMemorySpanExporter();
  await using _telemetry = startTelemetry({ service: 'demo', exporter });

  await expect(
    withSpan('broken', {}, () => Promise.reject(new Error('no such tensor'))),
  ).rejects.toThrow('no such tensor');

  expect(exporter.getFinishedSpans()[0]?.events[0]?.attributes?.['exception.message']).toBe(
    'no such tensor',
  );
});

test('without a collector spans live in context, and stopping is quick', async () => {
  const telemetry = startTelemetry({ service: 'demo' });

  const trace = await withSpan('alone', {}, async () => currentTraceId());
  await telemetry[Symbol.asyncDispose]();

  expect(trace).toBeDefined();
  expect(await withSpan('after', {}, async () => currentTraceId())).toBeUndefined();
});
