import { clampFirst, connection, decodeCursor } from '@opea/kernel/pagination';
import { policy } from '@opea/schema/policy';
import type { Resolvers } from '../generated/resolvers.ts';
import { tensorBase64, tensorValues } from '../tensor/tensor-codec.ts';

export const predictionResolvers: Pick<
  Resolvers,
  'Query' | 'Mutation' | 'Prediction' | 'Tensor' | 'ModelVersion'
> = {
  Query: {
    async prediction(_root, { id }, { viewer, predictions }) {
      policy.demand(viewer, 'inference:read', viewer);
      return (await predictions.find(viewer.tenant, id)) ?? null;
    },
    async predictions(_root, { filter, first, after }, { viewer, predictions }) {
      policy.demand(viewer, 'inference:read', viewer);
      const size = clampFirst(first);
      const before = decodeCursor(after)?.[0];
      const rows = await predictions.list(viewer.tenant, {
        limit: size + 1,
        before: before === undefined ? undefined : String(before),
        versionId: filter?.modelVersionId ?? undefined,
      });
      return connection({ rows, first: size, after, cursorOf: ({ id }) => [id] });
    },
  },
  Mutation: {
    predict(_root, { input }, context) {
      policy.demand(context.viewer, 'inference:predict', context.viewer);
      return context.predictions.predict(input, context);
    },
  },
  Prediction: {
    async __resolveReference({ id }, { viewer, predictions }) {
      policy.demand(viewer, 'inference:read', viewer);
      return (await predictions.find(viewer.tenant, id)) ?? null;
    },
    modelVersion: ({ version_id: id }) => ({ id }),
    features: ({ features }) => features.map((id) => ({ id })),
    requestedBy: ({ principal_id: id }) => ({ id }),
  },
  Tensor: {
    data: (tensor) => tensorValues(tensor),
    base64: (tensor) => tensorBase64(tensor),
  },
  ModelVersion: {
    __resolveReference: ({ id }) => ({ id }),
    async serving({ id }, _arguments, { viewer, served }) {
      policy.demand(viewer, 'model:read', viewer);
      const version = await served.load(id);
      return { state: version?.state ?? 'UNLOADED', reason: version?.reason ?? null };
    },
  },
};
