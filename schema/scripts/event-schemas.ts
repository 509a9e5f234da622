import { z } from 'zod';
import { contracts } from '../src/events/index.ts';

/** The JSON Schema of each event contract, by subject: what a consumer in another language reads. */
export function eventSchemas(): readonly (readonly [subject: string, json: string])[] {
  return contracts.map(({ subject, schema }) => [
    subject,
    `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`,
  ]);
}
