import {
  type DirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  Kind,
  parse,
  parseType,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql';

import { apiSchemaOf } from './api-schema.ts';
import { argumentsText } from './arguments-text.ts';

/** A composed supergraph, read once: the types clients see and what joining needs to know. */
export interface Supergraph {
  readonly sdl: string;
  readonly apiSchema: GraphQLSchema;
  /** Subgraph name → the address written into the supergraph (may be empty). */
  readonly subgraphs: ReadonlyMap<string, string>;
  isAbstract(type: string): boolean;
  /** Is an object of type `type` (or an interface standing for one) a `condition`? */
  satisfies(type: string, condition: string): boolean;
  /** Object types behind an abstract type that clients may not see. */
  hasHiddenTypes(type: string): boolean;
  /** Names of sibling fields that the subgraph must be told before it can resolve this one. */
  requiredFields(subgraph: string, type: string, field: string): ReadonlySet<string>;
  /**
   * What a field is computed from: path of a required field → its arguments, for every required
   * field of every subgraph that resolves it. Undefined when it requires nothing.
   */
  requirements(type: string, field: string): ReadonlyMap<string, string> | undefined;
  /**
   * Which of the incompatible shapes of a field name this field has: two fields with one name may
   * share a response key only within one group (GraphQL specification 5.3.2, SameResponseShape).
   */
  shapeGroup(type: string, field: string): number;
}

export function readSupergraph(sdl: string): Supergraph {
  const document = parse(sdl, { noLocation: true });
  const apiSchema = apiSchemaOf(document);
  const members = membersOf(document);
  const groups = shapeGroups(document);
  const required = requirementsOf(document);
  const hidden = new Map<string, boolean>();
  for (const [abstract, objects] of members) {
    hidden.set(
      abstract,
      [...objects].some((name) => apiSchema.getType(name) === undefined),
    );
  }
  return {
    sdl,
    apiSchema,
    subgraphs: subgraphsOf(document),
    isAbstract: (type) => members.has(type),
    satisfies: (type, condition) =>
      type === condition || (members.get(condition)?.has(type) ?? false),
    hasHiddenTypes: (type) => hidden.get(type) ?? false,
    requiredFields: (subgraph, type, field) =>
      required.names.get(`${subgraph} ${type}.${field}`) ?? nothing,
    requirements: (type, field) => required.said.get(`${type}.${field}`),
    shapeGroup: (type, field) => groups.get(`${type}.${field}`) ?? 0,
  };
}

const nothing: ReadonlySet<string> = new Set();

interface Requirements {
  /** `subgraph Type.field` → names of the required siblings. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  /** `Type.field` → path of a required field → its arguments. */
  readonly said: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

function requirementsOf(document: DocumentNode): Requirements {
  const nameOf = graphNames(document);
  const names = new Map<string, ReadonlySet<string>>();
  const said = new Map<string, Map<string, string>>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) {
      continue;
    }
    for (const field of node.fields ?? []) {
      const coordinate = `${node.name.value}.${field.name.value}`;
      for (const directive of field.directives ?? []) {
        const requires = stringArgument(directive, 'requires');
        const graph = directive.arguments?.find((argument) => argument.name.value === 'graph');
        if (requires === undefined || graph?.value.kind !== Kind.ENUM) continue;
        const subgraph = nameOf.get(graph.value.value) ?? '';
        const paths = said.get(coordinate) ?? new Map<string, string>();
        said.set(coordinate, paths);
        names.set(`${subgraph} ${coordinate}`, readRequires(requires, paths));
      }
    }
  }
  return { names, said };
}

/** Names of the top fields; arguments of all fields go into `paths`. */
function readRequires(fieldSet: string, paths: Map<string, string>): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (set: SelectionSetNode, above: string) => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const path = above === '' ? selection.name.value : `${above}.${selection.name.value}`;
        if (above === '') names.add(selection.name.value);
        paths.set(path, argumentsText(selection));
        if (selection.selectionSet) visit(selection.selectionSet, path);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet, above);
    }
  };
  const [operation] = parse(`{${fieldSet}}`, { noLocation: true }).definitions;
  if (operation?.kind === Kind.OPERATION_DEFINITION) visit(operation.selectionSet, '');
  return names;
}

