import type { Tensor, TensorSpec } from '@opea/schema/runtime';
import { holds } from '../engines/onnx/datatypes.ts';
import { nonFiniteRows } from '../engines/onnx/finiteness.ts';
import { invalidInput } from '../errors.ts';
import { isFree } from './batch-axis.ts';

export interface InputRules {
  readonly inputs: readonly TensorSpec[];
  readonly batchable: boolean;
  /** Rows of the first dimension; larger requests are refused. */
  readonly maxRows: number;
}

export interface ValidInputs {
  /** One per input of the model, in the model's order. */
  readonly tensors: readonly Tensor[];
  readonly rows: number;
  /** Requests of equal keys have equal shapes but for the first dimension. */
  readonly key: string;
}

/** Checks a request at the door: ONNX Runtime ignores extra inputs and says little about wrong ones. Throws INVALID_INPUT naming the field. */
export function validateInputs(given: readonly Tensor[], rules: InputRules): ValidInputs {
  const byName = new Map<string, Tensor>();
  for (const tensor of given) {
    if (byName.has(tensor.name)) refuse(tensor.name, 'is given twice');
    byName.set(tensor.name, tensor);
  }
  for (const name of byName.keys())
    if (!rules.inputs.some((spec) => spec.name === name)) refuse(name, 'is no input of this model');

  const sizes = new Map<string, number>();
  const tensors = rules.inputs.map((spec) => {
    const tensor = byName.get(spec.name) ?? refuse(spec.name, 'is missing');
    checkTensor(tensor, spec, sizes);
    return tensor;
  });
  const rows = rules.batchable ? (tensors[0]?.shape[0] ?? 1) : 1;
  const [firstSpec] = rules.inputs;
  if (firstSpec && rows > rules.maxRows)
    refuse(firstSpec.name, `has ${rows} rows; at most ${rules.maxRows} fit in one request`);
  for (const tensor of tensors)
    if (nonFiniteRows(tensor).length > 0) refuse(tensor.name, 'holds NaN or an infinity');
  const key = tensors.map(({ shape }) => shape.slice(rules.batchable ? 1 : 0).join('x')).join(';');
  return { tensors, rows, key };
}

function checkTensor(tensor: Tensor, spec: TensorSpec, sizes: Map<string, number>): void {
  const { name, datatype, shape, data } = tensor;
  if (datatype !== spec.datatype)
    refuse(name, `has datatype ${datatype}; the model takes ${spec.datatype}`);
  if (shape.length !== spec.shape.length)
    refuse(name, `has ${shape.length} dimensions; the model takes ${spec.shape.length}`);
  for (const [axis, size] of shape.entries()) {
    const expected = spec.shape[axis];
    if (!Number.isSafeInteger(size) || size < 0)
      refuse(name, `has ${String(size)} for dimension ${axis}`);
    if (axis === 0 && isFree(expected) && size === 0) refuse(name, 'holds no row');
    if (typeof expected === 'number' && expected >= 0 && expected !== size)
      refuse(name, `has ${size} for dimension ${axis}; the model takes ${expected}`);
    if (typeof expected === 'string' && expected !== '') {
      const agreed = sizes.get(expected) ?? size;
      sizes.set(expected, agreed);
      if (agreed !== size)
        refuse(name, `has ${size} for dimension ${expected}, which is ${agreed} in another input`);
    }
  }
  const length = shape.reduce((product, size) => product * size, 1);
  if (data.length !== length)
    refuse(name, `holds ${data.length} elements; its shape asks for ${length}`);
  if (!holds(datatype, data)) refuse(name, `does not hold its data as ${datatype}`);
}

function refuse(field: string, problem: string): never {
  throw invalidInput({ field: `inputs.${field}`, problem });
}
