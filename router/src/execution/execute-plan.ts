import type { GraphFailure, GraphResult, SubgraphEndpoint } from '@opea/kernel/subgraph';

import type { Supergraph } from '../canonical/supergraph.ts';
import type { EntityLookup, FetchNode, PlanNode } from '../planning/plan.ts';
import { type Failure, FieldError } from './failure.ts';
import { selectionsOf } from './fetch-selection.ts';
import { type DataObject, isDataObject, merge } from './joined-data.ts';
import { eachObjectAt, plainKey, plainRepresentation, programOf } from './lookup-program.ts';
import { markDependents, markFailed } from './mark-failed.ts';
import { placeErrors } from './place-errors.ts';
import { represent } from './representation.ts';
import { rewrite } from './rewrite.ts';

/** What one run of a plan works with. `data` grows; `failures` are the ones without a place. */
export interface Execution {
  readonly supergraph: Supergraph;
  readonly sources: ReadonlyMap<string, SubgraphEndpoint>;
  readonly data: DataObject;
  readonly failures: Failure[];
  /** Coerced variables of the operation. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly headersFor: (subgraph: string) => Promise<Readonly<Record<string, string>>>;
  readonly signal: AbortSignal;
  /** What a client may know of an error that a subgraph reported, or that asking it raised. */
  readonly mask: ErrorMask;
  /** Entities that are known already, for plans that run again and again; see `EntityMemory`. */
  readonly memory?: EntityMemory | undefined;
}

export interface ErrorMask {
  reported(error: GraphFailure, subgraph: string): Failure;
  thrown(error: unknown, subgraph: string): Failure;
}

/** Remembers entities by fetch, alias and representation. */
export interface EntityMemory {
  get(key: string): DataObject | undefined;
  set(key: string, entity: DataObject): void;
}

/** Runs the plan to its end. Never rejects: what failed stands in the data as `FieldError`. */
export async function executePlan(node: PlanNode, execution: Execution): Promise<void> {
  switch (node.kind) {
    case 'fetch':
      return node.lookups.length === 0
        ? fetchRoot(node, execution)
        : fetchEntities(node, execution);
    case 'sequence':
      for (const step of node.nodes) await executePlan(step, execution);
      return;
    case 'parallel':
      await Promise.all(node.nodes.map((part) => executePlan(part, execution)));
      return;
    case 'condition': {
      const branch = execution.variables[node.variable] === true ? node.whenTrue : node.whenFalse;
      if (branch) await executePlan(branch, execution);
      return;
    }
    default:
      node satisfies never;
  }
}

async function fetchRoot(fetch: FetchNode, execution: Execution): Promise<void> {
  const result = await ask(fetch, variablesOf(fetch, execution.variables), execution);
  mergeRoot(fetch, result, execution);
}

/** Takes a subgraph's answer to root fields, or an event of a subscription, into the data. */
export function mergeRoot(
  fetch: FetchNode,
  result: GraphResult | Failure,
  execution: Execution,
): void {
  const { supergraph, data } = execution;
  const answer = readAnswer(fetch, result, execution);
  if (answer.data) {
    rewrite(supergraph, answer.data, fetch.outputRewrites);
    merge(supergraph, data, answer.data);
  }
  const selection = selectionOnFailure(fetch, '', answer.failure);
  if (selection && answer.failure) markFailed(supergraph, data, selection, answer.failure);
}

async function fetchEntities(fetch: FetchNode, execution: Execution): Promise<void> {
  const { supergraph } = execution;
  const variables = variablesOf(fetch, execution.variables);
  const works: LookupWork[] = [];
  const lists = new Map<string, RepresentationList>();
  let wanted = 0;
  for (const lookup of fetch.lookups) {
    const list = lists.get(lookup.variable) ?? newList(fetch, lookup);
    lists.set(lookup.variable, list);
    const work = collectTargets(fetch, lookup, list, execution);
    works.push(work);
    wanted += work.targets.length;
  }
  if (wanted === 0) return;
  let asked = 0;
  for (const [variable, list] of lists) {
    variables[variable] = list.representations;
    asked += list.representations.length;
  }
  if (asked === 0) return;
  const result = await ask(fetch, variables, execution);
  const answer = readAnswer(fetch, result, execution);
  for (const work of works) mergeEntities(fetch, work, answer, supergraph, execution.memory);
}

interface RepresentationList {
  readonly key: string;
  readonly representations: DataObject[];
  readonly indexes: Map<string, number>;
}

interface LookupWork {
  readonly lookup: EntityLookup;
  readonly list: RepresentationList;
  readonly targets: DataObject[];
  /** Per target, which representation is its own. */
  readonly order: number[];
  /** Targets that were asked about with values that had failed. */
  readonly failures: ReadonlyMap<number, ReadonlyMap<string, Failure>>;
}

function newList(fetch: FetchNode, lookup: EntityLookup): RepresentationList {
  return {
    key: `${fetch.subgraph}\n${fetch.operation}\n${lookup.alias}\n`,
    representations: [],
    indexes: new Map(),
  };
}

