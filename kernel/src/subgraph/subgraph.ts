import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLScalarType } from 'graphql';
import type { ContextVerifier, VerifiedContext } from '../auth/index.ts';
import type { Check } from '../health/index.ts';
import type { RouteTable, UpgradeListener } from '../http/index.ts';
import type { Logger } from '../log/index.ts';
import type { Metrics } from '../metrics/index.ts';
import type { SubgraphEndpoint } from './graph-call.ts';

/** A running subgraph: call it in this process (`endpoint`) or put it on a port (`listener`, `onUpgrade`). */
export interface Subgraph extends AsyncDisposable {
  readonly name: string;
  readonly endpoint: SubgraphEndpoint;
  readonly sdl: string;
  /** `POST /graphql`, `GET /health/live`, `/health/ready`, `/metrics`, and the subgraph's own routes. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
  /** graphql-transport-ws at `/graphql`. */
  readonly onUpgrade: UpgradeListener;
}

/** What a context is made from. The factory runs once per operation, and once per event of a subscription. */
export interface ContextSource {
  readonly viewer: VerifiedContext;
  readonly request: CallInfo;
}

export interface CallInfo {
  readonly correlationId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the caller gives up or the deadline passes, and when a subscription is left: its source must heed it. */
  readonly signal: AbortSignal;
}

/** Resolvers by type and field; the precise types are the generated ones of each subgraph. */
export type ResolverMap = Readonly<Record<string, object | GraphQLScalarType>>;

export interface SubgraphOptions<Context> {
  readonly name: string;
  /** Federation 2 SDL; several parts are joined. */
  readonly typeDefs: string | readonly string[];
  readonly resolvers: ResolverMap;
  /** Makes the resolvers' context: their viewer, and DataLoaders that live exactly this long. */
  readonly context: (source: ContextSource) => Context | Promise<Context>;
  /** Accepts only tokens for `opea:<name>`. */
  readonly verifier: ContextVerifier;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly routes?: RouteTable;
  readonly ready?: () => Promise<readonly Check[]>;
  /** Default 20 levels of fields. */
  readonly maxDepth?: number;
  /** Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** How long a query or mutation may take; default 30,000 ms. */
  readonly timeoutMs?: number;
  /** Subscriptions per WebSocket, default 1,000. */
  readonly maxSubscriptions?: number;
}
