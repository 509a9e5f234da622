import { unauthenticated } from '@opea/kernel/errors';
import type { Resolvers } from '../generated/resolvers.ts';

export const tenantResolvers: {
  readonly Query: Pick<NonNullable<Resolvers['Query']>, 'tenant'>;
} & Pick<Resolvers, 'Tenant'> = {
  Query: {
    async tenant(_root, _args, { reader }) {
      const tenant = await reader.tenant();
      if (!tenant) throw unauthenticated({});
      return tenant;
    },
  },
  Tenant: {
    __resolveReference: async ({ id }, { viewer, reader }) =>
      id === viewer.tenant ? ((await reader.tenant()) ?? null) : null,
  },
};
