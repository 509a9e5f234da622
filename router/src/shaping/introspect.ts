import {
  executeSync,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';

import type { ObjectShape } from './object-shape.ts';

export interface IntrospectRequest {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly shape: ObjectShape;
  readonly typename: string;
}

/** Answers `__schema` and `__type` from the API schema, under the client's keys. */
export function introspect(request: IntrospectRequest): Readonly<Record<string, unknown>> {
  const { schema, operation, fragments, variables, shape, typename } = request;
  const asked = (shape.fieldsOf(typename) ?? []).filter(
    (field) => field.name === '__schema' || field.name === '__type',
  );
  const result = executeSync({
    schema,
    variableValues: variables,
    document: {
      kind: Kind.DOCUMENT,
      definitions: [
        {
          ...operation,
          directives: [],
          selectionSet: {
            kind: Kind.SELECTION_SET,
            selections: asked.flatMap((field) => field.nodes),
          },
        },
        ...fragments.values(),
      ],
    },
  });
  return result.data ?? {};
}
