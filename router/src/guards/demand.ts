import {
  type ConstDirectiveNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  type ValueNode,
} from 'graphql';

/** What a supergraph declares about the work behind its fields, by `Type.field`. */
export interface DemandHints {
  /** `@cost(weight:)`: of one object of that field. */
  readonly weights: ReadonlyMap<string, number>;
  /** `@listSize`: how many objects a list field yields. */
  readonly lists: ReadonlyMap<string, ListHint>;
  /** The subgraphs that answer a root field, by `Query.field`; for rate limits by kind of work. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
}

export interface ListHint {
  readonly assumedSize?: number;
  readonly slicingArguments: readonly string[];
  readonly sizedFields: readonly string[];
}

/** Reads the directives of the cost specification and of composition from a supergraph. */
export function demandHints(supergraphSdl: string): DemandHints {
  const weights = new Map<string, number>();
  const lists = new Map<string, ListHint>();
  const owners = new Map<string, readonly string[]>();
  const document = parse(supergraphSdl, { noLocation: true });
  const names = new Map<string, string>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.ENUM_TYPE_DEFINITION && definition.name.value === 'join__Graph')
      for (const value of definition.values ?? [])
        names.set(
          value.name.value,
          stringArgument(value.directives, 'join__graph', 'name') ?? value.name.value,
        );

  for (const definition of document.definitions) {
    if (
      definition.kind !== Kind.OBJECT_TYPE_DEFINITION &&
      definition.kind !== Kind.INTERFACE_TYPE_DEFINITION
    )
      continue;
    for (const field of definition.fields ?? []) {
      const key = `${definition.name.value}.${field.name.value}`;
      const weight = weightOf(field);
      if (weight !== undefined) weights.set(key, weight);
      const list = listHintOf(field);
      if (list !== undefined) lists.set(key, list);
      owners.set(key, ownersOf(field, names));
    }
  }
  return { weights, lists, owners };
}

type Directives = readonly ConstDirectiveNode[] | undefined;

const localName = (name: string): string => name.replace(/^(federation|cost)__/, '');

function argument(directives: Directives, directive: string, name: string): ValueNode | undefined {
  const found = directives?.find((it) => localName(it.name.value) === directive);
  return found?.arguments?.find((it) => it.name.value === name)?.value;
}

function stringArgument(
  directives: Directives,
  directive: string,
  name: string,
): string | undefined {
  const value = argument(directives, directive, name);
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}

function weightOf(field: FieldDefinitionNode): number | undefined {
  const value = argument(field.directives, 'cost', 'weight');
  return value?.kind === Kind.INT || value?.kind === Kind.STRING ? Number(value.value) : undefined;
}

function listHintOf(field: FieldDefinitionNode): ListHint | undefined {
  if (!field.directives?.some((it) => localName(it.name.value) === 'listSize')) return undefined;
  const assumed = argument(field.directives, 'listSize', 'assumedSize');
  return {
    ...(assumed?.kind === Kind.INT ? { assumedSize: Number(assumed.value) } : {}),
    slicingArguments: strings(argument(field.directives, 'listSize', 'slicingArguments')),
    sizedFields: strings(argument(field.directives, 'listSize', 'sizedFields')),
  };
}

function strings(value: ValueNode | undefined): readonly string[] {
  if (value?.kind !== Kind.LIST) return [];
  return value.values.flatMap((it) => (it.kind === Kind.STRING ? [it.value] : []));
}

function ownersOf(
  field: FieldDefinitionNode,
  names: ReadonlyMap<string, string>,
): readonly string[] {
  return (field.directives ?? [])
    .filter((it) => it.name.value === 'join__field')
    .flatMap((it) => {
      const graph = stringArgument([it], 'join__field', 'graph');
      return graph === undefined ? [] : [names.get(graph) ?? graph];
    });
}
