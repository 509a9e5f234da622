import { clampFirst, connection } from '@opea/kernel/pagination';
import { policy } from '@opea/schema/policy';
import type { Context } from '../context.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { modelCursor } from './model-store.ts';

export const queries: QueryResolvers = {
  async model(_root, { name, asOf, consistency }, context) {
    await demandRead(context, consistency);
    return (await context.reader.modelNamed({ name, asOf: asOf ?? undefined })) ?? null;
  },

  async models(_root, { filter, orderBy, first, after, asOf, consistency }, context) {
    await demandRead(context, consistency);
    const page = clampFirst(first);
    const order = orderBy ?? 'NAME';
    const { rows, totalCount } = await context.reader.models({
      asOf: asOf ?? undefined,
      filter: filter ?? {},
      orderBy: order,
      first: page,
      after,
    });
    return {
      ...connection({ rows, first: page, after, cursorOf: modelCursor(order) }),
      totalCount,
    };
  },

  async modelVersion(_root, { id, consistency }, context) {
    await demandRead(context, consistency);
    return (await context.reader.version({ id, asOf: undefined })) ?? null;
  },
};

async function demandRead(
  { viewer, visibility, signal }: Context,
  consistency: { readonly atLeast: string } | null | undefined,
): Promise<void> {
  policy.demand(viewer, 'model:read', { tenant: viewer.tenant });
  if (consistency) await visibility.waitFor(consistency.atLeast, signal);
}
