import { badUserInput } from '../errors/index.ts';

export interface Edge<Node> {
  readonly cursor: string;
  readonly node: Node;
}

/** A page in Relay's form (GraphQL Cursor Connections Specification). */
export interface Connection<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly nodes: readonly Node[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** How many to give: 20 when nobody says, at most 100. Throws BAD_USER_INPUT for less than 0. */
export function clampFirst(
  first: number | null | undefined,
  { fallback = 20, max = 100 } = {},
): number {
  if (first === null || first === undefined) return fallback;
  if (!Number.isInteger(first) || first < 0) {
    throw badUserInput({ reason: 'first must be a whole number, 0 or more.', field: 'first' });
  }
  return Math.min(first, max);
}

/** Hides what a cursor is made of, so that clients do not build on it. */
export const encodeCursor = (parts: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/** The parts of a cursor that we made; `undefined` for none. Throws BAD_USER_INPUT for anything else. */
export function decodeCursor(
  cursor: string | null | undefined,
): readonly (string | number)[] | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const parts = parsed(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (parts && encodeCursor(parts) === cursor) return parts;
  throw badUserInput({ reason: 'This cursor is not one of ours.', field: 'after' });
}

/** Makes a page of rows. Fetch one row more than `first`: it only tells that there is a next page. */
export function connection<Row>({
  rows,
  first,
  after,
  cursorOf,
}: {
  readonly rows: readonly Row[];
  readonly first: number;
  readonly after?: string | null | undefined;
  readonly cursorOf: (row: Row) => readonly (string | number)[];
}): Connection<Row> {
  const nodes = rows.slice(0, first);
  const edges = nodes.map((node) => ({ cursor: encodeCursor(cursorOf(node)), node }));
  return {
    edges,
    nodes,
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: after !== null && after !== undefined,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function parsed(text: string): readonly (string | number)[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(isPart) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPart(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
