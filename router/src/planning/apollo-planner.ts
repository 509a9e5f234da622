import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

import type {
  FetchNode,
  PathStep,
  PlanNode,
  QueryPlan,
  RequiredSelection,
  Rewrite,
  RewriteStep,
} from './plan.ts';
import { type Planner, PlanningFailed } from './planner.ts';

export interface ApolloPlannerOptions {
  readonly supergraphSdl: string;
}

/**
 * Apollo's planner in a worker thread. It plans what the native planner does not, ten times
 * slower. JavaScript cannot be interrupted, so a caller who stops waiting ends the thread, and
 * the next operation starts another.
 */
export function apolloPlanner({ supergraphSdl }: ApolloPlannerOptions): Planner {
  let thread = new PlanningThread(supergraphSdl);
  const running = () => {
    if (!thread.isAlive) thread = new PlanningThread(supergraphSdl);
    return thread;
  };
  return {
    ready: () => running().ready,
    async plan(operation, signal) {
      await running().ready;
      signal.throwIfAborted();
      return toPlan(await running().plan(operation, signal));
    },
    async [Symbol.asyncDispose]() {
      await thread.stop(new PlanningFailed('The planner was stopped.'));
    },
  };
}

interface Waiting {
  readonly resolve: (plan: RawNode | null) => void;
  readonly reject: (error: unknown) => void;
}

class PlanningThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly ready: Promise<void>;
  #lastId = 0;
  isAlive = true;

  constructor(supergraphSdl: string) {
    this.#worker = startWorker(supergraphSdl);
    this.ready = new Promise((resolve, reject) => {
      this.#worker.once('message', () => resolve());
      this.#worker.once('error', (cause) => {
        const failure = new PlanningFailed("Apollo's planner ended.", { cause });
        reject(failure);
        void this.stop(failure);
      });
    });
    this.ready.catch(() => {});
    this.#worker.on('message', (answer: Answer | 'ready') => {
      if (answer === 'ready') {
        if (this.#waiting.size === 0) this.#worker.unref();
      } else this.#settle(answer);
    });
  }

  plan(operation: string, signal: AbortSignal): Promise<RawNode | null> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const give = () => void this.stop(signal.reason);
      signal.addEventListener('abort', give, { once: true });
      const done = () => signal.removeEventListener('abort', give);
      this.#waiting.set(id, {
        resolve: (plan) => {
          done();
          resolve(plan);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      this.#worker.ref();
      this.#worker.postMessage({ id, operation });
    });
  }

  async stop(reason: unknown): Promise<void> {
    this.isAlive = false;
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
    await this.#worker.terminate();
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (answer.plan === undefined) {
      waiting?.reject(new PlanningFailed("Apollo's planner has no plan.", { cause: answer.error }));
    } else waiting?.resolve(JSON.parse(answer.plan));
  }
}

interface Answer {
  readonly id: number;
  readonly plan?: string;
  readonly error?: string;
}

// The thread runs the same form of this folder as its starter. Node 20 does not pass module hooks on
// to threads, so one that runs TypeScript (in tests) registers tsx by itself.
const isSource = import.meta.url.endsWith('.ts');

function startWorker(supergraphSdl: string): Worker {
  if (!isSource) {
    return new Worker(new URL('./apollo-worker.js', import.meta.url), {
      workerData: supergraphSdl,
    });
  }
  const hooks = createRequire(import.meta.url).resolve('tsx/esm/api').replace(/cjs$/, 'mjs');
  const entry = new URL('./apollo-worker.ts', import.meta.url).href;
  const boot = `import(${JSON.stringify(hooks)}).then(({ register }) => {
    register();
    return import(${JSON.stringify(entry)});
  });`;
  return new Worker(boot, { eval: true, workerData: supergraphSdl });
}

type RawNode =
  | { readonly kind: 'Sequence' | 'Parallel'; readonly nodes: readonly RawNode[] }
  | {
      readonly kind: 'Flatten';
      readonly path: readonly (string | number)[];
      readonly node: RawNode;
    }
  | {
      readonly kind: 'Condition';
      readonly condition: string;
      readonly ifClause?: RawNode;
      readonly elseClause?: RawNode;
    }
  | { readonly kind: 'Subscription'; readonly primary: RawFetch; readonly rest?: RawNode }
  | RawFetch;

