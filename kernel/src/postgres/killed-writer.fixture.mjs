// Writes rows, one transaction each, and tells its parent after 20 of them; then goes on until it is killed.
import process from 'node:process';
import { sql } from 'kysely';
import { openPglite } from './index.ts';

const embedded = await openPglite({ folder: process.argv[2] });
const database = await embedded.database('writer');
await database.migrate([{ name: '1', sql: 'create table written (n int)' }]);
for (let n = 1; ; n += 1) {
  await sql`insert into written values (${n})`.execute(database.query);
  if (n === 20) process.send(n);
}
