import { buildSubgraphSchema } from '@apollo/subgraph';
import type { GraphResult, SubgraphEndpoint } from '@opea/kernel/subgraph';
import {
  execute,
  type GraphQLSchema,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
  validate,
} from 'graphql';

import type { Facts, SubgraphSource } from './facts.ts';
import { type Happenings, isThing, sorted, type Thing, type World } from './world.ts';

export interface FederatedPart {
  readonly schema: GraphQLSchema;
  readonly endpoint: SubgraphEndpoint;
}

/**
 * One subgraph of the world behind the endpoint contract. It answers like a strict server: what it
 * does not own, or was not told by a representation, is an error, and so is an invalid request.
 */
export function federatedPart(
  source: SubgraphSource,
  world: World,
  facts: Facts,
  happenings: Happenings,
): FederatedPart {
  const schema = buildSubgraphSchema({ typeDefs: parse(source.sdl) });
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('_')) continue;
    if (isInterfaceType(type) || isObjectType(type)) {
      const resolveReference = (representation: Record<string, unknown>) => {
        const thing = world.find(representation);
        return thing ? { ...thing, __typename: nameHere(schema, thing) } : null;
      };
      type.extensions = { ...type.extensions, apollo: { subgraph: { resolveReference } } };
    }
    if (isAbstractType(type)) {
      type.resolveType = (value: unknown) => (isThing(value) ? nameHere(schema, value) : undefined);
    }
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.name === '_entities' || field.name === '_service') continue;
      field.resolve = (thing: Thing | undefined, args, _context, info) => {
        const coordinate = `${type.name}.${field.name}`;
        const needed = facts.requires.get(coordinate);
        if (needed && thing) {
          const required = told(schema, thing.representation ?? {}, needed);
          return world.computed(type.name, field.name, required);
        }
        if (!isOwned(facts, source.name, coordinate, thing)) {
          throw new Error(`${source.name} was asked for ${coordinate}`);
        }
        return world.resolve(thing, args, happenings, info);
      };
    }
  }
  const known = new Map<string, ReturnType<typeof parse> | readonly Error[]>();
  const read = (query: string) => {
    const before = known.get(query);
    if (before) return before;
    const document = parse(query);
    const mistakes = validate(schema, document);
    const result = mistakes.length > 0 ? mistakes : document;
    known.set(query, result);
    return result;
  };
  return {
    schema,
    endpoint: {
      async execute(request): Promise<GraphResult> {
        const document = read(request.query);
        if (!('kind' in document)) {
          return { errors: document.map(({ message }) => ({ message: `INVALID: ${message}` })) };
        }
        const result = await execute({
          schema,
          document,
          variableValues: request.variables,
          contextValue: happenings,
        });
        return JSON.parse(JSON.stringify(result));
      },
      async subscribe() {
        throw new Error('Not a part of this world');
      },
    },
  };
}

/** The name under which this subgraph knows the object: its type, or an interface object. */
function nameHere(schema: GraphQLSchema, thing: Thing): string {
  if (isObjectType(schema.getType(thing.type))) return thing.type;
  return isObjectType(schema.getType(thing.__typename)) ? thing.__typename : thing.type;
}

function isOwned(
  facts: Facts,
  subgraph: string,
  coordinate: string,
  thing: Thing | undefined,
): boolean {
  if (!thing || facts.owners.get(coordinate)?.includes(subgraph)) return true;
  const [type = '', field = ''] = coordinate.split('.');
  return [...(facts.keys.get(type) ?? [])].some((key) => mentions(key, field));
}

function mentions(set: SelectionSetNode, field: string): boolean {
  return set.selections.some(
    (selection) =>
      selection.kind === Kind.FIELD &&
      (selection.name.value === field ||
        (selection.selectionSet !== undefined && mentions(selection.selectionSet, field))),
  );
}

/** The required values out of a representation; a missing one is a fault of the caller. */
function told(
  schema: GraphQLSchema,
  representation: Readonly<Record<string, unknown>>,
  set: SelectionSetNode,
): unknown {
  const found: Record<string, unknown> = {};
  for (const selection of set.selections) {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const typename = String(representation['__typename']);
      const condition = selection.typeCondition?.name.value;
      const type = schema.getType(typename);
      const abstract = schema.getType(condition ?? '');
      const fits =
        condition === undefined ||
        condition === typename ||
        (isAbstractType(abstract) && isObjectType(type) && schema.isSubType(abstract, type));
      if (fits) Object.assign(found, told(schema, representation, selection.selectionSet));
    } else if (selection.kind === Kind.FIELD) {
      const name = selection.name.value;
      if (!Object.hasOwn(representation, name)) {
        throw new Error(`The representation lacks ${name}`);
      }
      found[name] = selection.selectionSet
        ? below(schema, representation[name], selection.selectionSet)
        : representation[name];
    }
  }
  return sorted(found);
}

function below(schema: GraphQLSchema, value: unknown, set: SelectionSetNode): unknown {
  if (Array.isArray(value)) return value.map((element) => below(schema, element, set));
  if (typeof value !== 'object' || value === null) return value;
  return told(schema, { ...value }, set);
}
