import {
  type DirectiveNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';

export interface SubgraphSource {
  readonly name: string;
  readonly sdl: string;
}

/** What the subgraphs' own documents say, as far as their data depends on it. */
export interface Facts {
  /** Entity type → the field sets of all its keys. */
  readonly keys: ReadonlyMap<string, readonly SelectionSetNode[]>;
  /** `Type.field` → what its value is computed from. */
  readonly requires: ReadonlyMap<string, SelectionSetNode>;
  /** `Type.field` → subgraphs that resolve it. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
  /** `subgraph Abstract` → the object types it can be there; undefined for interface objects. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  readonly interfaceObjects: ReadonlySet<string>;
}

export function factsOf(subgraphs: readonly SubgraphSource[]): Facts {
  const keys = new Map<string, SelectionSetNode[]>();
  const requires = new Map<string, SelectionSetNode>();
  const owners = new Map<string, string[]>();
  const members = new Map<string, string[]>();
  const interfaceObjects = new Set<string>();
  const overridden = new Set<string>();
  const provided = new Set<string>();
  const documents = subgraphs.map(({ name, sdl }) => ({ name, document: parse(sdl) }));

  for (const { name, document } of documents) {
    for (const type of document.definitions) {
      if (
        type.kind !== Kind.OBJECT_TYPE_DEFINITION &&
        type.kind !== Kind.INTERFACE_TYPE_DEFINITION
      ) {
        continue;
      }
      for (const field of type.fields ?? []) {
        const from = argumentOf(field.directives, 'override', 'from');
        if (from) overridden.add(`${from} ${type.name.value}.${field.name.value}`);
        const provides = argumentOf(field.directives, 'provides', 'fields');
        if (provides) collectNames(fieldSet(provides), (used) => provided.add(`${name} ${used}`));
      }
    }
  }
  for (const { name, document } of documents) {
    for (const type of document.definitions) {
      if (type.kind === Kind.UNION_TYPE_DEFINITION) {
        const types = (type.types ?? []).map((member) => member.name.value);
        members.set(`${name} ${type.name.value}`, types);
      }
      if (
        type.kind !== Kind.OBJECT_TYPE_DEFINITION &&
        type.kind !== Kind.INTERFACE_TYPE_DEFINITION
      ) {
        continue;
      }
      const typeName = type.name.value;
      for (const directive of type.directives ?? []) {
        if (directive.name.value === 'interfaceObject') interfaceObjects.add(`${name} ${typeName}`);
        if (directive.name.value !== 'key') continue;
        const fields = argumentOf([directive], 'key', 'fields');
        if (fields) keys.set(typeName, [...(keys.get(typeName) ?? []), fieldSet(fields)]);
      }
      if (type.kind === Kind.OBJECT_TYPE_DEFINITION) {
        for (const parent of type.interfaces ?? []) {
          const key = `${name} ${parent.name.value}`;
          members.set(key, [...(members.get(key) ?? []), typeName]);
        }
      }
      for (const field of type.fields ?? []) {
        const coordinate = `${typeName}.${field.name.value}`;
        const needed = argumentOf(field.directives, 'requires', 'fields');
        if (needed) requires.set(coordinate, fieldSet(needed));
        const isForeign =
          (has(field, 'external') && !provided.has(`${name} ${field.name.value}`)) ||
          overridden.has(`${name} ${coordinate}`);
        if (!isForeign) owners.set(coordinate, [...(owners.get(coordinate) ?? []), name]);
      }
    }
  }
  return { keys, requires, owners, members, interfaceObjects };
}

export function fieldSet(text: string): SelectionSetNode {
  const [operation] = parse(`{${text}}`).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`Not a field set: ${text}`);
  return operation.selectionSet;
}

function collectNames(set: SelectionSetNode, found: (name: string) => void): void {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) found(selection.name.value);
    if ('selectionSet' in selection && selection.selectionSet) {
      collectNames(selection.selectionSet, found);
    }
  }
}

function has(field: FieldDefinitionNode, directive: string): boolean {
  return field.directives?.some((candidate) => candidate.name.value === directive) ?? false;
}

function argumentOf(
  directives: readonly DirectiveNode[] | undefined,
  directive: string,
  argument: string,
): string | undefined {
  const value = directives
    ?.find((candidate) => candidate.name.value === directive)
    ?.arguments?.find((candidate) => candidate.name.value === argument)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}
