import {
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  print,
  type SelectionSetNode,
} from 'graphql';
import { argumentsText } from './arguments-text.ts';
import { isIncluded } from './conditions.ts';
import { type FieldKeys, variablesIn } from './field-key.ts';
import { narrow } from './narrow.ts';
import type { Supergraph } from './supergraph.ts';

/** What planners see of an operation: no aliases of clients, no conditions, no named fragments. */
export interface CanonicalOperation {
  /** Equal for operations that fetch the same: the key under which plans are cached. */
  readonly text: string;
  /** Of a mutation, the one root field it is for: its key in the joined data, and its name. */
  readonly root: { readonly key: string; readonly name: string } | undefined;
}

export interface CanonicalRequest {
  readonly supergraph: Supergraph;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Coerced; only the ones that decide conditions are looked at. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly keys: FieldKeys;
  /** Filled with the keys under which objects are fetched again; see `copyKey`. */
  readonly copies: Map<string, number>;
  /** Selections visited while fragments are spread out. @default 20_000 */
  readonly maxSelections?: number;
}

/** Requirements that contradict each other where nothing can be asked for twice. */
export class RequirementsConflict extends Error {
  override readonly name = 'RequirementsConflict';
}

/** More selections than a plan may have, once fragments are spread out. */
export class OperationTooLarge extends Error {
  override readonly name = 'OperationTooLarge';
}

/**
 * The operation in canonical form. Queries and subscriptions give one, or none when nothing has to
 * be fetched; a mutation gives one per root field, because root fields run one after another and
 * each with all of its selections (GraphQL specification 6.2.2).
 */
export function canonicalOperations(request: CanonicalRequest): readonly CanonicalOperation[] {
  const { supergraph, operation } = request;
  const root = supergraph.apiSchema.getRootType(operation.operation);
  if (!root) return [];
  const builder = new SetBuilder(request);
  const set = newSet();
  builder.add(set, root, operation.selectionSet);
  const isMutation = operation.operation === OperationTypeNode.MUTATION;
  dropRepeated(set);
  separate(request, set, root, isMutation);
  const fields = [...set.fields.values()].filter((field) => !field.name.startsWith('__'));
  if (fields.length === 0) return [];
  if (isMutation) {
    return fields.map((field) => ({
      text: printOperation(operation, [field]),
      root: { key: field.key, name: field.name },
    }));
  }
  return [{ text: printOperation(operation, fields.toSorted(byKey)), root: undefined }];
}

interface CanonicalSet {
  readonly fields: Map<string, CanonicalField>;
  readonly on: Map<string, CanonicalSet>;
}

interface CanonicalField {
  readonly key: string;
  readonly name: string;
  readonly arguments: string;
  readonly variables: readonly string[];
  readonly set: CanonicalSet | undefined;
}

class SetBuilder {
  readonly #request: CanonicalRequest;
  #left: number;

  constructor(request: CanonicalRequest) {
    this.#request = request;
    this.#left = request.maxSelections ?? 20_000;
  }

