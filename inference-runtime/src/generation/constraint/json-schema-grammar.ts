import { invalidInput } from '../../errors.ts';
import { choice, later, literal, optional, type Rule, sequence } from './grammar.ts';
import { anyValue, colon, comma, integer, list, number, string } from './json-grammar.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about which values are valid. */
const remarks = [
  'title',
  'description',
  '$schema',
  '$id',
  '$defs',
  'definitions',
  'default',
  'examples',
  '$comment',
];

/**
 * The grammar of the JSON texts that a JSON Schema (draft 2020-12) allows, with the properties in the order of the schema and no
 * others. Understood: type, properties, required, additionalProperties: false, items, minItems, maxItems, enum, const, minLength,
 * maxLength, minimum: 0, anyOf, oneOf, and $ref to #/$defs. Anything else is refused with INVALID_INPUT, not ignored.
 */
export function jsonSchemaGrammar(schema: unknown): Rule {
  return compile(schema, { root: schema, path: 'jsonSchema', refs: new Map() });
}

interface Context {
  readonly root: unknown;
  /** For messages. */
  readonly path: string;
  readonly refs: Map<string, Rule>;
}

function compile(schema: unknown, context: Context): Rule {
  if (schema === true) return anyValue;
  if (!isSchema(schema)) throw refusal(context, 'is not a schema');
  const within = (key: string) => ({ ...context, path: `${context.path}.${key}` });
  const { $ref, enum: values, anyOf, oneOf, type } = schema;

  if (typeof $ref === 'string') return only(schema, ['$ref'], context, reference($ref, context));
  if ('const' in schema)
    return only(schema, ['const', 'type'], context, literal(JSON.stringify(schema['const'])));
  if (Array.isArray(values)) {
    const options = values.map((value) => literal(JSON.stringify(value)));
    return only(schema, ['enum', 'type'], context, choice(...options));
  }
  const either = anyOf ?? oneOf;
  if (Array.isArray(either)) {
    const options = either.map((option, index) => compile(option, within(`anyOf.${index}`)));
    return only(schema, ['anyOf', 'oneOf'], context, choice(...options));
  }
  if (Array.isArray(type))
    return choice(
      ...type.map((one) => compile({ ...pick(schema, keywordsOf(one)), type: one }, context)),
    );
  return ofType(schema, context);
}

function ofType(schema: Schema, context: Context): Rule {
  const { type } = schema;
  const rule = (made: Rule) => only(schema, ['type', ...keywordsOf(type)], context, made);
  switch (type) {
    case undefined:
      return Object.keys(schema).some((key) => !remarks.includes(key))
        ? compile({ ...schema, type: guessType(schema, context) }, context)
        : anyValue;
    case 'null':
      return rule(literal('null'));
    case 'boolean':
      return rule(choice(literal('true'), literal('false')));
    case 'integer':
      return rule(integer(signed(schema, context)));
    case 'number':
      return rule(number(signed(schema, context)));
    case 'string':
      return rule(string(...bounds(schema, 'Length', context)));
    case 'array': {
      const item = compile(schema['items'] ?? true, { ...context, path: `${context.path}.items` });
      return rule(
        sequence(literal('['), list(item, ...bounds(schema, 'Items', context)), literal(']')),
      );
    }
    case 'object':
      return rule(object(schema, context));
    default:
      throw refusal(context, `has the unknown type ${JSON.stringify(type)}`);
  }
}

function keywordsOf(type: unknown): readonly string[] {
  switch (type) {
    case 'integer':
    case 'number':
      return ['minimum'];
    case 'string':
      return ['minLength', 'maxLength'];
    case 'array':
      return ['items', 'minItems', 'maxItems'];
    case 'object':
      return ['properties', 'required', 'additionalProperties'];
    default:
      return [];
  }
}

function guessType(schema: Schema, context: Context): string {
  if ('properties' in schema) return 'object';
  if ('items' in schema) return 'array';
  throw refusal(context, 'needs a type');
}

/** Properties in their order; the comma belongs to what follows the first one that is there. */
function object(schema: Schema, context: Context): Rule {
  const { properties, required, additionalProperties } = schema;
  if (properties === undefined) {
    if (additionalProperties === false) return literal('{}');
    return sequence(literal('{'), list(sequence(string(), colon, anyValue)), literal('}'));
  }
  if (!isSchema(properties)) throw refusal(context, 'has properties that are no object');
  const needed = new Set(Array.isArray(required) ? required : []);
  for (const name of needed)
    if (typeof name !== 'string' || !(name in properties))
      throw refusal(context, `requires ${JSON.stringify(name)}, which is not among its properties`);
  const entries = Object.entries(properties).map(([name, value]) => ({
    rule: sequence(
      literal(JSON.stringify(name)),
      colon,
      compile(value, { ...context, path: `${context.path}.properties.${name}` }),
    ),
    needed: needed.has(name),
  }));

  /** Entries from `index` on, with something before them or not. */
  const rest = (index: number, first: boolean): Rule => {
    const entry = entries[index];
    if (entry === undefined) return sequence();
    const taken = sequence(...(first ? [] : [comma]), entry.rule, rest(index + 1, false));
    return entry.needed ? taken : choice(taken, rest(index + 1, first));
  };
  return sequence(literal('{'), rest(0, true), literal('}'));
}

function reference(target: string, context: Context): Rule {
  const { refs, root } = context;
  const known = refs.get(target);
  if (known) return known;
  if (!target.startsWith('#')) throw refusal(context, `refers to ${target}, which is outside`);
  const found = target
    .split('/')
    .slice(1)
    .reduce<unknown>((at, key) => (isSchema(at) ? at[key] : undefined), root);
  if (found === undefined) throw refusal(context, `refers to ${target}, which is not there`);
  let rule: Rule | undefined;
  const lazy = later(() => rule ?? optional(sequence()));
  refs.set(target, lazy);
  rule = compile(found, { ...context, path: target });
  return lazy;
}

function bounds(schema: Schema, suffix: 'Length' | 'Items', context: Context): [number, number] {
  const min = schema[`min${suffix}`] ?? 0;
  const max = schema[`max${suffix}`] ?? Number.POSITIVE_INFINITY;
  if (typeof min !== 'number' || typeof max !== 'number' || min > max || min > 1_000)
    throw refusal(context, `has bounds on its ${suffix.toLowerCase()} that cannot be met`);
  return [min, max];
}

function signed(schema: Schema, context: Context): boolean {
  const { minimum } = schema;
  if (minimum !== undefined && minimum !== 0)
    throw refusal(context, 'may only have a minimum of 0');
  return minimum === undefined;
}

/** The rule, when the schema says nothing that the rule does not cover. */
function only(schema: Schema, keywords: readonly string[], context: Context, rule: Rule): Rule {
  const unknown = Object.keys(schema).find(
    (key) => !keywords.includes(key) && !remarks.includes(key),
  );
  if (unknown !== undefined) throw refusal(context, `uses ${unknown}, which is not supported here`);
  return rule;
}

function pick(schema: Schema, keywords: readonly string[]): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => keywords.includes(key)));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal({ path }: Context, problem: string) {
  return invalidInput({ field: path, problem });
}