/** Every object the lookup is for, and each different representation once. */
function collectTargets(
  fetch: FetchNode,
  lookup: EntityLookup,
  list: RepresentationList,
  execution: Execution,
): LookupWork {
  const { supergraph, memory } = execution;
  const targets: DataObject[] = [];
  const order: number[] = [];
  const failures = new Map<number, ReadonlyMap<string, Failure>>();
  const program = programOf(supergraph, lookup);
  const add = (object: DataObject, key: string, makeRepresentation: () => DataObject): void => {
    const known = memory?.get(list.key + key);
    if (known) {
      merge(supergraph, object, known);
      return;
    }
    let index = list.indexes.get(key);
    if (index === undefined) {
      index = list.representations.length;
      const representation = makeRepresentation();
      if (lookup.inputRewrites.length > 0) {
        rewrite(supergraph, representation, lookup.inputRewrites);
      }
      list.indexes.set(key, index);
      list.representations.push(representation);
    }
    targets.push(object);
    order.push(index);
  };
  const takeTheLongWay = (object: DataObject): void => {
    const represented = represent(supergraph, object, lookup.requires);
    if (!represented) return;
    const { value, failed } = represented;
    const selection = failed && selectionsOf(fetch).get(lookup.alias);
    if (failed && selection) {
      const { subgraph } = fetch;
      const [first] = failed.values();
      if (!markDependents(object, selection, { supergraph, subgraph, failed }) && first) {
        markFailed(supergraph, object, selection, first);
        return;
      }
    }
    value['__typename'] ??= object['__typename'];
    const index = targets.length;
    add(object, JSON.stringify(value), () => value);
    if (failed && targets.length > index) failures.set(index, failed);
  };
  const found = (object: DataObject): void => {
    const typename = object['__typename'];
    if (typeof typename !== 'string') return;
    const fields = program.plainFieldsOf(typename);
    const key = fields?.length ? plainKey(typename, object, fields) : undefined;
    if (fields && key !== undefined) {
      add(object, key, () => plainRepresentation(typename, object, fields));
    } else takeTheLongWay(object);
  };
  for (const path of program.paths) eachObjectAt(execution.data, path, { supergraph, found });
  return { lookup, list, targets, order, failures };
}

function mergeEntities(
  fetch: FetchNode,
  { lookup, list, targets, order, failures }: LookupWork,
  answer: Answer,
  supergraph: Supergraph,
  memory: EntityMemory | undefined,
): void {
  const found = answer.data?.[lookup.alias];
  const entities = Array.isArray(found) ? found : undefined;
  const lost =
    answer.failure ?? (found instanceof FieldError ? found.failure : undefined) ?? unanswered;
  if (entities && lookup.outputRewrites.length > 0) {
    for (const entity of entities) {
      if (isDataObject(entity)) rewrite(supergraph, entity, lookup.outputRewrites);
    }
  }
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index];
    const entity = entities?.[order[index] ?? -1];
    if (!target || entity === null) continue;
    if (isDataObject(entity)) merge(supergraph, target, entity);
    else {
      const selection = selectionsOf(fetch).get(lookup.alias);
      const failed = entity instanceof FieldError ? entity : undefined;
      const [key, ...below] = failed?.below ?? [];
      if (failed && typeof key === 'string' && target[key] === undefined) {
        target[key] = new FieldError(failed.failure, below);
      }
      if (selection) markFailed(supergraph, target, selection, failed?.failure ?? lost);
    }
  }
  for (const [index, failed] of failures) {
    const target = targets[index];
    const selection = selectionsOf(fetch).get(lookup.alias);
    const { subgraph } = fetch;
    if (target && selection) markDependents(target, selection, { supergraph, subgraph, failed });
  }
  if (memory && entities && !answer.hasErrors) {
    for (const [text, index] of list.indexes) {
      const entity = entities[index];
      if (isDataObject(entity)) memory.set(list.key + text, entity);
    }
  }
}

interface Answer {
  readonly data: DataObject | undefined;
  readonly hasErrors: boolean;
  /** Why nothing came at all. */
  readonly failure: Failure | undefined;
}

function readAnswer(fetch: FetchNode, result: GraphResult | Failure, execution: Execution): Answer {
  if ('message' in result) return { data: undefined, hasErrors: true, failure: result };
  const errors = Array.isArray(result.errors) ? result.errors : [];
  const reported = (error: GraphFailure) => execution.mask.reported(error, fetch.subgraph);
  if (isDataObject(result.data)) {
    if (errors.length > 0) {
      execution.failures.push(...placeErrors(result.data, errors, reported));
    }
    return { data: result.data, hasErrors: errors.length > 0, failure: undefined };
  }
  if (errors.length === 0) return { data: undefined, hasErrors: true, failure: unanswered };
  const data: DataObject = {};
  const [failure] = placeErrors(data, errors, reported);
  const placed = Object.values(data).find((value) => value instanceof FieldError);
  return { data, hasErrors: true, failure: failure ?? placed?.failure };
}

const unanswered: Failure = {
  message: 'A part of the platform gave no usable answer.',
  extensions: { code: 'INTERNAL_ERROR' },
};

async function ask(
  fetch: FetchNode,
  variables: Readonly<Record<string, unknown>>,
  execution: Execution,
): Promise<GraphResult | Failure> {
  const { subgraph } = fetch;
  try {
    const source = execution.sources.get(subgraph);
    if (!source) throw new Error(`No source is known for ${subgraph}`);
    const headers = await execution.headersFor(subgraph);
    const result = await source.execute(requestOf(fetch, variables), {
      headers,
      signal: execution.signal,
    });
    return isDataObject(result) ? result : unanswered;
  } catch (error) {
    return execution.mask.thrown(error, subgraph);
  }
}

export function requestOf(fetch: FetchNode, variables: Readonly<Record<string, unknown>>) {
  return {
    query: fetch.operation,
    variables,
    ...(fetch.operationName === undefined ? {} : { operationName: fetch.operationName }),
  };
}

export function variablesOf(
  fetch: FetchNode,
  variables: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of fetch.variables) {
    if (Object.hasOwn(variables, name)) picked[name] = variables[name];
  }
  return picked;
}

function selectionOnFailure(fetch: FetchNode, alias: string, failure: Failure | undefined) {
  return failure && selectionsOf(fetch).get(alias);
}