  add(set: CanonicalSet, parent: GraphQLCompositeType, selections: SelectionSetNode): void {
    const { variables, fragments, keys, supergraph } = this.#request;
    for (const selection of selections.selections) {
      if (this.#left-- <= 0) throw new OperationTooLarge('The operation is too large.');
      if (!isIncluded(selection, variables)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        if (name.startsWith('__')) {
          if (isAbstractType(parent)) addTypename(set);
          continue;
        }
        const definition =
          isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
        if (!definition) continue;
        const type = getNamedType(definition.type);
        const key = keys({
          parentType: parent.name,
          field: selection,
          takesArguments: definition.args.length > 0,
          isComposite: isCompositeType(type),
        });
        let field = set.fields.get(key);
        if (!field) {
          field = {
            key,
            name,
            arguments: argumentsText(selection),
            variables: variablesIn(selection),
            set: isCompositeType(type) ? newSet() : undefined,
          };
          set.fields.set(key, field);
        }
        if (field.set && selection.selectionSet && isCompositeType(type)) {
          this.add(field.set, type, selection.selectionSet);
          if (isAbstractType(type) && supergraph.hasHiddenTypes(type.name)) addTypename(field.set);
          if (isEmpty(field.set)) addTypename(field.set);
        }
        continue;
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
      if (!fragment) continue;
      const scope = narrow(supergraph, parent, fragment.typeCondition?.name.value);
      if (!scope) continue;
      if (scope === parent) {
        this.add(set, parent, fragment.selectionSet);
        continue;
      }
      const narrowed = set.on.get(scope.name) ?? newSet();
      this.add(narrowed, scope, fragment.selectionSet);
      if (!isEmpty(narrowed)) set.on.set(scope.name, narrowed);
      addTypename(set);
    }
  }
}

/** A leaf that is selected anyway need not be selected again for some of the types. */
function dropRepeated(set: CanonicalSet): void {
  for (const [condition, narrowed] of set.on) {
    for (const field of narrowed.fields.values()) {
      if (!field.set && set.fields.has(field.key)) narrowed.fields.delete(field.key);
    }
    dropRepeated(narrowed);
    if (isEmpty(narrowed)) set.on.delete(condition);
  }
  for (const field of set.fields.values()) if (field.set) dropRepeated(field.set);
}

/** The key of the n-th further copy of an object: the same value, fetched for other fields. */
export function copyKey(copy: number, key: string): string {
  return `_r${copy}_${key}`;
}

/**
 * Keeps fields apart that require one field with different arguments: planners put all required
 * values of an object under their plain names, and would mix them up. The object is fetched once
 * more for each contradiction, and put together again when the answer is shaped.
 */
function separate(
  request: CanonicalRequest,
  set: CanonicalSet,
  type: GraphQLCompositeType,
  isMutation: boolean,
): void {
  const { supergraph, copies } = request;
  for (const [condition, narrowed] of set.on) {
    const on = supergraph.apiSchema.getType(condition);
    if (isCompositeType(on)) separate(request, narrowed, on, isMutation);
  }
  const before = [...set.fields.values()];
  for (const field of before) {
    if (!field.set || !(isObjectType(type) || isInterfaceType(type))) continue;
    const definition = type.getFields()[field.name];
    const below = definition && getNamedType(definition.type);
    if (!below || !isCompositeType(below)) continue;
    separate(request, field.set, below, false);
    for (let copy = 1; ; copy++) {
      const source: CanonicalField =
        copy === 1 ? field : (set.fields.get(copyKey(copy - 1, field.key)) ?? field);
      const rest = source.set && takeConflicting(supergraph, source.set, below);
      if (!rest) break;
      if (isMutation) throw new RequirementsConflict(`Under ${field.name}`);
      const key = copyKey(copy, field.key);
      set.fields.set(key, { ...field, key, set: rest });
      copies.set(field.key, Math.max(copy, copies.get(field.key) ?? 0));
    }
  }
}

/** Takes out the fields whose requirements contradict those of fields before them. */
function takeConflicting(
  supergraph: Supergraph,
  set: CanonicalSet,
  type: GraphQLCompositeType,
): CanonicalSet | undefined {
  const said = new Map<string, string>();
  const take = (from: CanonicalSet, scope: GraphQLCompositeType): CanonicalSet => {
    const taken = newSet();
    for (const field of from.fields.values()) {
      const needed = requirementsOf(supergraph, scope, field.name);
      const conflicts = needed.some(([path, text]) => (said.get(path) ?? text) !== text);
      if (conflicts) {
        from.fields.delete(field.key);
        taken.fields.set(field.key, field);
      } else for (const [path, text] of needed) said.set(path, text);
    }
    for (const [condition, narrowed] of from.on) {
      const on = supergraph.apiSchema.getType(condition);
      const below = isCompositeType(on) ? take(narrowed, on) : newSet();
      if (isEmpty(below)) continue;
      taken.on.set(condition, below);
      if (isEmpty(narrowed)) from.on.delete(condition);
    }
    if (!isEmpty(taken) && isAbstractType(scope)) addTypename(taken);
    return taken;
  };
  const taken = take(set, type);
  return isEmpty(taken) ? undefined : taken;
}

function requirementsOf(
  supergraph: Supergraph,
  type: GraphQLCompositeType,
  field: string,
): readonly (readonly [string, string])[] {
  const types = isObjectType(type) ? [type] : supergraph.apiSchema.getPossibleTypes(type);
  return types.flatMap(({ name }) => [...(supergraph.requirements(name, field) ?? [])]);
}

function newSet(): CanonicalSet {
  return { fields: new Map(), on: new Map() };
}

function isEmpty(set: CanonicalSet): boolean {
  return set.fields.size === 0 && set.on.size === 0;
}

const typename: CanonicalField = {
  key: '__typename',
  name: '__typename',
  arguments: '',
  variables: [],
  set: undefined,
};

function addTypename(set: CanonicalSet): void {
  set.fields.set(typename.key, typename);
}

function printOperation(
  operation: OperationDefinitionNode,
  fields: readonly CanonicalField[],
): string {
  const used = new Set<string>();
  const body = `{${fields.map((field) => printField(field, used)).join(' ')}}`;
  const definitions = (operation.variableDefinitions ?? []).filter((definition) =>
    used.has(definition.variable.name.value),
  );
  const head = definitions.length
    ? `(${definitions.map((definition) => print({ ...definition, directives: [] })).join(',')})`
    : '';
  return `${operation.operation}${head}${body}`;
}

function printField(field: CanonicalField, used: Set<string>): string {
  for (const variable of field.variables) used.add(variable);
  const alias = field.key === field.name ? '' : `${field.key}:`;
  const given = field.arguments === '' ? '' : `(${field.arguments})`;
  return `${alias}${field.name}${given}${field.set ? printSet(field.set, used) : ''}`;
}

function printSet(set: CanonicalSet, used: Set<string>): string {
  const parts = [...set.fields.values()].toSorted(byKey).map((field) => printField(field, used));
  const conditions = [...set.on].toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [condition, narrowed] of conditions) {
    parts.push(`...on ${condition}${printSet(narrowed, used)}`);
  }
  return `{${parts.join(' ')}}`;
}

function byKey(a: CanonicalField, b: CanonicalField): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
