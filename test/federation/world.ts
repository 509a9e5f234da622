import {
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  OperationTypeNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';

import type { Facts } from './facts.ts';
import { hashOf } from './random.ts';

/** An object of the world. Its identity decides every one of its values. */
export interface Thing {
  readonly __typename: string;
  /** The object's own type, also where a subgraph knows it as an interface object only. */
  readonly type: string;
  readonly id: string;
  /** What a caller said about it when asking for it as an entity. */
  readonly representation?: Readonly<Record<string, unknown>>;
}

/** Things that happened; shared by everything that answers one operation. */
export interface Happenings {
  mutations: number;
}

/**
 * Data without a store: each value is a function of the object, the field and its arguments, so a
 * monolith and any division of it into subgraphs hold the same truth.
 */
export interface World {
  readonly schema: GraphQLSchema;
  resolve: GraphQLFieldResolver<Thing | undefined, Happenings>;
  /** The entity that a representation stands for. */
  find(representation: Readonly<Record<string, unknown>>): Thing | undefined;
  /** The value that a field with `@requires` has for these required values. */
  computed(type: string, field: string, required: unknown): unknown;
}

const instances = 4;

export function createWorld(schema: GraphQLSchema, facts: Facts): World {
  const valueOf = (
    thing: Thing,
    field: string,
    given: Readonly<Record<string, unknown>>,
    happenings: Happenings | undefined,
  ): unknown => {
    const definition = fieldOf(schema, thing.type, field);
    if (!definition) throw new Error(`${thing.type} has no ${field}`);
    const needed = facts.requires.get(`${thing.type}.${field}`);
    if (needed) {
      return computed(thing.type, field, project(thing, needed, happenings), definition.type);
    }
    if (field === 'tick') return happenings?.mutations ?? 0;
    const args: Record<string, unknown> = {};
    for (const argument of definition.args) {
      if (Object.hasOwn(given, argument.name)) args[argument.name] = given[argument.name];
      else if (argument.defaultValue !== undefined) args[argument.name] = argument.defaultValue;
    }
    const said = Object.keys(args).length === 0 ? '' : JSON.stringify(sorted(args));
    const seed = `${thing.id}.${field}(${said})`;
    if (field.startsWith('flaky') && hashOf(`${seed}!`) % 3 === 0) throw new Error('flaky');
    return make(definition.type, {
      seed,
      coordinate: `${thing.type}.${field}`,
      thing,
      isKey: isKey(facts, thing.type, field),
      key: keyValue(thing, field),
    });
  };

  const make = (type: GraphQLOutputType, wish: Wish): unknown => {
    if (isNonNullType(type)) return makePresent(type.ofType, wish);
    if (wish.isKey) return wish.key === null ? null : makePresent(type, wish);
    return hashOf(`${wish.seed}?`) % 8 === 0 ? null : makePresent(type, wish);
  };

  const makePresent = (type: GraphQLOutputType, wish: Wish): unknown => {
    const { seed } = wish;
    const hash = hashOf(seed);
    if (isNonNullType(type)) return makePresent(type.ofType, wish);
    if (isListType(type)) {
      return Array.from({ length: hash % 4 }, (_, index) =>
        make(type.ofType, { ...wish, seed: `${seed}[${index}]` }),
      );
    }
    if (isEnumType(type)) {
      const values = type.getValues();
      return values[hash % values.length]?.name;
    }
    if (isObjectType(type)) return makeThing(type.name, seed);
    if (isAbstractType(type)) {
      const types = membersFor(schema, facts, wish.coordinate, type.name);
      const chosen = types[hash % types.length];
      return chosen === undefined ? null : makeThing(chosen, seed);
    }
    if (wish.isKey) return scalarKey(type.name, wish);
    switch (type.name) {
      case 'Int':
        return hash % 1_000;
      case 'Float':
        return (hash % 1_000) / 4;
      case 'Boolean':
        return hash % 2 === 0;
      default:
        return `${wish.coordinate.split('.')[1] ?? ''}-${hash.toString(36)}`;
    }
  };

  const makeThing = (type: string, seed: string): Thing => {
    const id = facts.keys.has(type)
      ? `${type}:${hashOf(`${seed}#`) % instances}`
      : `${type}<${seed}>`;
    return { __typename: type, type, id };
  };

  const project = (
    thing: Thing,
    set: SelectionSetNode,
    happenings: Happenings | undefined,
  ): Record<string, unknown> => {
    const found: Record<string, unknown> = {};
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        if (condition === undefined || isA(schema, thing.type, condition)) {
          Object.assign(found, project(thing, selection.selectionSet, happenings));
        }
        continue;
      }
      if (selection.kind !== Kind.FIELD) continue;
      const name = selection.name.value;
      if (name === '__typename') {
        found[name] = thing.type;
        continue;
      }
      const args: Record<string, unknown> = {};
      for (const argument of selection.arguments ?? []) {
        args[argument.name.value] = valueFromASTUntyped(argument.value);
      }
      const value = valueOf(thing, name, args, happenings);
      found[name] = selection.selectionSet
        ? deeply(value, (below) => project(below, selection.selectionSet ?? set, happenings))
        : value;
    }
    return found;
  };

  const computed = (
    type: string,
    field: string,
    required: unknown,
    as: GraphQLOutputType,
  ): unknown => {
    const text = JSON.stringify(sorted(required));
    const named = getNamedType(as).name;
    const hash = hashOf(`${type}.${field}=${text}`);
    return named === 'Int' ? hash % 1_000 : `${field}=${text}`;
  };

  return {
    schema,
    resolve: (thing, args, happenings, info) => {
      if (info.operation.operation === OperationTypeNode.MUTATION && info.path.prev === undefined) {
        happenings.mutations += 1;
      }
      const parent = thing ?? root(info.parentType.name);
      return valueOf(parent, info.fieldName, args, happenings);
    },
    find(representation) {
      const asked = String(representation['__typename']);
      for (const type of facts.keys.keys()) {
        if (!isObjectType(schema.getType(type)) || !isA(schema, type, asked)) continue;
        for (let index = 0; index < instances; index++) {
          const thing: Thing = { __typename: type, type, id: `${type}:${index}` };
          const isIt = keysOf(schema, facts, type).some((key) =>
            contains(representation, project(thing, key, undefined)),
          );
          if (isIt) return { ...thing, __typename: asked === type ? type : asked, representation };
        }
      }
      return undefined;
    },
    computed(type, field, required) {
      const definition = fieldOf(schema, type, field);
      if (!definition) throw new Error(`${type} has no ${field}`);
      return computed(type, field, required, definition.type);
    },
  };
}

