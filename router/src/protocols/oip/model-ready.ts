import { defineError } from '@opea/kernel/errors';
import { z } from 'zod';
import type { ProtocolCall } from '../protocol.ts';
import { versionQuery } from './model-version.ts';
import { answersRequests, servingFields, servingShape } from './serving.ts';

/** The protocol wants a status of 4xx for "no". */
const notReady = defineError(
  'MODEL_NOT_READY',
  400,
  ({ model }: { model: string }) => `${model} is not ready`,
);

const state = versionQuery({
  name: 'OipModelReady',
  fields: servingFields,
  shape: z.object(servingShape),
});

/** `GET /v2/models/{model}[/versions/{version}]/ready`. */
export async function modelReady(call: ProtocolCall): Promise<void> {
  const { model, version } = await state(call);
  if (!answersRequests(version)) throw notReady({ model });
  call.send({ body: { name: model, ready: true } });
}
