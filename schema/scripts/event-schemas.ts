import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { breakingChanges, contracts, type JsonSchema } from '../src/events/index.ts';

/** The JSON Schema of each event contract, by subject: what a consumer in another language reads. */
export function eventSchemas(): readonly (readonly [subject: string, json: string])[] {
  return contracts.map(({ subject, schema }) => [
    subject,
    `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`,
  ]);
}

/** Throws when a contract breaks what its committed schema promised: a new meaning is a new version. */
export async function demandCompatible(folder: string): Promise<void> {
  const broken: string[] = [];
  for (const [subject, json] of eventSchemas()) {
    const committed = await readFile(join(folder, `${subject}.json`), 'utf8').catch(
      () => undefined,
    );
    if (committed === undefined) continue;
    const reasons = breakingChanges(parsed(committed), parsed(json));
    broken.push(...reasons.map((reason) => `${subject}: ${reason}`));
  }
  if (broken.length > 0)
    throw new Error(`Event contracts that break their readers\n  ${broken.join('\n  ')}`);
}

// A schema of JSON Schema would say no more than its own parser, which wrote both sides.
const parsed = (json: string): JsonSchema => JSON.parse(json);