interface Wish {
  readonly seed: string;
  readonly coordinate: string;
  readonly thing: Thing;
  readonly isKey: boolean;
  readonly key: number | null;
}

export function root(type: string): Thing {
  return { __typename: type, type, id: type };
}

/** Applies to every object in nested lists; nulls stay. */
export function deeply(value: unknown, change: (thing: Thing) => unknown): unknown {
  if (Array.isArray(value)) return value.map((element) => deeply(element, change));
  return isThing(value) ? change(value) : value;
}

export function isThing(value: unknown): value is Thing {
  return typeof value === 'object' && value !== null && 'type' in value && 'id' in value;
}

export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

function fieldOf(schema: GraphQLSchema, type: string, field: string) {
  const found = schema.getType(type);
  return isObjectType(found) || isInterfaceType(found) ? found.getFields()[field] : undefined;
}

function isA(schema: GraphQLSchema, type: string, condition: string): boolean {
  if (type === condition) return true;
  const [object, abstract] = [schema.getType(type), schema.getType(condition)];
  return isAbstractType(abstract) && isObjectType(object) && schema.isSubType(abstract, object);
}

/** The types that every subgraph which resolves the field can give for it. */
function membersFor(
  schema: GraphQLSchema,
  facts: Facts,
  coordinate: string,
  abstract: string,
): readonly string[] {
  const type = schema.getType(abstract);
  let types = isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [];
  for (const subgraph of facts.owners.get(coordinate) ?? []) {
    if (facts.interfaceObjects.has(`${subgraph} ${abstract}`)) continue;
    const known = facts.members.get(`${subgraph} ${abstract}`) ?? [];
    types = types.filter((name) => known.includes(name));
  }
  return types.toSorted();
}

function keysOf(schema: GraphQLSchema, facts: Facts, type: string): readonly SelectionSetNode[] {
  const object = schema.getType(type);
  const interfaces = isObjectType(object) ? object.getInterfaces() : [];
  return [
    ...(facts.keys.get(type) ?? []),
    ...interfaces.flatMap(({ name }) => facts.keys.get(name) ?? []),
  ];
}

function isKey(facts: Facts, type: string, field: string): boolean {
  const names = (set: SelectionSetNode): boolean =>
    set.selections.some(
      (selection) =>
        selection.kind === Kind.FIELD &&
        (selection.name.value === field ||
          (selection.selectionSet !== undefined && names(selection.selectionSet))),
    );
  if (facts.keys.get(type)?.some(names)) return true;
  return type.startsWith('Key');
}

/** The first instance of an entity has null wherever a key may be null. */
function keyValue(thing: Thing, field: string): number | null {
  const index = Number(thing.id.split(':')[1] ?? Number.NaN);
  if (Number.isNaN(index)) return hashOf(`${thing.id}.${field}`) % 100_000;
  return index === 0 ? null : index;
}

function scalarKey(type: string, { thing, coordinate, key }: Wish): unknown {
  const number = key ?? 0;
  if (type === 'Int') return number;
  return type === 'ID' || type === 'String'
    ? `${coordinate}/${thing.id.includes('<') ? number : thing.id}`
    : number;
}

/** Does the whole hold every value of the part? */
function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((value, index) => contains(whole[index], value))
    );
  }
  if (typeof part === 'object' && part !== null) {
    if (typeof whole !== 'object' || whole === null) return false;
    const held: Readonly<Record<string, unknown>> = { ...whole };
    return Object.entries(part).every(
      ([key, value]) => Object.hasOwn(held, key) && contains(held[key], value),
    );
  }
  return whole === part;
}
