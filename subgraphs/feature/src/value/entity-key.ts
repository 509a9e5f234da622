import { invalidEntity } from '../errors.ts';

/**
 * The canonical form of an entity: its names in the view's order with their ids as text, as JSON. Two ways of
 * writing the same entity have the same key. Throws INVALID_ENTITY when it names others than the view's.
 */
export function entityKey(entities: readonly string[], given: unknown): string {
  const problem = `An entity is an object with ${entities.join(' and ')}.`;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalidEntity({ problem });
  const ids = new Map<string, unknown>(Object.entries(given));
  if (ids.size !== entities.length) throw invalidEntity({ problem });
  return JSON.stringify(entities.map((name) => [name, idOf(ids.get(name), problem)]));
}

/** The entity that a key stands for, as an object. */
export function entityOf(key: string): Readonly<Record<string, string>> {
  const pairs: readonly (readonly [string, string])[] = JSON.parse(key);
  return Object.fromEntries(pairs);
}

/** Whether a text is a key as `entityKey` writes them. */
export function isEntityKey(text: string): boolean {
  try {
    const pairs: unknown = JSON.parse(text);
    return Array.isArray(pairs) && pairs.every(isPair) && JSON.stringify(pairs) === text;
  } catch {
    return false;
  }
}

const isPair = (pair: unknown): boolean =>
  Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');

function idOf(id: unknown, problem: string): string {
  if (typeof id === 'string' && id !== '' && id.length <= 256) return id;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  throw invalidEntity({ problem });
}
