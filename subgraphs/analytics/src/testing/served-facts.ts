import { newId } from '@opea/kernel/ids';
import { served } from '@opea/schema/events';
import type { ServedItem } from '../serving/slice.ts';

/** A prediction that took 5 ms, unless told otherwise. */
export const servedItem = (over: Partial<ServedItem> = {}): ServedItem => ({
  kind: 'PREDICTION',
  id: newId(),
  modelId: 'mdl_digits',
  model: 'digits',
  versionId: 'ver_digits',
  principalId: 'prn_ada',
  at: '2025-12-31T23:00:00.000Z',
  outcome: 'OK',
  queueMs: 1,
  computeMs: 4,
  totalMs: 5,
  rows: 1,
  batchSize: 2,
  ...over,
});

/** `inference.served.v1` of a tenant, as the bus carries it. */
export function servedFact(items: readonly ServedItem[], tenant = 'tnt_acme') {
  const id = newId();
  const occurredAt = '2025-12-31T23:00:00.000Z';
  const by = { tenant, actor: 'system', causationId: id, correlationId: id };
  return { id, subject: served.subject, occurredAt, ...by, data: { items } };
}
