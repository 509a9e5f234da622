import { clampFirst, connection } from '@opea/kernel/pagination';
import { policy } from '@opea/schema/policy';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { historyOf } from './history.ts';
import { present } from './present.ts';
import { numberBefore, versionCursor } from './version-store.ts';

export const modelTypes: Pick<Resolvers, 'Model' | 'ModelAlias' | 'ModelEvent'> = {
  Model: {
    async __resolveReference(reference, { viewer, reader }) {
      policy.demand(viewer, 'model:read', viewer);
      const found = await ('id' in reference
        ? reader.model({ id: reference.id, asOf: undefined })
        : reader.modelNamed({ name: reference.name, asOf: undefined }));
      return found ?? null;
    },
    owner: ({ ownerId }) => ({ id: ownerId }),
    async versions({ id: modelId, asOf }, { first, after }, { reader }) {
      const page = clampFirst(first);
      const [rows, totalCount] = await Promise.all([
        reader.versions({ modelId, asOf, first: page, before: numberBefore(after) }),
        reader.versionCount({ modelId, asOf }),
      ]);
      return { ...connection({ rows, first: page, after, cursorOf: versionCursor }), totalCount };
    },
    version: async ({ id: modelId, asOf }, { number }, { reader }) =>
      (await reader.versionNumbered({ modelId, number, asOf })) ?? null,
    alias: ({ id: modelId, asOf }, { name }, context) =>
      pointedAt(context, { modelId, asOf, name }),
    aliases: ({ id: modelId, asOf }, _args, { reader }) => reader.aliases({ modelId, asOf }),
    history: (model, { first, after }, { store, viewer }) =>
      historyOf(store, model, { tenant: viewer.tenant, first, after }),
  },

  ModelAlias: {
    version: async ({ versionId: id, asOf }, _args, { reader }) =>
      present(await reader.version({ id, asOf })),
    movedBy: ({ movedBy }) => ({ id: movedBy }),
  },

  ModelEvent: { by: ({ actor }) => ({ id: actor }) },
};

/** The version that a model's alias points at, null when it points nowhere. */
export async function pointedAt(
  { reader }: Pick<Context, 'reader'>,
  alias: { readonly modelId: string; readonly name: string; readonly asOf: Date | undefined },
) {
  const { modelId, asOf, name } = alias;
  const found = (await reader.aliases({ modelId, asOf })).find((each) => each.name === name);
  return found ? ((await reader.version({ id: found.versionId, asOf })) ?? null) : null;
}
