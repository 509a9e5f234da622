import { type QueryExecutorProvider, sql } from 'kysely';
import type { Position } from './event-store.ts';

/** The progress of a projection, in the same tables as its read model. */
export async function readCheckpoint(db: QueryExecutorProvider, name: string): Promise<Position> {
  const { rows } = await sql<{
    position: Position;
  }>`select position from projections where name = ${name}`.execute(db);
  return rows[0]?.position ?? '0';
}

/** Reads it and keeps other projectors of that name out until `tx` ends. */
export async function lockCheckpoint(tx: QueryExecutorProvider, name: string): Promise<Position> {
  const { rows } = await sql<{
    position: Position;
  }>`insert into projections as p (name, position) values (${name}, 0)
    on conflict (name) do update set position = p.position returning position`.execute(tx);
  return rows[0]?.position ?? '0';
}

export async function moveCheckpoint(
  tx: QueryExecutorProvider,
  name: string,
  position: Position,
): Promise<void> {
  await sql`update projections set position = ${position} where name = ${name}`.execute(tx);
}

/** Notes an event that the projection could not handle, and why. */
export async function noteFailure(
  tx: QueryExecutorProvider,
  { name, position, cause }: { name: string; position: Position; cause: string },
): Promise<void> {
  await sql`insert into projection_failures (projection, position, cause)
    values (${name}, ${position}, ${cause}) on conflict do nothing`.execute(tx);
}

export async function forgetFailures(tx: QueryExecutorProvider, name: string): Promise<void> {
  await sql`delete from projection_failures where projection = ${name}`.execute(tx);
}