/** Value of the `join__Graph` enum → the subgraph's name. */
function graphNames(document: DocumentNode): Map<string, string> {
  const names = new Map<string, string>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.ENUM_TYPE_DEFINITION || node.name.value !== 'join__Graph') continue;
    for (const value of node.values ?? []) {
      const graph = value.directives?.find((directive) => directive.name.value === 'join__graph');
      const name = graph && stringArgument(graph, 'name');
      if (name !== undefined) names.set(value.name.value, name);
    }
  }
  return names;
}

function subgraphsOf(document: DocumentNode): Map<string, string> {
  const found = new Map<string, string>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.ENUM_TYPE_DEFINITION || node.name.value !== 'join__Graph') continue;
    for (const value of node.values ?? []) {
      const graph = value.directives?.find((directive) => directive.name.value === 'join__graph');
      if (graph) found.set(stringArgument(graph, 'name') ?? '', stringArgument(graph, 'url') ?? '');
    }
  }
  return found;
}

/** Abstract type → every object type it can be, and every interface that implies it. */
function membersOf(document: DocumentNode): Map<string, Set<string>> {
  const members = new Map<string, Set<string>>();
  const of = (name: string) => {
    const known = members.get(name);
    if (known) return known;
    const fresh = new Set<string>();
    members.set(name, fresh);
    return fresh;
  };
  for (const node of document.definitions) {
    if (node.kind === Kind.INTERFACE_TYPE_DEFINITION) of(node.name.value);
    if (node.kind === Kind.UNION_TYPE_DEFINITION) {
      for (const type of node.types ?? []) of(node.name.value).add(type.name.value);
    }
    if (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION) {
      for (const parent of node.interfaces ?? []) of(parent.name.value).add(node.name.value);
    }
  }
  return members;
}

function shapeGroups(document: DocumentNode): Map<string, number> {
  const leaves = new Set(['Int', 'Float', 'String', 'Boolean', 'ID']);
  for (const node of document.definitions) {
    if (node.kind === Kind.SCALAR_TYPE_DEFINITION || node.kind === Kind.ENUM_TYPE_DEFINITION) {
      leaves.add(node.name.value);
    }
  }
  const byName = new Map<string, Map<string, string[]>>();
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.INTERFACE_TYPE_DEFINITION) {
      continue;
    }
    for (const field of node.fields ?? []) {
      const shapes = byName.get(field.name.value) ?? new Map<string, string[]>();
      byName.set(field.name.value, shapes);
      const shape = shapeOf(field, leaves);
      shapes.set(shape, [...(shapes.get(shape) ?? []), `${node.name.value}.${field.name.value}`]);
    }
  }
  const groups = new Map<string, number>();
  for (const shapes of byName.values()) {
    if (shapes.size === 1) continue;
    const ordered = [...shapes].toSorted(
      ([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1),
    );
    ordered.forEach(([, coordinates], group) => {
      for (const coordinate of coordinates) groups.set(coordinate, group);
    });
  }
  return groups;
}

/** The field's response shape, in the API and wherever one subgraph's own type differs from it. */
function shapeOf(field: FieldDefinitionNode, leaves: ReadonlySet<string>): string {
  const api = wrapping(field.type, leaves);
  const own = (field.directives ?? [])
    .filter((directive) => directive.name.value === 'join__field')
    .flatMap((directive) => {
      const type = stringArgument(directive, 'type');
      const graph = directive.arguments?.find((argument) => argument.name.value === 'graph');
      if (type === undefined || graph?.value.kind !== Kind.ENUM) return [];
      const shape = wrapping(parseType(type), leaves);
      return shape === api ? [] : [`${graph.value.value}=${shape}`];
    });
  return [api, ...own.toSorted()].join(' ');
}

function wrapping(type: TypeNode, leaves: ReadonlySet<string>): string {
  if (type.kind === Kind.NON_NULL_TYPE) return `${wrapping(type.type, leaves)}!`;
  if (type.kind === Kind.LIST_TYPE) return `[${wrapping(type.type, leaves)}]`;
  return leaves.has(type.name.value) ? type.name.value : '*';
}

function stringArgument(directive: DirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}
