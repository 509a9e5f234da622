import type { Viewer } from '@opea/kernel/auth';
import type { ContextSource } from '@opea/kernel/subgraph';
import type { ServedVersion } from '@opea/schema/runtime';
import DataLoader from 'dataloader';
import type { Services } from './services.ts';

/** An entity that another subgraph resolves. */
export interface EntityRef {
  readonly id: string;
}

/** What every resolver gets. */
export interface Context extends Services {
  readonly viewer: Viewer;
  readonly correlationId: string;
  readonly signal: AbortSignal;
  /** What the runtime knows of a version, by its id; `undefined` when it knows nothing. */
  readonly served: DataLoader<string, ServedVersion | undefined>;
}

export function contextOf(services: Services, { viewer, request }: ContextSource): Context {
  const { correlationId, signal } = request;
  return {
    ...services,
    viewer,
    correlationId,
    signal,
    served: new DataLoader(async (ids) => {
      const known = await services.runtime.models(viewer.tenant);
      const byId = new Map(known.map((version) => [version.versionId, version]));
      return ids.map((id) => byId.get(id));
    }),
  };
}
