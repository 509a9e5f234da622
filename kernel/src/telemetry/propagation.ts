import { type Context, context, propagation } from '@opentelemetry/api';

/** Adds the W3C `traceparent` of the current span to a set of headers, in place. */
export function injectContext(headers: Record<string, string>): void {
  propagation.inject(context.active(), headers);
}

/** Runs `work` as a part of the trace that the headers name. */
export function extractContext<Result>(
  headers: Readonly<Record<string, string | undefined>>,
  work: () => Result,
): Result {
  const parent: Context = propagation.extract(context.active(), headers);
  return context.with(parent, work);
}
