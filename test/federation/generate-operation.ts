import {
  type GraphQLCompositeType,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  validate,
} from 'graphql';

import { type Random, randomFrom } from './random.ts';

export interface GeneratedOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** A valid operation that is unkind to gateways. */
export function generateOperation(schema: GraphQLSchema, seed: number): GeneratedOperation {
  for (let attempt = 0; ; attempt++) {
    const random = randomFrom(seed + attempt * 1_000_003);
    // Aliases that meet in one place make many tries invalid; later tries are tamer.
    const operation = new Writer(schema, random, attempt < 8).write();
    if (validate(schema, parse(operation.query)).length === 0) return operation;
    if (attempt > 60) return { query: '{__typename}', variables: {} };
  }
}

const strangeAliases = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '_a', 'id'];

class Writer {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  readonly #isBold: boolean;
  readonly #variables: Record<string, unknown> = {};
  readonly #definitions: string[] = [];
  readonly #fragments: string[] = [];
  readonly #open = new Map<string, string[]>();
  #left: number;

  constructor(schema: GraphQLSchema, random: Random, isBold: boolean) {
    this.#schema = schema;
    this.#random = random;
    this.#isBold = isBold;
    this.#left = random.between(4, 30);
  }

  write(): GeneratedOperation {
    const mutation = this.#schema.getMutationType();
    const isMutation = mutation && this.#random.chance(0.3);
    const root = isMutation ? mutation : this.#schema.getQueryType();
    if (!root) throw new Error('The schema has no query type');
    const body = this.#set(root, 0);
    const head = this.#definitions.length > 0 ? ` (${this.#definitions.join(', ')})` : '';
    const text = `${isMutation ? 'mutation' : 'query'}${head} ${body}`;
    return { query: [text, ...this.#fragments].join('\n'), variables: this.#variables };
  }

  #set(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    const parts: string[] = [];
    for (let count = random.between(1, depth === 0 ? 3 : 4); count > 0; count--) {
      parts.push(this.#selection(type, depth));
    }
    if (random.chance(0.1) && parts[0]) parts.push(parts[0]);
    return `{ ${parts.join(' ')} }`;
  }

  #selection(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    if (depth >= 7) return this.#typename();
    if (isUnionType(type) || random.chance(isObjectType(type) ? 0.12 : 0.4)) {
      if (random.chance(isUnionType(type) ? 0.15 : 0.1)) return this.#typename();
      return this.#fragment(type, depth);
    }
    if (random.chance(0.08)) return this.#typename();
    return this.#field(type, depth);
  }

  #typename(): string {
    const alias = this.#random.chance(0.4)
      ? `${this.#random.pick(['t', 'kind', 'id', 'name'])}: `
      : '';
    return `${alias}__typename${this.#condition()}`;
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    const targets = this.#targets(type);
    // An interface that nothing implements has no other side.
    const target = targets.length === 0 ? type : random.pick(targets);
    const condition = this.#condition();
    this.#left -= 1;
    if (random.chance(0.3)) {
      const name = this.#named(target, depth);
      if (name) return `...${name}${condition}`;
    }
    const on = target === type && random.chance(0.5) ? '' : ` on ${target.name}`;
    return `...${on}${condition} ${this.#set(target, depth + 1)}`;
  }

  #named(type: GraphQLCompositeType, depth: number): string | undefined {
    const known = this.#open.get(type.name) ?? [];
    if (known.length > 0 && this.#random.chance(0.5)) return this.#random.pick(known);
    const body = this.#set(type, depth + 1);
    const name = `F${this.#fragments.length}`;
    this.#fragments.push(`fragment ${name} on ${type.name} ${body}`);
    this.#open.set(type.name, [...known, name]);
    return name;
  }

  /** Types that an object of this type may also be. */
  #targets(type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
    const all = Object.values(this.#schema.getTypeMap()).filter(isCompositeType);
    const mine = this.#objectsOf(type);
    return all.filter(
      (candidate) =>
        !candidate.name.startsWith('__') &&
        this.#objectsOf(candidate).some((object) => mine.includes(object)),
    );
  }

