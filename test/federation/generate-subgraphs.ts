import type { SubgraphSource } from './facts.ts';
import { type Random, randomFrom } from './random.ts';
import type { Feature, Shape } from './shapes.ts';

/** Federation 2 documents of that shape. Most compose; the caller tries another seed otherwise. */
export function generateSubgraphs(shape: Shape, seed: number): readonly SubgraphSource[] {
  return new Generator(shape, randomFrom(seed)).run();
}

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable", "@requires", "@external", "@provides", "@interfaceObject", "@override"])';

interface TypeDraft {
  readonly keyword: 'type' | 'interface';
  readonly directives: Set<string>;
  readonly interfaces: Set<string>;
  readonly fields: Map<string, FieldDraft>;
}

interface FieldDraft {
  readonly arguments: string;
  readonly type: string;
  readonly directives: Set<string>;
}

interface SubgraphDraft {
  readonly name: string;
  readonly types: Map<string, TypeDraft>;
  readonly unions: Map<string, readonly string[]>;
  readonly others: Set<string>;
}

interface Entity {
  readonly name: string;
  readonly homes: readonly SubgraphDraft[];
  readonly keys: readonly Key[];
  readonly keysIn: Map<string, readonly Key[]>;
  readonly owned: { name: string; arguments: string; type: string; owner: SubgraphDraft }[];
}

interface Key {
  readonly fields: string;
  readonly definitions: readonly (readonly [string, string])[];
  readonly helper: string | undefined;
}

const fieldNames = ['name', 'size', 'tag', 'items', 'alt', 'note', 'rank', 'owner', 'peer'];

class Generator {
  readonly #shape: Shape;
  readonly #random: Random;
  readonly #subgraphs: SubgraphDraft[] = [];
  readonly #entities: Entity[] = [];
  readonly #sameTypes = new Map<string, string>();
  #count = 0;

  constructor(shape: Shape, random: Random) {
    this.#shape = shape;
    this.#random = random;
  }