interface RawFetch {
  readonly kind: 'Fetch';
  readonly serviceName: string;
  readonly operationKind: 'query' | 'mutation' | 'subscription';
  readonly operation: string;
  readonly operationName?: string;
  readonly variableUsages?: readonly string[];
  readonly requires?: readonly RawSelection[];
  readonly inputRewrites?: readonly RawRewrite[];
  readonly outputRewrites?: readonly RawRewrite[];
}

interface RawSelection {
  readonly kind: 'Field' | 'InlineFragment';
  readonly name?: string;
  readonly alias?: string;
  readonly typeCondition?: string;
  readonly selections?: readonly RawSelection[];
}

interface RawRewrite {
  readonly path: readonly string[];
  readonly setValueTo?: unknown;
  readonly renameKeyTo?: string;
}

function toPlan(raw: RawNode | null): QueryPlan {
  if (raw === null) return { primary: undefined, node: undefined };
  if (raw.kind === 'Subscription') {
    return {
      primary: toFetch(raw.primary, []),
      node: raw.rest ? toNode(raw.rest, []) : undefined,
    };
  }
  return { primary: undefined, node: toNode(raw, []) };
}

function toNode(raw: RawNode, at: readonly PathStep[]): PlanNode {
  switch (raw.kind) {
    case 'Sequence':
      return { kind: 'sequence', nodes: raw.nodes.map((node) => toNode(node, at)) };
    case 'Parallel':
      return { kind: 'parallel', nodes: raw.nodes.map((node) => toNode(node, at)) };
    case 'Flatten':
      return toNode(raw.node, [...at, ...raw.path.map(toStep)]);
    case 'Condition':
      return {
        kind: 'condition',
        variable: raw.condition,
        then: raw.ifClause ? toNode(raw.ifClause, at) : undefined,
        otherwise: raw.elseClause ? toNode(raw.elseClause, at) : undefined,
      };
    case 'Fetch':
      return toFetch(raw, at);
    default:
      throw new PlanningFailed(`Apollo's planner answered with an unknown node.`);
  }
}

function toFetch(raw: RawFetch, at: readonly PathStep[]): FetchNode {
  const isEntities = raw.requires !== undefined && raw.requires.length > 0;
  const outputRewrites = (raw.outputRewrites ?? []).map(toRewrite);
  return {
    kind: 'fetch',
    subgraph: raw.serviceName,
    operationKind: raw.operationKind,
    operation: raw.operation,
    operationName: raw.operationName,
    variables: raw.variableUsages ?? [],
    lookups: isEntities
      ? [
          {
            alias: '_entities',
            variable: 'representations',
            paths: [at],
            requires: (raw.requires ?? []).map(toRequired),
            inputRewrites: (raw.inputRewrites ?? []).map(toRewrite),
            outputRewrites,
          },
        ]
      : [],
    outputRewrites: isEntities ? [] : outputRewrites,
  };
}

function toStep(step: string | number): PathStep {
  return step === '@' ? { each: true } : { key: String(step) };
}

function toRequired(selection: RawSelection): RequiredSelection {
  const selections = (selection.selections ?? []).map(toRequired);
  if (selection.kind === 'InlineFragment') {
    return { kind: 'fragment', type: selection.typeCondition, selections };
  }
  const name = selection.name ?? '';
  return { kind: 'field', source: selection.alias ?? name, target: name, selections };
}

function toRewrite(raw: RawRewrite): Rewrite {
  return {
    path: raw.path.map(toRewriteStep),
    change:
      raw.renameKeyTo === undefined ? { setTo: raw.setValueTo } : { renameTo: raw.renameKeyTo },
  };
}

const typeStep = '... on ';

function toRewriteStep(step: string): RewriteStep {
  return step.startsWith(typeStep) ? { types: [step.slice(typeStep.length)] } : { key: step };
}
