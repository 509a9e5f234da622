import { badUserInput } from '@opea/kernel/errors';
import { mapped } from '@opea/kernel/iteration';
import { clampFirst, connection, decodeCursor } from '@opea/kernel/pagination';
import { policy } from '@opea/schema/policy';
import type { Resolvers } from './generated/resolvers.ts';
import { usageOf } from './usage/usage-store.ts';
import { bucketWidth, rangeOf } from './window/window.ts';

export const resolvers: Omit<Resolvers, 'DateTime' | 'JSON' | 'BigInt' | 'Duration'> = {
  Query: {
    async serving(_root, { window, first, after }, { viewer, serving, metricsOf, clock }) {
      policy.demand(viewer, 'analytics:read', viewer);
      const range = rangeOf(window, clock());
      const page = pageOf(first, after);
      const busiest = await serving.busiest(viewer.tenant, range, page);
      const everyMs = bucketWidth(range, undefined);
      const rows = await Promise.all(
        busiest.map(async ({ versionId }, index) => ({
          offset: page.offset + index + 1,
          modelVersion: { id: versionId },
          metrics: await metricsOf.load({ versionId, range, everyMs }),
        })),
      );
      return connection({ rows, first: page.size, after, cursorOf: ({ offset }) => [offset] });
    },
    async usage(_root, { window, first, after }, { viewer, database, clock }) {
      policy.demand(viewer, 'analytics:read-usage', viewer);
      const range = rangeOf(window, clock());
      const page = pageOf(first, after);
      const usage = await usageOf(database, viewer.tenant, range, page);
      const rows = usage.map((row, index) => ({
        ...row,
        offset: page.offset + index + 1,
        principal: { id: row.principalId },
      }));
      return connection({ rows, first: page.size, after, cursorOf: ({ offset }) => [offset] });
    },
  },
  Subscription: {
    servingMetrics: {
      subscribe(_root, { model, everyMs }, { viewer, live, signal }) {
        policy.demand(viewer, 'analytics:read', viewer);
        if (everyMs < 250 || everyMs > 60_000)
          throw badUserInput({ reason: 'everyMs is 250 to 60,000.', field: 'everyMs' });
        const { tenant } = viewer;
        const updates = live.watch({ tenant, model: model ?? undefined, everyMs, signal });
        return mapped(updates, (update) => ({ servingMetrics: update }));
      },
    },
  },
  ServingUpdate: {
    modelVersion: ({ versionId: id }) => ({ id }),
  },
  ModelVersion: {
    __resolveReference: ({ id }) => ({ id }),
    metrics({ id }, { window, every }, { viewer, metricsOf, clock }) {
      policy.demand(viewer, 'analytics:read', viewer);
      const range = rangeOf(window, clock());
      return metricsOf.load({ versionId: id, range, everyMs: bucketWidth(range, every) });
    },
  },
};

function pageOf(first: number, after: string | null | undefined) {
  const size = clampFirst(first);
  const [offset] = decodeCursor(after) ?? [0];
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0)
    throw badUserInput({ reason: 'This cursor is not one of ours.', field: 'after' });
  return { size, limit: size + 1, offset };
}
