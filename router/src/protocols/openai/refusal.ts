import type { PlatformError } from '@opea/kernel/errors';

/** An error as OpenAI's clients read it: `{error: {message, type, param, code}}`. */
export function openAiRefusal({ kind, message, details }: PlatformError): object {
  const { field, errorId } = details;
  return {
    error: {
      message,
      type: typeOf(kind.status),
      param: typeof field === 'string' ? field : kind.code === 'MODEL_NOT_FOUND' ? 'model' : null,
      code: codes[kind.code] ?? kind.code.toLowerCase(),
      ...(typeof errorId === 'string' && { error_id: errorId }),
    },
  };
}

/** The codes that clients know; the others keep the platform's name. */
const codes: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'invalid_api_key',
  RATE: 'rate_limit_exceeded',
  OVERLOADED: 'rate_limit_exceeded',
};

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
