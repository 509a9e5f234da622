import { createHash } from 'node:crypto';
import { defineError } from '../errors/index.ts';
import type { Connection } from './connection-pool.ts';
import type { Migration } from './database.ts';

export const migrationRefused = defineError(
  'MIGRATION_REFUSED',
  500,
  ({ name, reason }: { name: string; reason: string }) => `Migration ${name} ${reason}.`,
);

/** Applies what is missing, in one transaction, while nobody else does (an advisory lock of the service). */
export async function migrate(
  connection: Connection,
  service: string,
  migrations: readonly Migration[],
): Promise<void> {
  try {
    await connection.query('begin');
    await connection.query('select pg_advisory_xact_lock(hashtext($1))', [
      `opea:migrate:${service}`,
    ]);
    await connection.query(`create table if not exists migrations (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
    const { rows } = await connection.query('select name, checksum from migrations');
    const applied = new Map(rows.map(({ name, checksum }) => [String(name), String(checksum)]));
    for (const migration of pending(applied, migrations)) {
      await connection.query(migration.sql);
      await connection.query('insert into migrations (name, checksum) values ($1, $2)', [
        migration.name,
        checksumOf(migration),
      ]);
    }
    await connection.query('commit');
  } catch (error) {
    await connection.query('rollback').catch(() => {});
    throw error;
  }
}

function pending(
  applied: ReadonlyMap<string, string>,
  migrations: readonly Migration[],
): readonly Migration[] {
  const names = new Set<string>();
  for (const migration of migrations) {
    const { name } = migration;
    if (names.has(name)) throw migrationRefused({ name, reason: 'is listed twice' });
    names.add(name);
    const checksum = applied.get(name);
    if (checksum !== undefined && checksum !== checksumOf(migration)) {
      throw migrationRefused({ name, reason: 'was edited after it was applied' });
    }
  }
  for (const name of applied.keys()) {
    if (!names.has(name))
      throw migrationRefused({ name, reason: 'was applied and is now unknown' });
  }
  return migrations.filter(({ name }) => !applied.has(name));
}

const checksumOf = ({ sql }: Migration): string => createHash('sha256').update(sql).digest('hex');
