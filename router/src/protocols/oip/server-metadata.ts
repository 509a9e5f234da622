import type { ProtocolCall } from '../protocol.ts';

/** `GET /v2`. */
export async function serverMetadata(call: ProtocolCall): Promise<void> {
  call.send({
    body: {
      name: 'opea-graph',
      version: '0.1.0',
      extensions: ['binary_tensor_data', 'generate', 'model_repository'],
    },
  });
}
