import { z } from 'zod';
import { answers } from '../../errors.ts';
import { isJsonBody } from '../../front/accept.ts';
import { invalidRequest } from '../graph-failure.ts';
import type { ProtocolCall } from '../protocol.ts';
import { fitted, jsonOf, maybe } from '../read-request.ts';

/** Tells where the JSON of a binary request ends ("binary tensor data extension"). */
export const headerLengthHeader = 'inference-header-content-length';

const datatype = z.enum([
  'BOOL',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
]);

const input = z.object({
  name: z.string().min(1).max(200),
  datatype,
  shape: z.array(z.int().min(0).max(2_147_483_647)).max(16),
  parameters: maybe(z.object({ binary_data_size: maybe(z.int().min(0)) })),
  data: maybe(z.array(z.unknown())),
});

const output = z.object({
  name: z.string().min(1).max(200),
  parameters: maybe(
    z.object({ binary_data: maybe(z.boolean()), classification: maybe(z.number()) }),
  ),
});

export const inferShape = z.object({
  id: maybe(z.string().max(200)),
  parameters: maybe(
    z.object({
      binary_data_output: maybe(z.boolean()),
      /** 1 is the highest; 0 is the default. */
      priority: maybe(z.int().min(0)),
      /** In µs. */
      timeout: maybe(z.int().min(0)),
      sequence_id: z
        .unknown()
        .refine((value) => value === null || value === 0, {
          message: 'sequences are not supported',
        })
        .optional(),
    }),
  ),
  inputs: z.array(input).min(1).max(100),
  outputs: maybe(z.array(output).max(100)),
});

export type InferRequest = z.output<typeof inferShape>;
export type InferInput = InferRequest['inputs'][number];

/** The JSON of an inference request and the bytes behind it. Throws refusals. */
export async function readInferRequest(
  call: ProtocolCall,
): Promise<{ readonly request: InferRequest; readonly tail: Buffer }> {
  const { headers } = call.exchange.request;
  const headerLength = headers[headerLengthHeader];
  const type = headers['content-type'];
  // The protocol's own client names no type.
  const isBinary = type === 'application/octet-stream' && headerLength !== undefined;
  if (type !== undefined && !isBinary && !isJsonBody(type)) throw answers.UNSUPPORTED_MEDIA_TYPE();
  const { header, tail } = splitBody(await call.body(), headerLength);
  return { request: fitted(call, jsonOf(header), inferShape), tail };
}

/** Parts a body where its header says. Throws INVALID_REQUEST. */
export function splitBody(
  body: Buffer,
  headerLength: string | readonly string[] | undefined,
): { readonly header: Buffer; readonly tail: Buffer } {
  if (headerLength === undefined) return { header: body, tail: body.subarray(body.length) };
  const length =
    typeof headerLength === 'string' && /^\d{1,9}$/.test(headerLength) ? Number(headerLength) : -1;
  if (length < 0 || length > body.length)
    throw invalidRequest({
      field: 'Inference-Header-Content-Length',
      problem: 'is the length of the JSON at the beginning of the body',
    });
  return { header: body.subarray(0, length), tail: body.subarray(length) };
}
