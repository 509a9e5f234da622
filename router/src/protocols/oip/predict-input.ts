import { invalidRequest } from '../graph-failure.ts';
import { readStrings } from './byte-strings.ts';
import type { InferInput, InferRequest } from './infer-request.ts';

/** An inference request as the fields of `PredictInput` besides the model. Throws INVALID_REQUEST. */
export function predictInput({ inputs, parameters }: InferRequest, tail: Buffer) {
  let at = 0;
  const tensors = inputs.map((input) => {
    const size = input.parameters?.binary_data_size;
    if (size === undefined) return fromJson(input);
    if (at + size > tail.length) throw wrong(input, 'its binary data is not all there');
    const bytes = tail.subarray(at, at + size);
    at += size;
    return fromBytes(input, bytes);
  });
  if (at < tail.length)
    throw invalidRequest({ field: 'body', problem: 'holds more binary data than its inputs name' });
  const { priority = 0, timeout = 0 } = parameters ?? {};
  return {
    inputs: tensors,
    ...(priority > 0 && { priority: Math.min(priority, 3) }),
    // µs here, ms there.
    ...(timeout > 0 && { deadlineMs: Math.min(Math.ceil(timeout / 1_000), 30_000) }),
  };
}

function fromJson(input: InferInput) {
  const { name, datatype, shape, data } = input;
  if (data === undefined) throw wrong(input, 'has neither `data` nor `binary_data_size`');
  return { name, datatype, shape, data: flat(data) };
}

function fromBytes(input: InferInput, bytes: Buffer) {
  const { name, datatype, shape, data } = input;
  if (data !== undefined) throw wrong(input, 'has both `data` and `binary_data_size`');
  return datatype === 'BYTES'
    ? { name, datatype, shape, data: readStrings(name, bytes) }
    : { name, datatype, shape, base64: bytes.toString('base64') };
}

/** Values may come in nested lists, row by row; the nesting is as deep as the guards let JSON be. */
function flat(data: readonly unknown[]): readonly unknown[] {
  return data.some(Array.isArray)
    ? data.flatMap((one) => (Array.isArray(one) ? flat(one) : [one]))
    : data;
}

const wrong = ({ name }: InferInput, problem: string) => invalidRequest({ field: name, problem });
