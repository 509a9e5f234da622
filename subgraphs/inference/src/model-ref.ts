import type { ModelRef } from '@opea/schema/runtime';
import { ambiguousVersion } from './errors.ts';

/** Which version a caller means. Throws AMBIGUOUS_VERSION for an alias and a number at once. */
export function modelRef(
  tenant: string,
  input: {
    readonly model: string;
    readonly alias?: string | null | undefined;
    readonly version?: number | null | undefined;
  },
): ModelRef {
  const { model, alias, version } = input;
  if (typeof alias === 'string' && typeof version === 'number') throw ambiguousVersion({});
  if (typeof version === 'number') return { tenant, model, version };
  return { tenant, model, alias: alias ?? 'production' };
}
