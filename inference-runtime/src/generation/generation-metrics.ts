import type { Metrics } from '@opea/kernel/metrics';
import type { FinishReason } from '@opea/schema/runtime';
import type { StepReport } from './decoder/decoder-messages.ts';

export interface GenerationMetrics {
  step(report: StepReport, kvCapacity: number): void;
  queued(waiting: number): void;
  started(queueMs: number, promptTokens: number, cachedTokens: number): void;
  firstToken(ms: number): void;
  nextToken(gapMs: number): void;
  finished(outcome: FinishReason, totalMs: number): void;
  refused(reason: string): void;
}

const latency = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48];

/** Measures of one decoder, named as vLLM names what means the same. Durations in seconds. */
export function generationMetrics(metrics: Metrics, model: string): GenerationMetrics {
  const labels = ['model_name'];
  const own = { model_name: model };
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `opea_inference_${name}`, help, labels }).labels(own);
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `opea_inference_${name}`, help, labels }).labels(own);
  const histogram = (name: string, help: string, buckets: readonly number[] = latency) =>
    metrics.histogram({ name: `opea_inference_${name}`, help, labels, buckets }).labels(own);

  const running = gauge('num_requests_running', 'Sequences that hold a slot');
  const waiting = gauge('num_requests_waiting', 'Requests that wait for a slot');
  const kvUsage = gauge('kv_cache_usage_perc', 'Share of the key/value memory in use, 0 to 1');
  const promptTokens = counter('prompt_tokens_total', 'Prompt tokens received');
  const generationTokens = counter('generation_tokens_total', 'Tokens generated');
  const queries = counter('prefix_cache_queries_total', 'Prompt tokens looked up for sharing');
  const hits = counter('prefix_cache_hits_total', 'Prompt tokens that were shared');
  const queueTime = histogram('request_queue_time_seconds', 'From arrival to a slot');
  const firstToken = histogram('time_to_first_token_seconds', 'From arrival to the first token');
  const interToken = histogram('inter_token_latency_seconds', 'Between two tokens of an answer');
  const total = histogram('e2e_request_latency_seconds', 'From arrival to the last token');
  const iteration = histogram(
    'iteration_tokens_total',
    'Tokens computed in one step',
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  );
  const stepTime = histogram('decoder_step_seconds', 'Wall time of one step');
  const success = metrics.counter({
    name: 'opea_inference_request_success_total',
    help: 'Finished generations by reason',
    labels: [...labels, 'finished_reason'],
  });
  const refusals = metrics.counter({
    name: 'opea_inference_request_refused_total',
    help: 'Generations refused or failed by code',
    labels: [...labels, 'reason'],
  });

  return {
    step(report, kvCapacity) {
      const tokens = report.events.filter(({ type }) => type === 'token').length;
      running.set(report.running);
      kvUsage.set(report.kvPositions / kvCapacity);
      if (tokens > 0) generationTokens.inc(tokens);
      if (tokens + report.promptTokens > 0) iteration.observe(tokens + report.promptTokens);
      stepTime.observe(report.stepMs / 1000);
    },
    queued: (count) => waiting.set(count),
    started(queueMs, prompt, cached) {
      queueTime.observe(queueMs / 1000);
      promptTokens.inc(prompt);
      queries.inc(prompt);
      if (cached > 0) hits.inc(cached);
    },
    firstToken: (ms) => firstToken.observe(ms / 1000),
    nextToken: (gapMs) => interToken.observe(gapMs / 1000),
    finished(reason, totalMs) {
      success.inc({ ...own, finished_reason: reason.toLowerCase() });
      total.observe(totalMs / 1000);
    },
    refused: (reason) => refusals.inc({ ...own, reason }),
  };
}
