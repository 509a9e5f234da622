import type { Viewer } from '@opea/kernel/auth';
import type { ContextSource } from '@opea/kernel/subgraph';
import { type ModelReader, modelReader } from './model/model-reader.ts';
import type { Services } from './services.ts';

/** An entity that another subgraph resolves. */
export interface EntityRef {
  readonly id: string;
}

/** A feature view, which the feature subgraph resolves. */
export interface ViewRef {
  readonly name: string;
  readonly version: number;
}

/** What every resolver gets. */
export interface Context extends Services {
  readonly viewer: Viewer;
  readonly correlationId: string;
  readonly signal: AbortSignal;
  readonly reader: ModelReader;
}

export function contextOf(services: Services, { viewer, request }: ContextSource): Context {
  const { correlationId, signal } = request;
  const { database } = services;
  return {
    ...services,
    viewer,
    correlationId,
    signal,
    reader: modelReader({ database, tenant: viewer.tenant, signal }),
  };
}
