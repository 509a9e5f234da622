import { internalError, type PlatformError, unavailable } from '@opea/kernel/errors';
import type { GraphCall, GraphRequest, GraphResult } from '@opea/kernel/subgraph';
import { type Dispatcher, Pool } from 'undici';

export interface HttpSourceOptions {
  readonly url: string;
  /** Connections kept alive. @default 64 */
  readonly connections?: number | undefined;
  /** Size of one answer. @default 10 MiB */
  readonly maxAnswerBytes?: number | undefined;
}

/** Queries and mutations of a subgraph over HTTP (GraphQL over HTTP), on connections kept alive. */
export interface HttpSource extends AsyncDisposable {
  execute(request: GraphRequest, call: GraphCall): Promise<GraphResult>;
}

export function httpSource(options: HttpSourceOptions): HttpSource {
  const { connections = 64, maxAnswerBytes = 10 * 1024 * 1024 } = options;
  const url = new URL(options.url);
  const pool = new Pool(url.origin, { connections, pipelining: 1 });
  const path = url.pathname + url.search;
  return {
    async execute(request, { headers, signal }) {
      const response = await pool.request({
        path,
        method: 'POST',
        headers: { ...headers, ...jsonHeaders },
        body: JSON.stringify(request),
        signal,
      });
      const text = await readText(response.body, maxAnswerBytes);
      return toResult(text, response.statusCode);
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
    },
  };
}

const jsonHeaders = {
  'content-type': 'application/json',
  accept: 'application/graphql-response+json, application/json',
};

async function readText(body: Dispatcher.ResponseData['body'], maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > maxBytes) {
      body.destroy();
      throw unusable('The answer is too large');
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  return (chunks.length === 1 && only ? only : Buffer.concat(chunks, size)).toString('utf8');
}

function toResult(text: string, status: number): GraphResult {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw status >= 500 ? unreachable(status) : unusable('The answer is not JSON', cause);
  }
  if (isResult(answer)) return answer;
  throw status >= 500 ? unreachable(status) : unusable('The answer is not one of GraphQL');
}

/** Whoever joins the answer looks at every part before using it. */
function isResult(answer: unknown): answer is GraphResult {
  return typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
}

function unusable(reason: string, cause?: unknown): PlatformError {
  return internalError({ errorId: '' }, new Error(reason, { cause }));
}

function unreachable(status: number): PlatformError {
  return unavailable({ retryAfterMs: 1_000 }, new Error(`The subgraph answered ${status}`));
}