  #objectsOf(type: GraphQLCompositeType): readonly string[] {
    if (isObjectType(type)) return [type.name];
    return this.#schema.getPossibleTypes(type).map(({ name }) => name);
  }

  #field(type: GraphQLCompositeType, depth: number): string {
    const random = this.#random;
    if (!isObjectType(type) && !isInterfaceType(type)) return this.#typename();
    const fields = Object.values(type.getFields());
    const isDeep = depth >= 5 || this.#left <= 0;
    const leaves = fields.filter((field) => !isCompositeType(getNamedType(field.type)));
    if (isDeep && leaves.length === 0) return this.#typename();
    const field = random.pick(isDeep ? leaves : fields);
    this.#left -= 1;
    const named = getNamedType(field.type);
    const alias = this.#alias(fields.map(({ name }) => name));
    const given = field.args
      .filter((argument) => isRequired(argument.type, argument.defaultValue) || random.chance(0.6))
      .map((argument) => `${argument.name}: ${this.#value(argument.type, true)}`);
    const args = given.length > 0 ? `(${given.join(', ')})` : '';
    const body = isCompositeType(named) ? ` ${this.#set(named, depth + 1)}` : '';
    return `${alias}${field.name}${args}${this.#condition()}${body}`;
  }

  #alias(siblings: readonly string[]): string {
    const random = this.#random;
    if (!random.chance(this.#isBold ? 0.3 : 0.1)) return '';
    if (random.chance(0.08)) return `${random.pick(strangeAliases)}: `;
    if (this.#isBold && random.chance(0.5)) return `${random.pick(siblings)}: `;
    return `a${random.between(0, 99)}: `;
  }

  #condition(): string {
    const random = this.#random;
    if (!random.chance(0.12)) return '';
    const value = random.chance(0.65) ? random.chance(0.6) : undefined;
    const name = random.pick(['skip', 'include']);
    if (value !== undefined && random.chance(0.3)) return ` @${name}(if: ${value})`;
    const variable = this.#variable('Boolean!', random.chance(0.5));
    const second = random.chance(0.1) ? ` @${name === 'skip' ? 'include' : 'skip'}(if: true)` : '';
    return ` @${name}(if: ${variable})${second}`;
  }

  #value(type: GraphQLInputType, mayBeVariable: boolean): string {
    const random = this.#random;
    if (mayBeVariable && random.chance(0.3)) {
      const isMissing = !isNonNullType(type) && random.chance(0.2);
      return this.#variable(String(type), isMissing ? undefined : this.#json(type));
    }
    if (isNonNullType(type)) return this.#literal(type.ofType);
    return random.chance(0.1) ? 'null' : this.#literal(type);
  }

  #literal(type: GraphQLInputType): string {
    const random = this.#random;
    if (isNonNullType(type)) return this.#literal(type.ofType);
    if (isListType(type)) {
      if (random.chance(0.15)) return this.#literal(type.ofType);
      const items = Array.from({ length: random.between(0, 2) }, () =>
        this.#value(type.ofType, true),
      );
      return `[${items.join(', ')}]`;
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields())
        .filter((field) => isRequired(field.type, field.defaultValue) || random.chance(0.4))
        .map((field) => `${field.name}: ${this.#value(field.type, true)}`);
      return `{ ${fields.join(', ')} }`;
    }
    return JSON.stringify(this.#json(type));
  }

  #json(type: GraphQLInputType): unknown {
    const random = this.#random;
    if (isNonNullType(type)) return this.#present(type.ofType);
    return random.chance(0.15) ? null : this.#present(type);
  }

  #present(type: GraphQLInputType): unknown {
    const random = this.#random;
    if (isNonNullType(type)) return this.#present(type.ofType);
    if (isListType(type)) {
      return Array.from({ length: random.between(0, 2) }, () => this.#json(type.ofType));
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const entries = Object.values(type.getFields())
        .filter((field) => isRequired(field.type, field.defaultValue) || random.chance(0.3))
        .map((field) => [field.name, this.#json(field.type)] as const);
      return Object.fromEntries(entries);
    }
    switch (type.name) {
      case 'Int':
        return random.between(-2, 4);
      case 'Float':
        return random.between(0, 8) / 4;
      case 'Boolean':
        return random.chance(0.5);
      case 'ID':
        return random.pick(['a', 'b', '7']);
      default:
        return random.pick(['x', 'y"z', 'é\n', '']);
    }
  }

  #variable(type: string, value: unknown): string {
    const name = `v${this.#definitions.length}`;
    const random = this.#random;
    const isDefaulted = value !== undefined && value !== null && random.chance(0.15);
    const simple = typeof value === 'number' || typeof value === 'boolean';
    if (isDefaulted && simple) {
      this.#definitions.push(`$${name}: ${type} = ${JSON.stringify(value)}`);
      if (random.chance(0.5)) this.#variables[name] = value;
      return `$${name}`;
    }
    this.#definitions.push(`$${name}: ${type}`);
    if (value !== undefined) this.#variables[name] = value;
    return `$${name}`;
  }
}

function isRequired(type: GraphQLInputType, defaultValue: unknown): boolean {
  return isNonNullType(type) && defaultValue === undefined;
}
