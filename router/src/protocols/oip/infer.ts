import { z } from 'zod';
import type { ModelChoice } from '../model-name.ts';
import type { ProtocolCall } from '../protocol.ts';
import { inferReply, type Prediction } from './infer-reply.ts';
import { type InferRequest, readInferRequest } from './infer-request.ts';
import { outputPlan } from './output-plan.ts';
import { predictInput } from './predict-input.ts';
import { wantedModel } from './wanted-model.ts';

const prediction = z.object({
  id: z.string(),
  modelVersion: z.object({ number: z.int() }),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.int()),
      data: z.unknown(),
      base64: z.string().nullish(),
    }),
  ),
});

const data = z.object({ predict: prediction }).transform(({ predict }) => predict);

const document = /* GraphQL */ `
  mutation OipInfer($input: PredictInput!, $asJson: Boolean!, $asBytes: Boolean!) {
    predict(input: $input) {
      id
      modelVersion { number }
      outputs { name datatype shape data @include(if: $asJson) base64 @include(if: $asBytes) }
    }
  }
`;

/** `POST …/infer`, with tensors as JSON, as binary data, or both. */
export async function infer(call: ProtocolCall): Promise<void> {
  const choice = wantedModel(call);
  const { request, tail } = await readInferRequest(call);
  const plan = outputPlan(request);
  const answer = await predicted(call, choice, { request, tail, ...plan });
  call.send(inferReply({ model: choice.model, request, plan, prediction: answer }));
}

function predicted(
  call: ProtocolCall,
  choice: ModelChoice,
  asked: {
    readonly request: InferRequest;
    readonly tail: Buffer;
    readonly anyJson: boolean;
    readonly anyBinary: boolean;
  },
): Promise<Prediction> {
  const { request, tail, anyJson, anyBinary } = asked;
  return call.ask({
    document,
    variables: {
      input: { ...choice, ...predictInput(request, tail) },
      // Strings have no bytes in the graph: they are written from the values.
      asJson: anyJson || anyBinary,
      asBytes: anyBinary,
    },
    data,
  });
}
