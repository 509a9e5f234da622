import { parseArgs } from 'node:util';

import { fuzz } from './run-fuzz.ts';

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '3000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000_000)) },
    shape: { type: 'string' },
    planner: { type: 'string', default: 'native' },
    trace: { type: 'boolean', default: false },
    'stop-after': { type: 'string', default: '20' },
  },
});

const report = await fuzz({
  operations: Number(values.operations),
  seed: Number(values.seed),
  shape: values.shape,
  planner: values.planner === 'apollo' ? 'apollo' : 'native',
  trace: values.trace,
  stopAfter: Number(values['stop-after']),
  print: (line) => process.stdout.write(`${line}\n`),
});
process.exitCode = report.divergences.length === 0 ? 0 : 1;
