import type { Check } from '@opea/kernel/health';
import { unsupported } from '../graph-failure.ts';
import type { Protocol, ProtocolCall } from '../protocol.ts';
import { generate, generateStream } from './generate.ts';
import { infer } from './infer.ts';
import { modelMetadata } from './model-metadata.ts';
import { modelReady } from './model-ready.ts';
import { oipRefusal } from './refusal.ts';
import { repositoryIndex } from './repository-index.ts';
import { serverMetadata } from './server-metadata.ts';

const model = '/v2/models/:model';
const version = `${model}/versions/:version`;

/**
 * The Open Inference Protocol v2 over HTTP (KServe's "v2 inference protocol"), with Triton's extensions for binary
 * tensor data, generate and the model repository.
 */
export function oip({ ready }: { readonly ready: () => Promise<readonly Check[]> }): Protocol {
  return {
    name: 'oip',
    prefix: '/v2',
    routes: {
      'GET /v2': { handle: serverMetadata },
      'GET /v2/health/live': {
        open: true,
        handle: async (call) => call.send({ body: { live: true } }),
      },
      'GET /v2/health/ready': {
        open: true,
        async handle(call) {
          const isReady = (await ready()).every(({ ok }) => ok);
          call.send({ status: isReady ? 200 : 503, body: { ready: isReady } });
        },
      },
      [`GET ${model}`]: { handle: modelMetadata },
      [`GET ${version}`]: { handle: modelMetadata },
      [`GET ${model}/ready`]: { handle: modelReady },
      [`GET ${version}/ready`]: { handle: modelReady },
      [`POST ${model}/infer`]: { handle: infer },
      [`POST ${version}/infer`]: { handle: infer },
      [`POST ${model}/generate`]: { handle: generate },
      [`POST ${version}/generate`]: { handle: generate },
      [`POST ${model}/generate_stream`]: { handle: generateStream },
      [`POST ${version}/generate_stream`]: { handle: generateStream },
      'POST /v2/repository/index': { handle: repositoryIndex },
      'POST /v2/repository/models/:model/load': { handle: noExplicitControl },
      'POST /v2/repository/models/:model/unload': { handle: noExplicitControl },
    },
    refusal: oipRefusal,
  };
}

async function noExplicitControl(_call: ProtocolCall): Promise<void> {
  throw unsupported({
    reason:
      'Versions are loaded when they are asked for or promoted and unloaded when they are retired; nobody does it by hand.',
  });
}
