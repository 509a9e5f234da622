/* oxlint-disable vitest/no-standalone-expect -- attacks are a table; attacks.test.ts runs each inside a test */
import { expect } from 'vitest';
import {
  type Attack,
  cpuOf,
  expectNothingInside,
  expectRefusal,
  overSocket,
  post,
} from './attack.ts';

interface DocumentAttack {
  readonly id: string;
  readonly title: string;
  readonly query: string;
  readonly variables?: unknown;
  /** Any of these refuses it rightly; the first is the one the list of threats names. */
  readonly codes: readonly string[];
}

const times = (count: number, part: (at: number) => string, between = ' '): string =>
  Array.from({ length: count }, (_, at) => part(at)).join(between);

const model = 'model(name: "storyteller")';
const deep = (levels: number): string =>
  `{ ${model} { ${'alias { model { '.repeat(levels / 2)} name ${'} } '.repeat(levels / 2)} } }`;

/** A chain of fragments, each of which spreads the next one twice: 2^n selections in a short text. */
const bomb = (levels: number, body: (next: string) => string, type: string, last: string): string =>
  [
    type === 'Query' ? '{ ...F0 }' : `{ ${model} { ...F0 } }`,
    ...Array.from(
      { length: levels },
      (_, at) => `fragment F${at} on ${type} { ${body(`F${at + 1}`)} }`,
    ),
    `fragment F${levels} on ${type} { ${last} }`,
  ].join(' ');

