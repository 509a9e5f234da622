import { cancelled, PlatformError, unavailable } from '@opea/kernel/errors';
import type { Check } from '@opea/kernel/health';
import type {
  GenerationEvent,
  InferenceRuntime,
  PredictResult,
  RequestOptions,
  ServedVersion,
} from './protocol.ts';
import { decodeTensorFrame, encodeTensorFrame, tensorFrameType } from './tensor-frame.ts';

export interface RemoteRuntimeOptions {
  readonly url: string;
  /** What the runtime asks for as `authorization: Bearer …`; needed when it listens beyond this machine. */
  readonly token?: string;
}

/** A runtime in another process, over HTTP. Errors come back as they were thrown there; an aborted signal ends the work there. */
export function remoteRuntime({ url, token }: RemoteRuntimeOptions): InferenceRuntime {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const json = { 'content-type': 'application/json', ...authorization };

  async function call(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, url), { ...init, ...(signal && { signal }) });
    } catch (reason) {
      if (signal?.aborted) throw cancelled({}, reason);
      throw unavailable({ retryAfterMs: 1_000 }, reason);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  return {
    async resolve(ref) {
      const body = JSON.stringify(ref);
      const response = await call('/runtime/resolve', { method: 'POST', headers: json, body });
      return (await response.json()) as ServedVersion;
    },
    async predict(ref, tensors, options) {
      const head = { ref, options: wireOptions(options) };
      const response = await call(
        '/runtime/predict',
        {
          method: 'POST',
          headers: { 'content-type': tensorFrameType, ...authorization },
          body: encodeTensorFrame({ head, tensors }),
        },
        options.signal,
      );
      const frame = decodeTensorFrame(await bytesOf(response, options.signal));
      return { ...(frame.head as Omit<PredictResult, 'outputs'>), outputs: frame.tensors };
    },
    async *generate(ref, generation, options) {
      const body = JSON.stringify({ ref, generation, options: wireOptions(options) });
      const response = await call(
        '/runtime/generate',
        { method: 'POST', headers: json, body },
        options.signal,
      );
      yield* eventsOf(response, options.signal);
    },
    async models(tenant) {
      const query = tenant === undefined ? '' : `?tenant=${encodeURIComponent(tenant)}`;
      const response = await call(`/runtime/models${query}`, { headers: authorization });
      return (await response.json()) as readonly ServedVersion[];
    },
    async ready(): Promise<readonly Check[]> {
      try {
        const response = await fetch(new URL('/health/ready', url), {
          signal: AbortSignal.timeout(2_000),
        });
        return [{ name: 'inference runtime', ok: response.ok }];
      } catch {
        return [{ name: 'inference runtime', ok: false, detail: 'it does not answer' }];
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

function wireOptions({ requestId, tenant, priority, deadlineMs }: RequestOptions) {
  return { requestId, tenant, priority, deadlineMs };
}

async function bytesOf(response: Response, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (reason) {
    if (signal.aborted) throw cancelled({}, reason);
    throw unavailable({ retryAfterMs: 1_000 }, reason);
  }
}

async function errorOf(response: Response): Promise<Error> {
  const body: unknown = await response.json().catch(() => undefined);
  return parseError(body) ?? unavailable({ retryAfterMs: 1_000 });
}

/** An error as the runtime writes it: `{error: {code, status, message, details}}`. */
function parseError(body: unknown): PlatformError | undefined {
  const { error } = (body ?? {}) as { error?: Partial<WireRuntimeError> };
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') return undefined;
  const { code, message, status = 500, details = {} } = error;
  return new PlatformError({ code, status }, message, { details });
}

export interface WireRuntimeError {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One JSON event per line; a line with `error` ends the stream by throwing it. */
async function* eventsOf(response: Response, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let finished = false;
  try {
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const parsed: unknown = JSON.parse(line);
        const error = parseError(parsed);
        if (error) throw error;
        const event = parsed as GenerationEvent;
        finished = event.type === 'finished';
        yield event;
      }
    }
  } catch (reason) {
    if (reason instanceof PlatformError) throw reason;
    if (signal.aborted) throw cancelled({}, reason);
    throw unavailable({ retryAfterMs: 1_000 }, reason);
  }
  if (!finished) throw unavailable({ retryAfterMs: 1_000 });
}
