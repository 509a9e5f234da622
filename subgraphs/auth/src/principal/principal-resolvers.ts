import { badUserInput, unauthenticated } from '@opea/kernel/errors';
import { clampFirst, connection, decodeCursor } from '@opea/kernel/pagination';
import { policy } from '@opea/schema/policy';
import { keysOf } from '../api-key/key-page.ts';
import { principalNotFound } from '../errors.ts';
import type { Resolvers } from '../generated/resolvers.ts';

type Part = {
  readonly Query: Pick<NonNullable<Resolvers['Query']>, 'me' | 'principal' | 'principals'>;
  readonly Mutation: Pick<NonNullable<Resolvers['Mutation']>, 'createPrincipal' | 'assignRoles'>;
} & Pick<Resolvers, 'Principal'>;

export const principalResolvers: Part = {
  Query: {
    async me(_root, _args, { viewer, reader }) {
      const me = await reader.principal(viewer.id);
      if (!me) throw unauthenticated({});
      return me;
    },
    async principal(_root, { name }, { viewer, reader }) {
      const ownerId = name === viewer.name ? viewer.id : undefined;
      policy.demand(viewer, 'principal:read', { tenant: viewer.tenant, ownerId });
      return (await reader.principalNamed(name)) ?? null;
    },
    async principals(_root, { first, after }, { viewer, reader }) {
      policy.demand(viewer, 'principal:list', viewer);
      const page = clampFirst(first);
      const rows = await reader.principals({ after: nameAfter(after), limit: page + 1 });
      return connection({ rows, first: page, after, cursorOf: ({ name }) => [name] });
    },
  },

  Mutation: {
    async createPrincipal(_root, { input }, { viewer, principals, reader, cause }) {
      policy.demand(viewer, 'principal:create', viewer);
      const { id, position } = await principals.create(input, cause());
      return { principal: await existing(reader.principal(id), id), position };
    },
    async assignRoles(_root, { input }, { viewer, principals, reader, cause }) {
      policy.demand(viewer, 'roles:assign', viewer);
      const { principalId } = input;
      const position = await principals.assignRoles(input, cause());
      return { principal: await existing(reader.principal(principalId), principalId), position };
    },
  },

  Principal: {
    async __resolveReference({ id }, { viewer, reader }) {
      policy.demand(viewer, 'principal:read', { tenant: viewer.tenant, ownerId: id });
      return (await reader.principal(id)) ?? null;
    },
    apiKeys: ({ id }, page, context) => keysOf(context, id, page),
  },
};

async function existing<Value>(found: Promise<Value | undefined>, id: string): Promise<Value> {
  const value = await found;
  if (value === undefined) throw principalNotFound({ id });
  return value;
}

function nameAfter(after: string | null | undefined): string {
  const name = decodeCursor(after)?.at(0) ?? '';
  if (typeof name === 'string') return name;
  throw badUserInput({ field: 'after', reason: 'This cursor is not one of ours.' });
}
