import { policy } from '@opea/schema/policy';
import type { Resolvers } from '../generated/resolvers.ts';
import { present } from './present.ts';

export const versionTypes: Pick<
  Resolvers,
  'ModelVersion' | 'ArtifactFile' | 'TensorSpec' | 'FeatureView'
> = {
  ModelVersion: {
    async __resolveReference({ id }, { viewer, reader }) {
      policy.demand(viewer, 'model:read', viewer);
      return (await reader.version({ id, asOf: undefined })) ?? null;
    },
    model: async ({ modelId: id, asOf }, _args, { reader }) =>
      present(await reader.model({ id, asOf })),
    async aliases({ id: versionId, asOf }, _args, { reader }) {
      return (await reader.aliasesAt({ versionId, asOf })).map(({ name }) => name);
    },
    parents: ({ parentIds, asOf }, _args, { reader }) =>
      Promise.all(parentIds.map(async (id) => present(await reader.version({ id, asOf })))),
    publishedBy: ({ publishedBy }) => ({ id: publishedBy }),
  },

  ArtifactFile: { sizeBytes: ({ size }) => size },

  TensorSpec: { shape: ({ shape }) => shape.map(String) },

  FeatureView: {
    __resolveReference: ({ name, version }) => ({ name, version }),
    usedBy({ name, version }, _args, { viewer, reader }) {
      policy.demand(viewer, 'model:read', viewer);
      return reader.usersOf({ name, version, asOf: undefined });
    },
  },
};
