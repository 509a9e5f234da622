import { z } from 'zod';
import type { ProtocolCall } from '../protocol.ts';
import { versionQuery } from './model-version.ts';

const tensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.string()) });

const described = versionQuery({
  name: 'OipModel',
  withVersions: true,
  fields: 'kind signature { inputs { name datatype shape } outputs { name datatype shape } }',
  shape: z.object({
    kind: z.string(),
    signature: z.object({ inputs: z.array(tensor), outputs: z.array(tensor) }),
  }),
});

/** `GET /v2/models/{model}[/versions/{version}]`. */
export async function modelMetadata(call: ProtocolCall): Promise<void> {
  const { model, version, numbers } = await described(call);
  const isText = version.kind === 'DECODER';
  const { inputs, outputs } = version.signature;
  call.send({
    body: {
      name: model,
      versions: numbers.map(String),
      platform: 'onnxruntime_onnx',
      // What clients send to a language model is text; its own tensors are the runtime's business.
      inputs: isText ? [textTensor('text_input')] : inputs.map(specOf),
      outputs: isText ? [textTensor('text_output')] : outputs.map(specOf),
    },
  });
}

const textTensor = (name: string) => ({ name, datatype: 'BYTES', shape: [1] });

/** A free dimension has a name in the graph, and is -1 here. */
const specOf = ({ name, datatype, shape }: z.output<typeof tensor>) => ({
  name,
  datatype,
  shape: shape.map((dimension) => (/^\d+$/.test(dimension) ? Number(dimension) : -1)),
});
