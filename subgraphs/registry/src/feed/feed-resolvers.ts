import { policy } from '@opea/schema/policy';
import type { Resolvers } from '../generated/resolvers.ts';
import { type RegistryEventSource, registryFeed } from './registry-feed.ts';

export const feedResolvers: Pick<Resolvers, 'Subscription' | 'RegistryEvent'> = {
  Subscription: {
    registryEvents: {
      subscribe(_root, { types, after }, { viewer, bus, logger, signal }) {
        policy.demand(viewer, 'registry-events:read', viewer);
        return registryFeed({ bus, logger, tenant: viewer.tenant, types, after, signal });
      },
      resolve: (event: RegistryEventSource) => event,
    },
  },

  RegistryEvent: {
    async model({ modelId: id }, _args, { reader, visibility, signal }) {
      await visibility.catchUp(signal);
      return (await reader.model({ id, asOf: undefined })) ?? null;
    },
    async modelVersion({ versionId: id }, _args, { reader, visibility, signal }) {
      if (id === undefined) return null;
      await visibility.catchUp(signal);
      return (await reader.version({ id, asOf: undefined })) ?? null;
    },
  },
};
