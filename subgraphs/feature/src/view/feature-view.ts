import { incompatibleView, invalidView } from '../errors.ts';
import type { FeatureField, FeatureType } from '../tables.ts';

/** What a feature view looks like, apart from who made it and when. */
export interface ViewShape {
  readonly name: string;
  readonly description: string;
  readonly entities: readonly string[];
  readonly fields: readonly FeatureField[];
  readonly ttlMs: number | null;
}

const namePattern = /^[a-z][a-z0-9._-]{1,63}$/;
const fieldPattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/**
 * What applying a shape means after the versions there are, newest first: the next version's number, or `undefined` when the
 * newest looks like this already. Throws INVALID_FEATURE_VIEW for a shape that cannot be, and
 * INCOMPATIBLE_FEATURE_VIEW for one whose values would not fit those already written.
 */
export function nextVersion(
  versions: readonly (ViewShape & { readonly version: number })[],
  shape: ViewShape,
): number | undefined {
  demandValid(shape);
  const [newest] = versions;
  if (!newest) return 1;
  demandCompatible(versions, shape);
  return sameShape(newest, shape) ? undefined : newest.version + 1;
}

/** Whether a value is one of the type. */
export function fits(type: FeatureType, value: unknown): boolean {
  switch (type) {
    case 'FLOAT':
      return typeof value === 'number' && Number.isFinite(value);
    case 'INT':
      return Number.isSafeInteger(value);
    case 'STRING':
      return typeof value === 'string';
    case 'BOOLEAN':
      return typeof value === 'boolean';
    case 'VECTOR':
      return Array.isArray(value) && value.every(Number.isFinite);
    default:
      return type satisfies never;
  }
}

function demandValid({ name, entities, fields, ttlMs }: ViewShape): void {
  const wrong = (problem: string, field: string) => invalidView({ problem, field });
  if (!namePattern.test(name))
    throw wrong(
      'A name has 2 to 64 lower-case letters, digits, -, _ or . and begins with a letter.',
      'name',
    );
  if (entities.length < 1 || entities.length > 4)
    throw wrong('A feature view is about 1 to 4 entities.', 'entities');
  if (fields.length < 1 || fields.length > 200)
    throw wrong('A feature view has 1 to 200 fields.', 'fields');
  for (const entity of entities)
    if (!fieldPattern.test(entity)) throw wrong(`${entity} is no name of an entity.`, 'entities');
  if (new Set(entities).size < entities.length) throw wrong('An entity comes twice.', 'entities');
  if (new Set(fields.map((field) => field.name)).size < fields.length)
    throw wrong('A field comes twice.', 'fields');
  for (const field of fields) demandValidField(field);
  if (ttlMs !== null && (!Number.isSafeInteger(ttlMs) || ttlMs < 1))
    throw wrong('The ttl is at least 1 ms.', 'ttlMs');
}

function demandValidField({ name, type, default: fallback }: FeatureField): void {
  if (!fieldPattern.test(name))
    throw invalidView({ problem: `${name} is no name of a field.`, field: 'fields' });
  if (fallback !== null && !fits(type, fallback))
    throw invalidView({ problem: `The default of ${name} is no ${type}.`, field: 'fields' });
}

function demandCompatible(versions: readonly ViewShape[], shape: ViewShape): void {
  if (versions.some(({ entities }) => entities.join() !== shape.entities.join()))
    throw incompatibleView({
      problem: 'The entities of a view stay what they are: make a new view.',
      field: 'entities',
    });
  const ever = versions.flatMap(({ fields }) => fields);
  for (const field of shape.fields) {
    const before = ever.find(({ name }) => name === field.name);
    if (before && before.type !== field.type)
      throw incompatibleView({
        problem: `${field.name} is ${before.type}: give the ${field.type} a name of its own.`,
        field: 'fields',
      });
  }
}

function sameShape(a: ViewShape, b: ViewShape): boolean {
  return canonical(a) === canonical(b);
}

const canonical = ({ description, entities, fields, ttlMs }: ViewShape): string =>
  JSON.stringify([
    description,
    entities,
    ttlMs,
    fields.map((field) => [field.name, field.type, field.default, field.description]),
  ]);
