import { InMemorySpanExporter, startTelemetry } from '@opea/kernel/telemetry';
import { expect, test } from 'vitest';
import { startTestPlatform } from '../kit/running-platform.ts';
import { until } from '../kit/until.ts';

test('one query is one trace, from the door through every subgraph it needs', async () => {
  const exporter = new InMemorySpanExporter();
  await using _telemetry = startTelemetry({ service: 'test', exporter });
  await using platform = await startTestPlatform();
  exporter.reset();

  await platform.client.ask(
    'query Who { me { name } models { totalCount } featureViews { edges { cursor } } }',
  );
  const spans = await until(
    () => exporter.getFinishedSpans(),
    (finished) => finished.some(({ name }) => name === 'router request'),
  );

  const door = spans.find(({ name }) => name === 'router request');
  const trace = spans.filter((span) => span.spanContext().traceId === door?.spanContext().traceId);
  const subgraphs = trace.flatMap(({ attributes }) => attributes['subgraph'] ?? []);
  expect(new Set(subgraphs)).toEqual(new Set(['auth', 'registry', 'feature']));
});
