import type { PlatformError } from '@opea/kernel/errors';

/** An error as the protocol has it: one sentence. The code stands beside it for those who look. */
export function oipRefusal({ kind, message, details }: PlatformError): object {
  const { errorId } = details;
  return {
    error: message,
    code: kind.code,
    ...(typeof errorId === 'string' && { error_id: errorId }),
  };
}
