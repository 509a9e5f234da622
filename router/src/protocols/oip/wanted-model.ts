import { invalidRequest } from '../graph-failure.ts';
import { type ModelChoice, modelChoice, versionNumber } from '../model-name.ts';
import type { ProtocolCall } from '../protocol.ts';

/** The model that an address names. The version is a number, or an alias such as `production`. */
export function wantedModel({ params }: Pick<ProtocolCall, 'params'>): ModelChoice {
  const { model = '', version } = params;
  if (version === undefined) return modelChoice(model);
  if (model.includes('@'))
    throw invalidRequest({ field: 'model', problem: 'names its version once' });
  const number = versionNumber(version);
  return number === undefined ? { model, alias: version } : { model, version: number };
}
