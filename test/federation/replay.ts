import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parse } from 'graphql';

import { difference } from './compare.ts';
import { generateSubgraphs } from './generate-subgraphs.ts';
import { shapes } from './shapes.ts';
import { openTrial } from './trial.ts';

// Shows one divergence in full: subgraphs, plans, both answers.
const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: 'everything' },
    seed: { type: 'string', default: '1' },
    query: { type: 'string', default: '{__typename}' },
    variables: { type: 'string', default: '{}' },
    planner: { type: 'string', default: 'native' },
    subgraphs: { type: 'boolean', default: false },
    /** Keeps the case in `regressions/` under this name. */
    save: { type: 'string' },
  },
});

const shape = shapes.find(({ name }) => name === values.shape);
if (!shape) throw new Error(`There is no shape ${values.shape}`);
const print = (value: unknown) =>
  process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value, null, 1)}\n`);
const subgraphs = generateSubgraphs(shape, Number(values.seed));
if (values.subgraphs) for (const { name, sdl } of subgraphs) print(`# ${name}\n${sdl}`);
const trial = openTrial(subgraphs, {
  planner: values.planner === 'apollo' ? 'apollo' : 'native',
  onFetch: (line) => print(line),
});
if (!trial) throw new Error('The subgraphs do not compose');
const operation = { query: values.query, variables: JSON.parse(values.variables) };
print(
  JSON.stringify(
    await trial.graph.plan({
      ...operation,
      document: parse(operation.query),
      operationName: undefined,
    }),
  ),
);
const { expected, actual } = await trial.answers(operation);
print(`expected ${JSON.stringify(expected)}`);
print(`actual   ${JSON.stringify(actual)}`);
print(difference(expected, actual) ?? 'The answers agree.');
await trial[Symbol.asyncDispose]();
if (values.save) {
  const file = new URL(`./regressions/${values.save}.json`, import.meta.url);
  await writeFile(file, `${JSON.stringify({ ...operation, subgraphs }, null, 2)}\n`);
}
