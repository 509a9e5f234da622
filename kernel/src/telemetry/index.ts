export { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
export { extractContext, injectContext } from './propagation.ts';
export { currentTraceId, openSpan, tracer, withSpan } from './span.ts';
export { startTelemetry, type TelemetryOptions } from './start-telemetry.ts';
