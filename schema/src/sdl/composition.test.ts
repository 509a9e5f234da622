import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { transformSupergraphToPublicSchema } from '@theguild/federation-composition';
import {
  buildASTSchema,
  findBreakingChanges,
  findDangerousChanges,
  type GraphQLSchema,
  Kind,
  parse,
  visit,
} from 'graphql';
import { expect, test } from 'vitest';
import { subgraphSdl, supergraphSdl } from './index.ts';

const ours = buildASTSchema(transformSupergraphToPublicSchema(parse(supergraphSdl)), {
  assumeValid: true,
});

test('the reference implementation composes the same graph', () => {
  const { supergraphSdl: theirs, errors } = composeServices(
    Object.entries(subgraphSdl).map(([name, sdl]) => ({
      name,
      url: `http://${name}.opea`,
      typeDefs: parse(sdl),
    })),
  );
  expect(errors ?? []).toEqual([]);
  const reference = Supergraph.build(theirs ?? '')
    .apiSchema()
    .toGraphQLJSSchema();

  expect(differences(ours, reference)).toEqual([]);
});

test('every type, field, argument and value says what it is', () => {
  expect(Object.values(subgraphSdl).flatMap(silentParts)).toEqual([]);
});

const roots = new Set(['Query', 'Mutation', 'Subscription']);

function silentParts(sdl: string): readonly string[] {
  const silent: string[] = [];
  const heard = (node: object, coordinate: string) => {
    if (!('description' in node) || !node.description) silent.push(coordinate);
  };
  visit(parse(sdl), {
    enter(node, _key, _parent, _path, ancestors) {
      if (!('name' in node) || !node.name || !isDescribable(node)) return;
      const owners = ancestors.filter((owner) => 'kind' in owner && isDescribable(owner));
      const names = [...owners, node].map((part) => ('name' in part ? part.name?.value : ''));
      if (!roots.has(names.join('.'))) heard(node, names.join('.'));
    },
  });
  return silent;
}

const describable = new Set<string>([
  Kind.OBJECT_TYPE_DEFINITION,
  Kind.INPUT_OBJECT_TYPE_DEFINITION,
  Kind.ENUM_TYPE_DEFINITION,
  Kind.UNION_TYPE_DEFINITION,
  Kind.SCALAR_TYPE_DEFINITION,
  Kind.FIELD_DEFINITION,
  Kind.INPUT_VALUE_DEFINITION,
  Kind.ENUM_VALUE_DEFINITION,
]);

const isDescribable = (node: object): boolean =>
  'kind' in node && describable.has(String(node.kind));

function differences(a: GraphQLSchema, b: GraphQLSchema): readonly string[] {
  return [
    ...findBreakingChanges(a, b),
    ...findBreakingChanges(b, a),
    ...findDangerousChanges(a, b),
    ...findDangerousChanges(b, a),
  ].map(({ description }) => description);
}