const documents: readonly DocumentAttack[] = [
  { id: 'A1', title: 'a query 50 deep', query: deep(50), codes: ['DEPTH'] },
  { id: 'A2', title: 'a query 500 deep', query: deep(500), codes: ['DEPTH'] },
  { id: 'A2', title: 'a query 5,000 deep', query: deep(5_000), codes: ['TOKENS'] },
  {
    id: 'A4',
    title: '101 light aliases',
    query: `{ ${times(101, (at) => `a${at}: __typename`)} }`,
    codes: ['ALIASES', 'ROOTS'],
  },
  {
    id: 'A4',
    title: '16 aliases below the root',
    query: `{ ${model} { ${times(16, (at) => `a${at}: name`)} } }`,
    codes: ['ALIASES'],
  },
  {
    id: 'A5',
    title: '1,000 heavy aliases',
    query: `{ ${times(1_000, (at) => `a${at}: models(first: 100) { edges { cursor } }`)} }`,
    codes: ['TOKENS'],
  },
  {
    id: 'A5',
    title: '80 heavy aliases',
    query: `{ ${times(80, (at) => `a${at}: models(first: 100) { edges { cursor } }`)} }`,
    codes: ['ALIASES', 'ROOTS'],
  },
  {
    id: 'A6',
    title: 'a field 5,000 times',
    query: `{ ${model} { ${'name '.repeat(5_000)} } }`,
    codes: ['TOKENS'],
  },
  {
    id: 'A6',
    title: 'a field 40,000 times',
    query: `{ ${model} { ${'name '.repeat(40_000)} } }`,
    codes: ['TOKENS'],
  },
  {
    id: 'A6',
    title: 'a field 1,900 times, just under the tokens',
    query: `{ ${model} { ${'name '.repeat(1_900)} } }`,
    codes: ['REPETITION'],
  },
  {
    id: 'A6',
    title: 'an object 400 times',
    query: `{ ${model} { ${'owner { name } '.repeat(400)} } }`,
    codes: ['REPETITION'],
  },
  {
    id: 'A7',
    title: 'an unknown directive 2,000 times',
    query: `{ __typename ${'@aa'.repeat(2_000)} }`,
    codes: ['TOKENS', 'DIRECTIVES'],
  },
  {
    id: 'A7',
    title: 'an unknown directive 900 times',
    query: `{ __typename ${'@aa'.repeat(900)} }`,
    codes: ['DIRECTIVES'],
  },
  {
    id: 'A8',
    title: 'a known directive 5,000 times',
    query: `{ __typename ${'@include(if:true)'.repeat(5_000)} }`,
    codes: ['TOKENS'],
  },
  {
    id: 'A8',
    title: 'a known directive on 11 fields',
    query: `{ ${model} { ${'name @include(if: true) '.repeat(11)} } }`,
    codes: ['DIRECTIVES'],
  },
  {
    id: 'A9',
    title: 'a cycle of fragments',
    query: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
    codes: ['FRAGMENT_CYCLE'],
  },
  {
    id: 'A9',
    title: 'a fragment that spreads itself below a field',
    query: `{ ${model} { ...A } } fragment A on Model { alias { model { ...A } } }`,
    codes: ['FRAGMENT_CYCLE'],
  },
  {
    id: 'A10',
    title: 'a fragment bomb of 24 levels',
    query: bomb(24, (next) => `...${next} ...${next}`, 'Query', '__typename'),
    codes: ['SELECTIONS', 'ROOTS'],
  },
  {
    id: 'A11',
    title: 'an aliased fragment bomb of 15 levels',
    query: bomb(
      15,
      (next) => `a: alias { model { ...${next} } } b: alias { model { ...${next} } }`,
      'Model',
      'name',
    ),
    codes: ['DEPTH', 'ALIASES', 'SELECTIONS'],
  },
  {
    id: 'A16',
    title: '500 named operations',
    query: times(500, (at) => `query Q${at} { __typename }`),
    codes: ['OPERATIONS', 'TOKENS'],
  },
  {
    id: 'A16',
    title: '21 named operations',
    query: times(21, (at) => `query Q${at} { __typename }`),
    codes: ['OPERATIONS'],
  },
  {
    id: 'A17',
    title: '200 root fields',
    query: `{ ${'me { id } '.repeat(200)} }`,
    codes: ['ROOTS'],
  },
  {
    id: 'A18',
    title: 'a list of 99,999,999',
    query: '{ models(first: 99999999) { edges { node { name } } } }',
    codes: ['COST'],
  },
  {
    id: 'A18',
    title: 'a list of 99,999,999 by variable',
    query: 'query Q($n: Int) { models(first: $n) { edges { node { name } } } }',
    variables: { n: 99_999_999 },
    codes: ['COST'],
  },
  {
    id: 'A18',
    title: 'lists within lists',
    query:
      '{ models(first: 100) { edges { node { versions(first: 100) { edges { node { number } } } } } } }',
    codes: ['COST'],
  },
  {
    id: 'A27',
    title: 'circular introspection',
    query: `{ __schema { types { ${'fields { type { '.repeat(6)} name ${'} } '.repeat(6)} } } }`,
    codes: ['INTROSPECTION_DEPTH'],
  },
  {
    id: 'A29',
    title: '200 deferred fragments',
    query: `{ ${model} { ${'... @defer { name } '.repeat(200)} } }`,
    codes: ['DIRECTIVES'],
  },
  {
    id: 'A33',
    title: 'an alias that names the prototype',
    query: `{ __proto__: ${model} { id } }`,
    codes: ['RESERVED_NAME'],
  },
  {
    id: 'A33',
    title: 'variables that name the prototype',
    query: 'query Q($v: JSON!) { nearest(index: "a", vector: [1], filter: $v) { key } }',
    variables: { v: JSON.parse('{"__proto__":{"polluted":true}}') },
    codes: ['RESERVED_NAME'],
  },
  {
    id: 'A21',
    title: 'variables nested 2,000 deep',
    query: 'query Q($v: JSON) { nearest(index: "a", vector: [1], filter: $v) { key } }',
    variables: { v: nested(2_000) },
    codes: ['VARIABLES_DEPTH'],
  },
  {
    id: 'A68',
    title: 'the SDL of a subgraph',
    query: '{ _service { sdl } }',
    codes: ['FEDERATION_FIELD'],
  },
  {
    id: 'A69',
    title: 'entities by representation',
    query: '{ _entities(representations: [{ __typename: "Model", id: "mdl_x" }]) { __typename } }',
    codes: ['FEDERATION_FIELD'],
  },
];

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

const overHttp: readonly Attack[] = documents.map(({ id, title, query, variables, codes }) => ({
  id,
  title: `${title}, over HTTP`,
  async run(target) {
    let answer = await post(target, { query, variables });
    expectRefusal(answer, 400, ...codes);
    const cpuMs = await cpuOf(async () => {
      answer = await post(target, { query, variables });
    });
    expect(cpuMs).toBeLessThan(50);
  },
}));

/** A52: what HTTP refuses, a socket refuses. Messages of a socket are at most 64 KiB. */
const overWebSocket: readonly Attack[] = documents
  .filter(({ query }) => query.length < 60_000)
  .map(({ id, title, query, variables, codes }) => ({
    id: `A52/${id}`,
    title: `${title}, over WebSocket`,
    async run(target) {
      const { type, payload } = await overSocket(target, { query, variables });
      const [error] = Array.isArray(payload) ? payload : [];
      expect({ type, code: error?.extensions?.code }).toEqual({
        type: 'error',
        code: codes.find((code) => code === error?.extensions?.code) ?? codes[0],
      });
      expectNothingInside(JSON.stringify(payload));
    },
  }));

export const documentAttacks: readonly Attack[] = [...overHttp, ...overWebSocket];
