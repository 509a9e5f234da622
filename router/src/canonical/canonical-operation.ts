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

import { isIncluded } from './conditions.ts';
import { argumentsText, type FieldKeys, variablesIn } from './field-key.ts';
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
  /** Selections visited while fragments are spread out. @default 20_000 */
  readonly maxSelections?: number;
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
  const fields = [...set.fields.values()].filter((field) => !field.name.startsWith('__'));
  if (fields.length === 0) return [];
  if (operation.operation === OperationTypeNode.MUTATION) {
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
