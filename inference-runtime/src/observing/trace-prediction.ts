import type { Clock } from '@opea/kernel/clock';
import { tracer, withSpan } from '@opea/kernel/telemetry';
import type { ModelRef, PredictResult, RequestOptions } from '@opea/schema/runtime';

/** Records one prediction as a span, and its time in the queue and in the engine as spans inside it. */
export function tracePrediction(
  { ref, options, clock }: { ref: ModelRef; options: RequestOptions; clock: Clock },
  work: () => Promise<PredictResult>,
): Promise<PredictResult> {
  const attributes = {
    'inference.model': ref.model,
    'inference.request_id': options.requestId,
    'inference.priority': options.priority ?? 2,
  };
  return withSpan('inference.predict', attributes, async (span) => {
    const result = await work();
    const { version, batch, timing, origin = 'EXECUTED' } = result;
    span.setAttributes({
      'inference.version': version.number,
      'inference.origin': origin,
      'inference.batch.size': batch.size,
      'inference.batch.reason': batch.reason,
      'inference.execution_id': batch.executionId,
    });
    if (span.isRecording() && origin === 'EXECUTED') {
      const endedAt = clock().getTime();
      const computeAt = endedAt - timing.computeMs;
      stage('inference.queue', computeAt - timing.queueMs, computeAt);
      stage('inference.compute', computeAt, endedAt);
    }
    return result;
  });
}

function stage(name: string, startTime: number, endTime: number): void {
  tracer('opea.inference-runtime').startSpan(name, { startTime }).end(endTime);
}
