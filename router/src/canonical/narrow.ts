import {
  type GraphQLCompositeType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

import type { Supergraph } from './supergraph.ts';

/**
 * The type that selections in a fragment are written against. A condition that always holds
 * changes nothing; undefined when the fragment can never apply.
 */
export function narrow(
  supergraph: Supergraph,
  scope: GraphQLCompositeType,
  condition: string | undefined,
): GraphQLCompositeType | undefined {
  if (condition === undefined || condition === scope.name) return scope;
  const type = supergraph.apiSchema.getType(condition);
  if (!isCompositeType(type)) return undefined;
  if (
    isAbstractType(type) &&
    (isObjectType(scope) || isInterfaceType(scope)) &&
    supergraph.apiSchema.isSubType(type, scope)
  ) {
    return scope;
  }
  return isObjectType(scope) ? undefined : type;
}
