import { invalidRequest } from './graph-failure.ts';

/** Which version of a model is meant, as `predict` and `generate` take it. */
export interface ModelChoice {
  readonly model: string;
  readonly alias?: string;
  readonly version?: number;
}

/** Reads `name`, `name@alias` or `name@3`: clients have one field for all of it. */
export function modelChoice(text: string): ModelChoice {
  const [model = '', wanted, ...rest] = text.split('@');
  if (model === '' || wanted === '' || rest.length > 0)
    throw invalidRequest({ field: 'model', problem: 'is a name, `name@alias` or `name@version`' });
  if (wanted === undefined) return { model };
  const version = versionNumber(wanted);
  return version === undefined ? { model, alias: wanted } : { model, version };
}

/** A version's number, `undefined` for what is none. */
export function versionNumber(text: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
