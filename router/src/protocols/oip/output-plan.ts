import { invalidRequest } from '../graph-failure.ts';
import type { InferRequest } from './infer-request.ts';

/** Which outputs are wanted, and in which form. */
export interface OutputPlan {
  readonly anyJson: boolean;
  readonly anyBinary: boolean;
  /** The names that were asked for, in their order; `undefined` for all in the model's. */
  readonly names: readonly string[] | undefined;
  isBinary(name: string): boolean;
}

/** Reads what an inference request says about outputs. Throws INVALID_REQUEST. */
export function outputPlan({ outputs, parameters }: InferRequest): OutputPlan {
  const byDefault = parameters?.binary_data_output === true;
  if (outputs === undefined || outputs.length === 0)
    return {
      anyJson: !byDefault,
      anyBinary: byDefault,
      names: undefined,
      isBinary: () => byDefault,
    };
  const forms = new Map<string, boolean>();
  for (const { name, parameters: own } of outputs) {
    if ((own?.classification ?? 0) > 0)
      throw invalidRequest({ field: name, problem: 'classification is not supported' });
    forms.set(name, own?.binary_data ?? byDefault);
  }
  const binaries = [...forms.values()];
  return {
    anyJson: binaries.includes(false),
    anyBinary: binaries.includes(true),
    names: [...forms.keys()],
    isBinary: (name) => forms.get(name) ?? byDefault,
  };
}
