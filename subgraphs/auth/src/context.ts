import type { Viewer } from '@opea/kernel/auth';
import type { ContextSource } from '@opea/kernel/subgraph';
import type { Cause } from './feed/outbox.ts';
import { type Reader, readerOf } from './reader.ts';
import type { Services } from './services.ts';

/** What every resolver gets. */
export interface Context extends Services {
  readonly viewer: Viewer;
  readonly signal: AbortSignal;
  readonly reader: Reader;
  /** What a change made now is put down to. */
  cause(): Cause;
}

export function contextOf(services: Services, { viewer, request }: ContextSource): Context {
  const { correlationId, signal } = request;
  const { database, clock } = services;
  const { id: actor, tenant } = viewer;
  return {
    ...services,
    viewer,
    signal,
    reader: readerOf({ database, tenant, signal }),
    cause: () => ({ tenant, actor, correlationId, at: clock() }),
  };
}
