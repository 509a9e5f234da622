import { CONTEXT_HEADER, type ContextVerifier } from '../auth/index.ts';
import { newId } from '../ids/index.ts';
import type { GraphCall } from './graph-call.ts';
import type { ContextSource } from './subgraph.ts';

/** Names the request that a call belongs to, through all services. */
export const CORRELATION_HEADER = 'x-correlation-id';

/** Who calls, from the signed context alone. Throws UNAUTHENTICATED. */
export async function callerOf(
  { headers, signal }: GraphCall,
  verifier: ContextVerifier,
): Promise<ContextSource> {
  const viewer = await verifier.verify(headers[CONTEXT_HEADER]);
  const claimed = headers[CORRELATION_HEADER];
  const correlationId =
    viewer.correlationId ?? (claimed && /^[\w.:-]{1,128}$/.test(claimed) ? claimed : newId());
  return { viewer, request: { correlationId, headers, signal } };
}
