import { parse, validate } from 'graphql';

import { type GeneratedOperation, generateOperation } from './generate-operation.ts';
import { generateSubgraphs } from './generate-subgraphs.ts';
import { hashOf } from './random.ts';
import { type Shape, shapes } from './shapes.ts';
import { shrink } from './shrink.ts';
import { openTrial, type Trial } from './trial.ts';

export interface FuzzOptions {
  readonly operations: number;
  readonly seed: number;
  /** Only shapes whose names hold this text. */
  readonly shape?: string | undefined;
  readonly planner?: 'native' | 'apollo';
  /** Divergences after which there is no point in going on. @default 20 */
  readonly stopAfter?: number;
  /** Operations asked of one supergraph before another is made. @default 100 */
  readonly perSupergraph?: number;
  readonly print: (line: string) => void;
  /** Print every operation before it runs: the last one is what killed the process. */
  readonly trace?: boolean;
}

export interface FuzzReport {
  readonly operations: number;
  readonly supergraphs: number;
  readonly shapes: ReadonlyMap<string, number>;
  readonly divergences: readonly Divergence[];
}

export interface Divergence {
  readonly shape: string;
  readonly supergraphSeed: number;
  readonly operation: GeneratedOperation;
  readonly difference: string;
}

/** Asks random questions of random supergraphs and compares each answer with a monolith's. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { operations, seed, print, planner = 'native', stopAfter = 20, trace = false } = options;
  const chosen = shapes.filter(({ name }) => name.includes(options.shape ?? ''));
  const each = Math.max(
    1,
    Math.min(options.perSupergraph ?? 100, Math.ceil(operations / chosen.length)),
  );
  const divergences: Divergence[] = [];
  const perShape = new Map<string, number>();
  let asked = 0;
  let supergraphs = 0;
  print(`seed ${seed}, ${operations} operations over ${chosen.length} shapes`);
  for (let round = 0; asked < operations && divergences.length < stopAfter; round++) {
    for (const shape of chosen) {
      if (asked >= operations || divergences.length >= stopAfter) break;
      const supergraphSeed = hashOf(`${seed} ${shape.name} ${round}`);
      const trial = openTrial(generateSubgraphs(shape, supergraphSeed), { planner });
      if (!trial) {
        print(`  ${shape.name}: seed ${supergraphSeed} does not compose`);
        continue;
      }
      supergraphs += 1;
      const count = Math.min(each, operations - asked);
      const { ran, found } = await ask(trial, { shape, supergraphSeed, count, print, trace });
      perShape.set(shape.name, (perShape.get(shape.name) ?? 0) + ran);
      asked += ran;
      if (found) divergences.push(found);
      await trial[Symbol.asyncDispose]();
    }
  }
  print(
    `${asked} operations over ${supergraphs} supergraphs of ${perShape.size} shapes: ${divergences.length} divergences`,
  );
  return { operations: asked, supergraphs, shapes: perShape, divergences };
}

interface Asking {
  readonly shape: Shape;
  readonly supergraphSeed: number;
  readonly count: number;
  readonly print: (line: string) => void;
  readonly trace: boolean;
}

/** Stops at the first divergence of a supergraph, and shrinks it. */
async function ask(
  trial: Trial,
  { shape, supergraphSeed, count, print, trace }: Asking,
): Promise<{ readonly ran: number; readonly found: Divergence | undefined }> {
  for (let index = 0; index < count; index++) {
    const operation = generateOperation(trial.world.schema, hashOf(`${supergraphSeed} ${index}`));
    if (trace) print(`${shape.name} ${supergraphSeed} ${index} ${JSON.stringify(operation)}`);
    const first = await trial.run(operation);
    if (first === undefined) continue;
    const kind = first.split('\n')[0];
    const small = await shrink(operation, async (candidate) => {
      if (validate(trial.world.schema, parse(candidate.query)).length > 0) return false;
      return (await trial.run(candidate))?.split('\n')[0] === kind;
    });
    const difference = (await trial.run(small)) ?? first;
    print(`DIVERGENCE ${shape.name}, supergraph seed ${supergraphSeed}, operation ${index}`);
    print(`  ${small.query.replaceAll(/\s+/g, ' ')}  ${JSON.stringify(small.variables)}`);
    print(`  ${difference}`);
    const found = { shape: shape.name, supergraphSeed, operation: small, difference };
    return { ran: index + 1, found };
  }
  return { ran: count, found: undefined };
}
