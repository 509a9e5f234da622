/** What a generated supergraph is made of. */
export interface Shape {
  readonly name: string;
  readonly subgraphs: number;
  readonly entities: number;
  readonly features: ReadonlySet<Feature>;
}

export type Feature =
  | 'composite keys'
  | 'nested keys'
  | 'several keys'
  | 'null keys'
  | 'shareable'
  | 'requires'
  | 'requires with arguments'
  | 'requires nested'
  | 'provides'
  | 'override'
  | 'interfaces'
  | 'interface objects'
  | 'unions'
  | 'enums'
  | 'arguments'
  | 'lists of lists'
  | 'value types'
  | 'mutations'
  | 'errors'
  | 'conflicting names';

const shape = (
  name: string,
  subgraphs: number,
  entities: number,
  ...features: readonly Feature[]
): Shape => ({ name, subgraphs, entities, features: new Set(features) });

export const shapes: readonly Shape[] = [
  shape('plain entities', 2, 2),
  shape('many subgraphs', 4, 3, 'arguments'),
  shape('composite keys', 3, 3, 'composite keys'),
  shape('nested keys', 3, 3, 'nested keys'),
  shape('several keys', 3, 2, 'several keys'),
  shape('null keys', 3, 3, 'null keys'),
  shape('shareable fields', 3, 3, 'shareable', 'value types'),
  shape('requires', 3, 3, 'requires'),
  shape('requires with arguments', 3, 3, 'requires', 'requires with arguments', 'arguments'),
  shape('requires nested values', 3, 2, 'requires', 'requires nested', 'value types'),
  shape('provides', 3, 3, 'provides'),
  shape('override', 3, 3, 'override'),
  shape('interfaces', 3, 3, 'interfaces'),
  shape('interfaces and conflicts', 3, 3, 'interfaces', 'conflicting names', 'arguments'),
  shape('interface objects', 3, 3, 'interface objects'),
  shape('unions', 3, 3, 'unions', 'value types'),
  shape('unions and conflicts', 3, 3, 'unions', 'conflicting names', 'value types', 'arguments'),
  shape('enums and arguments', 3, 3, 'enums', 'arguments'),
  shape('lists of lists', 3, 3, 'lists of lists', 'value types'),
  shape('mutations', 3, 3, 'mutations', 'arguments'),
  shape('errors', 3, 3, 'errors'),
  shape('errors and requires', 3, 3, 'errors', 'requires', 'value types'),
  shape('errors and abstract types', 3, 3, 'errors', 'interfaces', 'unions', 'lists of lists'),
  shape('keys of every kind', 4, 4, 'composite keys', 'nested keys', 'several keys', 'shareable'),
  shape(
    'mixed joins',
    4,
    3,
    'requires',
    'provides',
    'override',
    'shareable',
    'arguments',
    'value types',
  ),
  shape(
    'everything',
    4,
    4,
    'composite keys',
    'nested keys',
    'several keys',
    'shareable',
    'requires',
    'requires with arguments',
    'requires nested',
    'provides',
    'override',
    'interfaces',
    'unions',
    'enums',
    'arguments',
    'lists of lists',
    'value types',
    'mutations',
    'errors',
    'conflicting names',
  ),
];
