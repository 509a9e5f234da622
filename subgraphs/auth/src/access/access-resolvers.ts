import { explain, type Guarded } from '@opea/schema/policy';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';

export const accessResolvers: {
  readonly Query: Pick<NonNullable<Resolvers['Query']>, 'explainAccess'>;
} = {
  Query: {
    async explainAccess(_root, { action, resource }, context) {
      const guarded = await guardedBy(context, resource);
      return { action, ...explain(context.viewer, action, guarded) };
    },
  },
};

/** What is known here of a resource. Of ids of other services only that they are asked for inside the caller's tenant. */
async function guardedBy(
  { viewer, reader }: Pick<Context, 'viewer' | 'reader'>,
  resource: string | null | undefined,
): Promise<Guarded> {
  const { tenant } = viewer;
  if (resource?.startsWith('prn_')) {
    const principal = await reader.principal(resource);
    return principal ? { tenant, ownerId: principal.id } : elsewhere;
  }
  if (resource?.startsWith('key_')) {
    const key = await reader.key(resource);
    return key ? { tenant, ownerId: key.principalId } : elsewhere;
  }
  if (resource?.startsWith('tnt_') && resource !== tenant) return elsewhere;
  return { tenant };
}

/** Absent and foreign are the same. */
const elsewhere: Guarded = { tenant: '' };
