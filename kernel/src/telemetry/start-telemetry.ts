import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  SimpleSpanProcessor,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';

export interface TelemetryOptions {
  readonly service: string;
  /** An OTLP/HTTP collector's base address, such as `http://collector:4318`. Without it spans live in context only. */
  readonly otlpUrl?: string | undefined;
  /** The share of traces to record, 0 to 1; default 1. A caller's decision is kept. */
  readonly sampleRatio?: number;
  /** For tests: receives every span as it ends. */
  readonly exporter?: SpanExporter;
}

/** Begins tracing for this process. Disposing sends what is left and stops. Only one may run at a time. */
export function startTelemetry(options: TelemetryOptions): AsyncDisposable {
  const { service, otlpUrl, sampleRatio = 1, exporter } = options;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ [ATTR_SERVICE_NAME]: service }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [
      ...(otlpUrl
        ? [
            new BatchSpanProcessor(
              new OTLPTraceExporter({ url: new URL('/v1/traces', otlpUrl).href }),
            ),
          ]
        : []),
      ...(exporter ? [new SimpleSpanProcessor(exporter)] : []),
    ],
  });
  provider.register();
  const stopInstrumenting = registerInstrumentations({
    tracerProvider: provider,
    instrumentations: [
      new HttpInstrumentation(),
      new GraphQLInstrumentation({ mergeItems: true, depth: 2, ignoreTrivialResolveSpans: true }),
      new PgInstrumentation({ requireParentSpan: true }),
      new MongoDBInstrumentation({ requireParentSpan: true }),
    ],
  });

  return {
    async [Symbol.asyncDispose]() {
      stopInstrumenting();
      await provider.shutdown().catch(() => {});
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}