  run(): readonly SubgraphSource[] {
    const random = this.#random;
    for (let index = 0; index < this.#shape.subgraphs; index++) {
      this.#subgraphs.push({
        name: `s${index}`,
        types: new Map(),
        unions: new Map(),
        others: new Set(),
      });
    }
    for (let index = 0; index < this.#shape.entities; index++) this.#addEntity(index);
    for (const entity of this.#entities) {
      const names = random.some(fieldNames, 3);
      for (const name of names) this.#addField(entity, name);
      if (this.#has('errors')) this.#addFlaky(entity);
      if (this.#has('mutations') && random.chance(0.7)) {
        this.#own(entity, random.pick(entity.homes), 'tick', '', 'Int!');
      }
    }
    if (this.#has('interface objects')) this.#addInterfaceObject();
    for (const entity of this.#entities) this.#addJoins(entity);
    for (const subgraph of this.#subgraphs) this.#addRoots(subgraph);
    return this.#subgraphs.map((subgraph) => ({ name: subgraph.name, sdl: print(subgraph) }));
  }

  #has(feature: Feature): boolean {
    return this.#shape.features.has(feature);
  }

  #addEntity(index: number): void {
    const random = this.#random;
    const name = `E${index}`;
    const id = this.#has('null keys') && random.chance(0.6) ? 'ID' : 'ID!';
    const keys: Key[] = [];
    const simple: Key = { fields: 'id', definitions: [['id', id]], helper: undefined };
    if (this.#has('nested keys') && random.chance(0.6)) {
      const helper = `type Key${index} @shareable { code: ID! part: Int! }`;
      const inner = random.chance(0.5) ? 'code' : 'code part';
      keys.push({
        fields: `id org { ${inner} }`,
        definitions: [
          ['id', id],
          ['org', `Key${index}!`],
        ],
        helper,
      });
    } else if (this.#has('composite keys') && random.chance(0.6)) {
      keys.push({
        fields: 'id region',
        definitions: [
          ['id', id],
          ['region', random.pick(['String!', 'Int!'])],
        ],
        helper: undefined,
      });
    } else keys.push(simple);
    if (this.#has('several keys') && random.chance(0.7)) {
      keys.push({ fields: 'sku', definitions: [['sku', 'String!']], helper: undefined });
    }
    const homes = random.some(this.#subgraphs, 2);
    const entity: Entity = { name, homes, keys, keysIn: new Map(), owned: [] };
    this.#entities.push(entity);
    for (const [position, home] of homes.entries()) {
      const used = position === 0 || keys.length === 1 ? keys : random.some(keys, 1);
      entity.keysIn.set(home.name, used);
      this.#ensureEntity(home, entity);
    }
  }

  /** The entity as far as a subgraph must know it to refer to it. */
  #ensureEntity(subgraph: SubgraphDraft, entity: Entity): TypeDraft {
    const known = subgraph.types.get(entity.name);
    if (known) return known;
    const isHome = entity.homes.includes(subgraph);
    const type = draft('type');
    subgraph.types.set(entity.name, type);
    const keys = entity.keysIn.get(subgraph.name) ?? entity.keys.slice(0, 1);
    entity.keysIn.set(subgraph.name, keys);
    for (const key of keys) {
      const suffix = isHome || this.#random.chance(0.5) ? '' : ', resolvable: false';
      type.directives.add(`@key(fields: "${key.fields}"${suffix})`);
      for (const [name, definition] of key.definitions) {
        type.fields.set(name, { arguments: '', type: definition, directives: new Set() });
      }
      if (key.helper) subgraph.others.add(key.helper);
    }
    return type;
  }

  #addField(entity: Entity, name: string): void {
    const random = this.#random;
    const owner = random.pick(entity.homes);
    let type = this.#has('conflicting names') ? undefined : this.#sameTypes.get(name);
    if (type === undefined || !/^[[\]!]*(?:Int|String|Float|Boolean|ID)[[\]!]*$/.test(type)) {
      type = this.#outputType(owner);
    }
    this.#sameTypes.set(name, type);
    const given = this.#has('arguments') && random.chance(0.4) ? this.#arguments(owner) : '';
    this.#own(entity, owner, name, given, type);
  }

  #own(entity: Entity, owner: SubgraphDraft, name: string, given: string, type: string): void {
    const random = this.#random;
    const directives = new Set<string>();
    const isSimple = /^[[\]!]*(?:Int|String|Float|Boolean|ID)[[\]!]*$/.test(type);
    if (this.#has('shareable') && isSimple && given === '' && random.chance(0.4)) {
      directives.add('@shareable');
      for (const home of entity.homes) {
        if (home !== owner && random.chance(0.6)) {
          this.#ensureEntity(home, entity).fields.set(name, {
            arguments: given,
            type,
            directives: new Set(['@shareable']),
          });
        }
      }
    } else {
      entity.owned.push({ name, arguments: given, type, owner });
    }
    this.#ensureEntity(owner, entity).fields.set(name, { arguments: given, type, directives });
  }

  #addFlaky(entity: Entity): void {
    // What others require stays nullable: one failed non-null value takes the whole object from the
    // only subgraph that knows it, and no gateway can ask around that.
    const types = ['Int', 'String', '[String]'];
    if (!this.#has('requires')) types.push('Int!');
    const type = this.#random.pick(types);
    this.#own(entity, this.#random.pick(entity.homes), `flaky${this.#count++ % 3}`, '', type);
  }

  #outputType(subgraph: SubgraphDraft): string {
    const random = this.#random;
    const kinds = ['scalar', 'scalar', 'scalar', 'list', 'entity', 'entity', 'entities'];
    if (this.#has('enums')) kinds.push('enum', 'enum');
    if (this.#has('value types')) kinds.push('value', 'value', 'values');
    if (this.#has('lists of lists')) kinds.push('grid', 'grid', 'entity grid');
    if (this.#has('interfaces')) kinds.push('interface', 'interface', 'interfaces');
    if (this.#has('unions')) kinds.push('union', 'union', 'unions');
    const bang = random.chance(0.3) ? '!' : '';
    const inner = random.chance(0.3) ? '!' : '';
    switch (random.pick(kinds)) {
      case 'list':
        return `[${this.#scalar()}${inner}]${bang}`;
      case 'entity':
        return `${this.#anyEntity(subgraph)}${bang}`;
      case 'entities':
        return `[${this.#anyEntity(subgraph)}${inner}]${bang}`;
      case 'enum':
        return `${this.#enum(subgraph)}${bang}`;
      case 'value':
        return `${this.#value(subgraph)}${bang}`;
      case 'values':
        return `[${this.#value(subgraph)}${inner}]${bang}`;
      case 'grid':
        return `[[${this.#scalar()}${inner}]]${bang}`;
      case 'entity grid':
        return `[[${this.#anyEntity(subgraph)}${inner}]${bang}]`;
      case 'interface':
        return `${this.#interface(subgraph)}${bang}`;
      case 'interfaces':
        return `[${this.#interface(subgraph)}${inner}]${bang}`;
      case 'union':
        return `${this.#union(subgraph)}${bang}`;
      case 'unions':
        return `[${this.#union(subgraph)}${inner}]${bang}`;
      default:
        return `${this.#scalar()}${bang}`;
    }
  }

  #scalar(): string {
    return this.#random.pick(['Int', 'String', 'Float', 'Boolean', 'ID']);
  }

  #anyEntity(subgraph: SubgraphDraft): string {
    const entity = this.#random.pick(this.#entities);
    this.#ensureEntity(subgraph, entity);
    return entity.name;
  }

  #enum(subgraph: SubgraphDraft): string {
    subgraph.others.add('enum Colour { RED GREEN BLUE }');
    return 'Colour';
  }

  #value(subgraph: SubgraphDraft): string {
    const name = this.#random.pick(['V0', 'V1']);
    this.#ensureValue(subgraph, name);
    return name;
  }

  #ensureValue(subgraph: SubgraphDraft, name: string): void {
    if (subgraph.types.has(name)) return;
    const type = draft('type');
    type.directives.add('@shareable');
    subgraph.types.set(name, type);
    const add = (field: string, definition: string) =>
      type.fields.set(field, { arguments: '', type: definition, directives: new Set() });
    add('amount', 'Int');
    add('unit', name === 'V0' || !this.#has('conflicting names') ? 'String!' : 'Int');
    if (name === 'V1') add('inner', 'V0');
    if (name === 'V1') this.#ensureValue(subgraph, 'V0');
    const [first] = this.#entities;
    if (name === 'V0' && first) {
      this.#ensureEntity(subgraph, first);
      add('of', first.name);
    }
  }

  #interface(subgraph: SubgraphDraft): string {
    const name = 'Node';
    if (subgraph.types.has(name)) return name;
    const type = draft('interface');
    subgraph.types.set(name, type);
    const isNullable = this.#has('null keys');
    type.fields.set('id', {
      arguments: '',
      type: isNullable ? 'ID' : 'ID!',
      directives: new Set(),
    });
    for (const entity of this.#random.some(this.#entities.slice(0, 3), 1)) {
      const keys = entity.keysIn.get(subgraph.name) ?? entity.keys.slice(0, 1);
      if (!keys.some((key) => key.fields.startsWith('id'))) continue;
      this.#ensureEntity(subgraph, entity).interfaces.add(name);
    }
    return name;
  }

  #union(subgraph: SubgraphDraft): string {
    const name = 'Any';
    if (subgraph.unions.has(name)) return name;
    const members = this.#random.some(this.#entities, 1);
    subgraph.unions.set(name, []);
    for (const entity of members) this.#ensureEntity(subgraph, entity);
    const names = members.map((entity) => entity.name);
    if (this.#has('value types') && this.#random.chance(0.5)) {
      this.#ensureValue(subgraph, 'V0');
      names.push('V0');
    }
    subgraph.unions.set(name, names);
    return name;
  }

  #arguments(subgraph: SubgraphDraft): string {
    const random = this.#random;
    const choices = ['(n: Int = 1)', '(n: Int)', '(by: String, n: Int! = 2)', '(ids: [ID!])'];
    if (this.#has('enums')) {
      this.#enum(subgraph);
      subgraph.others.add('input Filter { colour: Colour = RED, not: Filter, sizes: [Int!] }');
      choices.push('(colour: Colour = GREEN)', '(filter: Filter)');
    }
    return random.pick(choices);
  }

  #addJoins(entity: Entity): void {
    const random = this.#random;
    const scalars = /^[[\]!]*(?:Int|String|Float|Boolean|ID|Colour)[[\]!]*$/;
    const owned = [...entity.owned];
    for (const field of owned) {
      if (field.name === 'tick') continue;
      const others = entity.homes.filter((home) => home !== field.owner);
      if (others.length === 0) continue;
      const other = random.pick(others);
      const there = this.#ensureEntity(other, entity);
      if (there.fields.has(field.name)) continue;
      const isScalar = scalars.test(field.type);
      const isValue = /^[[\]!]*V\d[[\]!]*$/.test(field.type);
      if (field.type.includes('Colour')) this.#enum(other);
      if (/Colour|Filter/.test(field.arguments)) continue;
      if (this.#has('requires') && (isScalar || isValue) && random.chance(0.7)) {
        if (field.arguments !== '' && !this.#has('requires with arguments')) continue;
        if (isValue && !this.#has('requires nested')) continue;
        if (isValue) this.#ensureValue(other, field.type.replaceAll(/[[\]!]/g, ''));
        there.fields.set(field.name, {
          arguments: field.arguments,
          type: field.type,
          directives: new Set(['@external']),
        });
        const below = isValue ? ' { amount unit }' : '';
        for (let copy = random.between(1, 2); copy > 0; copy--) {
          const said = field.arguments === '' ? '' : this.#said(field.arguments);
          const result = random.pick(['String', 'Int', 'String!']);
          const type = field.name.startsWith('flaky') ? result.replace('!', '') : result;
          this.#own2(entity, other, `calc${this.#count++}`, type, [
            `@requires(fields: "${field.name}${said}${below}")`,
          ]);
        }
      } else if (this.#has('override') && random.chance(0.6) && field.arguments === '') {
        if (!isScalar) continue;
        there.fields.set(field.name, {
          arguments: field.arguments,
          type: field.type,
          directives: new Set([`@override(from: "${field.owner.name}")`]),
        });
        entity.owned.splice(entity.owned.indexOf(field), 1);
      } else if (this.#has('provides') && isScalar && field.arguments === '') {
        there.fields.set(field.name, {
          arguments: '',
          type: field.type,
          directives: new Set(['@external']),
        });
        const query = this.#rootType(other, 'Query');
        query.fields.set(`with${this.#count++}`, {
          arguments: '',
          type: random.pick([entity.name, `[${entity.name}]`]),
          directives: new Set([`@provides(fields: "${field.name}")`]),
        });
      }
    }
  }

  #own2(
    entity: Entity,
    owner: SubgraphDraft,
    name: string,
    type: string,
    directives: readonly string[],
  ): void {
    this.#ensureEntity(owner, entity).fields.set(name, {
      arguments: '',
      type,
      directives: new Set(directives),
    });
  }

  #said(definition: string): string {
    const n = this.#random.between(1, 3);
    if (definition.includes('by:')) return `(by: \\"x\\", n: ${n})`;
    if (definition.includes('ids:')) return `(ids: [\\"a\\", \\"${n}\\"])`;
    return this.#random.chance(0.3) && definition.includes('=') ? '' : `(n: ${n})`;
  }

  #addInterfaceObject(): void {
    const random = this.#random;
    const [first, ...rest] = this.#subgraphs;
    if (!first || rest.length === 0) return;
    const type = draft('interface');
    type.directives.add('@key(fields: "id")');
    type.fields.set('id', { arguments: '', type: 'ID!', directives: new Set() });
    first.types.set('Thing', type);
    for (const entity of this.#entities) {
      const implementation = this.#ensureEntity(first, entity);
      implementation.interfaces.add('Thing');
      const keys = [...implementation.directives];
      for (const key of keys) {
        implementation.directives.delete(key);
        implementation.directives.add(key.replace(', resolvable: false', ''));
      }
    }
    const query = this.#rootType(first, 'Query');
    const plain = (name: string) => ({ arguments: '', type: name, directives: new Set<string>() });
    query.fields.set('thing', plain('Thing'));
    query.fields.set('things', plain('[Thing]'));
    for (let copies = random.between(1, 2); copies > 0; copies--) {
      const object = draft('type');
      object.directives.add('@key(fields: "id")').add('@interfaceObject');
      object.fields.set('id', plain('ID!'));
      const extra = `extra${copies}`;
      object.fields.set(extra, plain(random.pick(['Int', 'String!', '[Int]'])));
      object.fields.set(`more${copies}`, {
        arguments: '(n: Int = 1)',
        type: 'String',
        directives: new Set(),
      });
      const roots = draft('type');
      roots.fields.set(`extra${copies}s`, plain('[Thing!]'));
      roots.fields.set(`anExtra${copies}`, plain('Thing'));
      this.#subgraphs.push({
        name: `x${copies}`,
        types: new Map([
          ['Thing', object],
          ['Query', roots],
        ]),
        unions: new Map(),
        others: new Set(),
      });
    }
  }

  #rootType(subgraph: SubgraphDraft, name: string): TypeDraft {
    const known = subgraph.types.get(name);
    if (known) return known;
    const type = draft('type');
    subgraph.types.set(name, type);
    return type;
  }

  #addRoots(subgraph: SubgraphDraft): void {
    if (subgraph.name.startsWith('x')) return;
    const random = this.#random;
    const query = this.#rootType(subgraph, 'Query');
    const add = (name: string, type: string) =>
      query.fields.set(name, {
        arguments: this.#has('arguments') && random.chance(0.3) ? '(n: Int = 1)' : '',
        type,
        directives: new Set(),
      });
    for (const entity of this.#entities) {
      if (!entity.homes.includes(subgraph)) continue;
      add(`${entity.name.toLowerCase()}Of${subgraph.name}`, entity.name);
      if (random.chance(0.6)) {
        add(`${entity.name.toLowerCase()}sOf${subgraph.name}`, `[${entity.name}]`);
      }
    }
    add(`plain${subgraph.name}`, this.#outputType(subgraph));
    if (this.#has('interfaces') && random.chance(0.6)) {
      add(`nodesOf${subgraph.name}`, `[${this.#interface(subgraph)}]`);
    }
    if (this.#has('unions') && random.chance(0.6)) {
      add(`anyOf${subgraph.name}`, `[${this.#union(subgraph)}]`);
    }
    if (this.#has('errors')) add(`flakyOf${subgraph.name}`, random.pick(['Int', 'String']));
    if (this.#has('shareable')) {
      const [entity] = this.#entities;
      if (entity?.homes.includes(subgraph)) {
        query.fields.set('everywhere', {
          arguments: '',
          type: entity.name,
          directives: new Set(['@shareable']),
        });
      }
    }
    if (this.#has('mutations')) {
      const mutation = this.#rootType(subgraph, 'Mutation');
      const entity = random.pick(this.#entities);
      this.#ensureEntity(subgraph, entity);
      for (const name of ['make', 'change']) {
        mutation.fields.set(`${name}${subgraph.name}`, {
          arguments: random.pick(['', '(n: Int)']),
          type: `${entity.name}${random.pick(['', '', '!'])}`,
          directives: new Set(),
        });
      }
    }
  }
}

function draft(keyword: TypeDraft['keyword']): TypeDraft {
  return { keyword, directives: new Set(), interfaces: new Set(), fields: new Map() };
}

function print({ types, unions, others }: SubgraphDraft): string {
  const parts = [link, ...others];
  for (const [name, type] of types) {
    const given = type.interfaces.size > 0 ? ` implements ${[...type.interfaces].join(' & ')}` : '';
    const fields = [...type.fields].map(
      ([field, { arguments: args, type: of, directives }]) =>
        `  ${field}${args}: ${of}${[...directives].map((directive) => ` ${directive}`).join('')}`,
    );
    const directives = [...type.directives].map((directive) => ` ${directive}`).join('');
    parts.push(`${type.keyword} ${name}${given}${directives} {\n${fields.join('\n')}\n}`);
  }
  for (const [name, members] of unions) parts.push(`union ${name} = ${members.join(' | ')}`);
  return `${parts.join('\n\n')}\n`;
}
