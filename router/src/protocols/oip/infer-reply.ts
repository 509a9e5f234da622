import { invalidRequest } from '../graph-failure.ts';
import type { Reply } from '../protocol.ts';
import { writeStrings } from './byte-strings.ts';
import { headerLengthHeader, type InferRequest } from './infer-request.ts';
import type { OutputPlan } from './output-plan.ts';

/** A prediction as the graph answers it. */
export interface Prediction {
  readonly id: string;
  readonly modelVersion: { readonly number: number };
  readonly outputs: readonly PredictedTensor[];
}

export interface PredictedTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Flat values; absent when only bytes were asked. */
  readonly data?: unknown;
  readonly base64?: string | null | undefined;
}

/** The answer to an inference request: JSON, and behind it the outputs that were wanted as bytes. */
export function inferReply(answered: {
  readonly model: string;
  readonly request: InferRequest;
  readonly plan: OutputPlan;
  readonly prediction: Prediction;
}): Reply {
  const { model, request, plan, prediction } = answered;
  const tail: Buffer[] = [];
  const outputs = wanted(plan, prediction).map((tensor) => {
    const { name, datatype, shape } = tensor;
    if (!plan.isBinary(name)) return { name, datatype, shape, data: tensor.data };
    const bytes = bytesOf(tensor);
    tail.push(bytes);
    return { name, datatype, shape, parameters: { binary_data_size: bytes.length } };
  });
  const header = {
    ...(request.id !== undefined && { id: request.id }),
    model_name: model,
    model_version: String(prediction.modelVersion.number),
    // Leads to the lineage: `prediction(id:)` in the graph.
    parameters: { prediction_id: prediction.id },
    outputs,
  };
  if (tail.length === 0) return { body: header };
  const text = Buffer.from(JSON.stringify(header));
  return {
    body: Buffer.concat([text, ...tail]),
    headers: { [headerLengthHeader]: String(text.length) },
  };
}

function wanted({ names }: OutputPlan, { outputs }: Prediction): readonly PredictedTensor[] {
  if (names === undefined) return outputs;
  return names.map((name) => {
    const found = outputs.find((tensor) => tensor.name === name);
    if (found === undefined)
      throw invalidRequest({ field: 'outputs', problem: `the model has no output ${name}` });
    return found;
  });
}

function bytesOf({ datatype, data, base64 }: PredictedTensor): Buffer {
  if (datatype !== 'BYTES') return Buffer.from(base64 ?? '', 'base64');
  return writeStrings(Array.isArray(data) ? data.map(String) : []);
}
