import { buildSchema, type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { estimateCost } from './cost.ts';
import { demandHints } from './demand.ts';

const sdl = `
  directive @cost(weight: Int!) on FIELD_DEFINITION
  directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!]) on FIELD_DEFINITION
  type Query {
    me: User!
    users(first: Int = 20): UserConnection! @listSize(slicingArguments: ["first"], sizedFields: ["edges"])
    tags: [Tag!]!
    fixed: [Tag!]! @listSize(assumedSize: 3)
    report: User! @cost(weight: 50)
  }
  type Mutation { rename: User! }
  type UserConnection { edges: [UserEdge!]!  total: Int }
  type UserEdge { node: User! }
  type User { name: String!  friends(first: Int): UserConnection! }
  type Tag { name: String! }
`;

describe('the estimated cost of an operation', () => {
  it.each([
    ['leaves are free', '{ __typename me { name } }', {}, 1],
    [
      'a page has the size it was asked for: 1 connection, 7 edges, 7 nodes',
      '{ users(first: 7) { edges { node { name } } } }',
      {},
      15,
    ],
    [
      'or by a variable',
      'query($n: Int) { users(first: $n) { edges { node { name } } } }',
      { n: 7 },
      15,
    ],
    ['or by default', '{ users { edges { node { name } } } }', {}, 41],
    [
      'pages multiply',
      '{ users(first: 2) { edges { node { friends(first: 3) { edges { node { name } } } } } } }',
      {},
      1 + 2 * (1 + 1 + 1 + 3 * 2),
    ],
    ['a list without a size is taken for small', '{ tags { name } }', {}, 5],
    ['a declared size counts', '{ fixed { name } }', {}, 3],
    ['a declared weight counts', '{ report { name } }', {}, 50],
    ['a change costs ten more', 'mutation { rename { name } }', {}, 11],
    [
      'fragments count where they are spread',
      '{ ...F ...F } fragment F on Query { tags { name } }',
      {},
      10,
    ],
    ['a negative size is none', '{ users(first: -5) { edges { node { name } } } }', {}, 1],
  ] as const)('%s', (_title, query, variables, cost) => {
    const document = parse(query);
    const operation = document.definitions[0] as OperationDefinitionNode;
    const schema = buildSchema(sdl);
    expect(estimateCost({ schema, hints: demandHints(sdl), document, operation, variables })).toBe(
      cost,
    );
  });
});
