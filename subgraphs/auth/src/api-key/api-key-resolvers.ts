import { policy } from '@opea/schema/policy';
import { apiKeyNotFound, principalNotFound } from '../errors.ts';
import type { Resolvers } from '../generated/resolvers.ts';

type Part = {
  readonly Mutation: Pick<NonNullable<Resolvers['Mutation']>, 'createApiKey' | 'revokeApiKey'>;
} & Pick<Resolvers, 'ApiKey'>;

export const apiKeyResolvers: Part = {
  Mutation: {
    async createApiKey(_root, { input }, { viewer, apiKeys, reader, cause }) {
      const { name, expiresInDays } = input;
      const principalId = input.principalId ?? viewer.id;
      policy.demand(viewer, 'api-key:create', { tenant: viewer.tenant, ownerId: principalId });
      const key = { principalId, name, expiresInDays: expiresInDays ?? undefined };
      const { id, secret, position } = await apiKeys.create(key, cause());
      return { apiKey: await existing(reader.key(id), id), secret, position };
    },
    async revokeApiKey(_root, { input: { id } }, { viewer, apiKeys, reader, cause }) {
      const ownerId = (await reader.key(id))?.principalId;
      policy.demand(viewer, 'api-key:revoke', { tenant: viewer.tenant, ownerId });
      const position = await apiKeys.revoke(id, cause());
      return { apiKey: await existing(reader.key(id), id), position };
    },
  },

  ApiKey: {
    async __resolveReference({ id }, { viewer, reader }) {
      const key = await reader.key(id);
      const resource = { tenant: viewer.tenant, ownerId: key?.principalId };
      return key && policy.allows(viewer, 'api-key:read', resource) ? key : null;
    },
    async principal({ principalId: id }, _args, { reader }) {
      const principal = await reader.principal(id);
      if (!principal) throw principalNotFound({ id });
      return principal;
    },
  },
};

async function existing<Value>(found: Promise<Value | undefined>, id: string): Promise<Value> {
  const value = await found;
  if (value === undefined) throw apiKeyNotFound({ id });
  return value;
}
