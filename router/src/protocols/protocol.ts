import type { Clock } from '@opea/kernel/clock';
import type { ErrorDetails, PlatformError } from '@opea/kernel/errors';
import type { RouteParams } from '@opea/kernel/http';
import type { z } from 'zod';
import type { Exchange } from '../front/exchange.ts';

/** A way to ask the graph that is not GraphQL: each of its requests becomes an operation of the graph. */
export interface Protocol {
  readonly name: 'oip' | 'openai';
  /** Every path that is this or below it belongs to the protocol. */
  readonly prefix: string;
  /** By method and path; `:name` matches one segment. */
  readonly routes: Readonly<Record<string, ProtocolRoute>>;
  /** A refusal as this protocol's clients read it. */
  refusal(error: PlatformError): object;
}

export interface ProtocolRoute {
  /** Answered without a credential. */
  readonly open?: boolean;
  handle(call: ProtocolCall): Promise<void>;
}

/** One request, with the graph behind it as its caller may use it. */
export interface ProtocolCall {
  readonly exchange: Exchange;
  readonly params: RouteParams;
  readonly clock: Clock;
  /** The body within the router's limits. Throws refusals. */
  body(): Promise<Buffer>;
  /** Throws when parsed JSON is nested too deeply or uses a reserved name. */
  demandShape(value: unknown): void;
  /** Asks a query or mutation. Throws the graph's refusal. */
  ask<Data>(operation: GraphAsk<Data>): Promise<Data>;
  /** Subscribes. The first answer is here when this resolves: a refusal before it is thrown. */
  open<Data>(operation: GraphAsk<Data>): Promise<AsyncIterable<Data>>;
  /** Hands every item to `take`, within the time of a request. Throws when the client leaves. */
  collect<Item>(source: AsyncIterable<Item>, take: (item: Item) => void): Promise<void>;
  /** Answers with one document. */
  send(answer: Reply): void;
  /** Answers with an event stream: `frame` writes each item, `done` ends it. */
  stream<Item>(source: AsyncIterable<Item>, frames: StreamFrames<Item>): Promise<void>;
}

export interface GraphAsk<Data> {
  /** One named operation. */
  readonly document: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Reads the answer's data. */
  readonly data: z.ZodType<Data>;
}

export interface Reply {
  readonly status?: number;
  readonly body: object | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StreamFrames<Item> {
  /** The text of zero or more events. */
  frame(item: Item): string;
  readonly done: string;
}

/** Details of a refusal that name what was wrong with the request. */
export interface FieldDetails extends ErrorDetails {
  readonly field: string;
  readonly problem: string;
}
