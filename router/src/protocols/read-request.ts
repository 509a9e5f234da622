import type { z } from 'zod';
import { answers } from '../errors.ts';
import { isJsonBody } from '../front/accept.ts';
import { invalidRequest } from './graph-failure.ts';
import type { ProtocolCall } from './protocol.ts';

/** The body as JSON of this shape. Throws INVALID_REQUEST that names the first field that does not fit. */
export async function readRequest<Shape extends z.ZodType>(
  call: ProtocolCall,
  shape: Shape,
): Promise<z.output<Shape>> {
  const type = call.exchange.request.headers['content-type'];
  if (!isJsonBody(type)) throw answers.UNSUPPORTED_MEDIA_TYPE();
  return fitted(call, jsonOf(await call.body()), shape);
}

/** Parses JSON text. Throws INVALID_REQUEST. */
export function jsonOf(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    const problem = 'is not JSON (which has no NaN and no Infinity)';
    throw invalidRequest({ field: 'body', problem }, error);
  }
}

/** A parsed value in this shape, or INVALID_REQUEST. */
export function fitted<Shape extends z.ZodType>(
  call: Pick<ProtocolCall, 'demandShape'>,
  value: unknown,
  shape: Shape,
): z.output<Shape> {
  call.demandShape(value);
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw invalidRequest({
    field: issue?.path.map(String).join('.') || 'body',
    problem: issue?.message ?? 'does not fit',
  });
}

/** A field that may be left out or null. */
export const maybe = <Shape extends z.ZodType>(shape: Shape) =>
  shape.nullish().transform((value) => value ?? undefined);
