import { cancelled, deadlineExceeded, PlatformError, unavailable } from '@opea/kernel/errors';
import type { Logger } from '@opea/kernel/log';

import type { ErrorMask } from './execute-plan.ts';
import type { Failure } from './failure.ts';

export interface ErrorMaskOptions {
  readonly logger: Logger;
  /** Codes of the platform's catalogue whose sentences clients may read. */
  readonly codes?: ReadonlySet<string>;
}

/**
 * Lets through what the platform's own catalogue says, and nothing else: no address or name of a
 * subgraph, no stack, no SQL. The whole error is logged.
 */
export function subgraphErrorMask({ logger, codes }: ErrorMaskOptions): ErrorMask {
  return {
    reported(error, subgraph) {
      const code = error.extensions?.['code'];
      if (typeof code === 'string' && isKnown(code, codes) && isSentence(error.message)) {
        logger.debug({ subgraph, error }, 'a subgraph reported an error');
        return { message: error.message, extensions: publicExtensions(code, error.extensions) };
      }
      logger.error({ subgraph, error }, 'a subgraph reported an error that clients may not see');
      return masked;
    },
    thrown(error, subgraph) {
      const failure = failureOf(error);
      if (failure.extensions['code'] !== 'CANCELLED') {
        logger.warn({ subgraph, err: error }, 'asking a subgraph failed');
      }
      return failure;
    },
  };
}

const masked: Failure = {
  message: 'Something went wrong on our side.',
  extensions: { code: 'INTERNAL_ERROR' },
};

const neverPassed = new Set(['INTERNAL_ERROR', 'INTERNAL_SERVER_ERROR']);

function isKnown(code: string, codes: ReadonlySet<string> | undefined): boolean {
  if (neverPassed.has(code)) return false;
  if (codes) return codes.has(code);
  return /^(?!GRAPHQL_|DOWNSTREAM_)[A-Z][A-Z0-9_]{2,47}$/.test(code);
}

/** One short line that is not a stack, markup or an address. */
function isSentence(message: unknown): message is string {
  return (
    typeof message === 'string' &&
    message.length <= 500 &&
    !/[\n\r<>]|:\/\/|\bat \S+ \(|\b(?:SELECT|INSERT|UPDATE|DELETE)\b.*\b(?:FROM|INTO|SET)\b/.test(
      message,
    )
  );
}

function publicExtensions(
  code: string,
  extensions: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> {
  const { details, retryAfterMs, errorId } = extensions ?? {};
  return {
    code,
    ...(isPlainDetails(details) ? { details } : {}),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
    ...(typeof errorId === 'string' && errorId.length <= 64 ? { errorId } : {}),
  };
}

function isPlainDetails(details: unknown): boolean {
  return typeof details === 'object' && details !== null && JSON.stringify(details).length <= 4_096;
}

function failureOf(error: unknown): Failure {
  const known = platformErrorOf(error);
  if (!known) return masked;
  const retryAfterMs = known.details['retryAfterMs'];
  return {
    message: known.message,
    extensions: {
      code: known.kind.code,
      ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
    },
  };
}

function platformErrorOf(error: unknown): PlatformError | undefined {
  if (error instanceof PlatformError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'AbortError') return cancelled({}, error);
  if (error.name === 'TimeoutError') return deadlineExceeded({}, error);
  if ('code' in error && typeof error.code === 'string' && connectionCodes.has(error.code)) {
    return unavailable({ retryAfterMs: 1_000 }, error);
  }
  return undefined;
}

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);
