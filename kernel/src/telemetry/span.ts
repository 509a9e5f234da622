import {
  type Attributes,
  isSpanContextValid,
  type Span,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';

export const tracer = (name: string): Tracer => trace.getTracer(name);

/** Runs `work` inside a span of that name; a failure is recorded on the span and thrown on. */
export function withSpan<Result>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  return trace.getTracer('opea').startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Begins `work` inside a span of that name, which lasts until `work` calls `end`: for what ends with an event. */
export function openSpan(
  name: string,
  attributes: Attributes,
  work: (end: () => void) => void,
): void {
  trace.getTracer('opea').startActiveSpan(name, { attributes }, (span) => work(() => span.end()));
}

/** The trace that is being recorded now: 32 hex digits. */
export function currentTraceId(): string | undefined {
  const context = trace.getActiveSpan()?.spanContext();
  return context && isSpanContextValid(context) ? context.traceId : undefined;
}
