import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { logContext } from './context.ts';

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  readonly service: string;
  readonly level?: LogLevel;
  /** Where lines go; standard output when left out. */
  readonly destination?: DestinationStream;
}

/** A logger of JSON lines. Credentials are redacted; trace, span and correlation ids are added to each line. */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: secretPaths, censor: '[secret]' },
    mixin: currentIds,
  };
  return destination ? pino(options, destination) : pino(options);
}

export const silentLogger: Logger = pino({ level: 'silent' });

const secretNames = [
  'authorization',
  'cookie',
  'password',
  'token',
  'apiKey',
  'secret',
  '["x-api-key"]',
  '["x-opea-context"]',
];
const secretPaths = secretNames.flatMap((name) =>
  name.startsWith('[')
    ? [name, `*${name}`, `*.headers${name}`]
    : [name, `*.${name}`, `*.headers.${name}`],
);

function currentIds(): object {
  const span = trace.getActiveSpan()?.spanContext();
  const { correlationId } = logContext();
  return {
    ...(span && isSpanContextValid(span) && { trace_id: span.traceId, span_id: span.spanId }),
    ...(correlationId && { correlation_id: correlationId }),
  };
}
