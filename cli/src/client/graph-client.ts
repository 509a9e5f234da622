import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { CommandFailed, exitCode } from '../exit.ts';
import type { Connection } from './connection.ts';

export type Variables = Readonly<Record<string, unknown>>;

/** A file as it lies in the object store. */
export interface UploadedFile {
  readonly digest: string;
  readonly size: number;
}

/** Talks to a running platform as any application would: over HTTP and WebSocket, with an API key. */
export interface GraphClient extends AsyncDisposable {
  readonly url: string;
  /** The data of a query or mutation. Throws CommandFailed with the platform's code and sentence. */
  ask<Data>(query: string, variables?: Variables): Promise<Data>;
  /** The data of each event. Leaving the iteration, or aborting, unsubscribes. */
  follow<Data>(query: string, variables: Variables, signal: AbortSignal): AsyncIterable<Data>;
  upload(file: string): Promise<UploadedFile>;
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly Failure[];
}

interface Failure {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly retryAfterMs?: number };
}

export function graphClient({ url, apiKey }: Connection): GraphClient {
  const headers = { authorization: `Bearer ${apiKey}` };
  const endpoint = `${url}/graphql`;
  let socket: Client | undefined;

  return {
    url,

    async ask<Data>(query: string, variables: Variables = {}): Promise<Data> {
      const response = await reach(endpoint, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json',
        },
        body: JSON.stringify({ query, variables }),
      });
      const answer: Answer = await readAnswer(response);
      if (answer.errors?.[0]) throw failed(answer.errors);
      return answer.data as Data;
    },

    async *follow<Data>(query: string, variables: Variables, signal: AbortSignal) {
      socket ??= createClient({
        url: endpoint.replace(/^http/, 'ws'),
        webSocketImpl: WebSocket,
        connectionParams: { authorization: headers.authorization },
        retryAttempts: 0,
      });
      const events = socket.iterate<Data>({ query, variables });
      const leave = () => void events.return?.();
      signal.addEventListener('abort', leave, { once: true });
      try {
        for await (const event of events) {
          if (event.errors?.[0]) throw failed(event.errors);
          if (event.data) yield event.data as Data;
        }
      } catch (error) {
        throw asCommandFailed(error, url);
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },

    async upload(file) {
      const { size } = await stat(file);
      const response = await reach(`${url}/artifacts`, {
        method: 'PUT',
        headers: {
          ...headers,
          'content-type': 'application/octet-stream',
          'content-length': String(size),
        },
        body: Readable.toWeb(createReadStream(file)) as RequestInit['body'],
        duplex: 'half',
      } as RequestInit);
      const answer: unknown = await response.json().catch(() => undefined);
      if (!response.ok) throw failed(failuresOf(answer, response.status));
      return answer as UploadedFile;
    },

    async [Symbol.asyncDispose]() {
      await socket?.dispose();
    },
  };

  async function reach(address: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(address, init);
    } catch (cause) {
      throw unreachable(url, cause);
    }
  }
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new CommandFailed(
      `The address does not answer as a graph (HTTP ${response.status}). Is --url right?`,
      { exitCode: exitCode.unreachable },
    );
  }
}

function failed(failures: readonly Failure[]): CommandFailed {
  const [first] = failures;
  const code = first?.extensions?.code;
  const refused = code === 'UNAUTHENTICATED';
  return new CommandFailed(first?.message ?? 'The platform failed.', {
    exitCode: refused ? exitCode.unreachable : exitCode.failed,
    ...(code ? { code } : {}),
  });
}

function failuresOf(answer: unknown, status: number): readonly Failure[] {
  if (typeof answer === 'object' && answer !== null && 'errors' in answer)
    return answer.errors as readonly Failure[];
  return [{ message: `The platform refused the upload (HTTP ${status}).` }];
}

function asCommandFailed(error: unknown, url: string): CommandFailed {
  if (error instanceof CommandFailed) return error;
  if (Array.isArray(error)) return failed(error as readonly Failure[]);
  return unreachable(url, error);
}

const unreachable = (url: string, cause: unknown) =>
  new CommandFailed(`Nobody answers at ${url}. Is the platform up? \`opea up\` starts one.`, {
    exitCode: exitCode.unreachable,
    cause,
  });
