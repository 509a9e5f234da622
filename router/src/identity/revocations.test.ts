import type { Bus, BusMessage } from '@opea/kernel/bus';
import { silentLogger } from '@opea/kernel/log';
import { AsyncQueue } from '@opea/kernel/resilience';
import { expect, it } from 'vitest';
import { followRevocations } from './revocations.ts';

it('tells whose keys or roles changed, skips what it cannot read, and goes on after a fault', async () => {
  const reads: { after: unknown; queue: AsyncQueue<BusMessage> }[] = [];
  const changed: string[] = [];
  let opened: (() => void) | undefined;
  const nextRead = () =>
    new Promise<void>((resolve) => {
      opened = resolve;
    });
  const read: Bus['read'] = ({ after }) => {
    const queue = new AsyncQueue<BusMessage>(10);
    reads.push({ after, queue });
    opened?.();
    return queue;
  };
  const first = nextRead();
  using _following = followRevocations({
    bus: { read },
    logger: silentLogger,
    onChange: (principalId) => changed.push(principalId),
  });
  await first;
  reads[0]?.queue.push(message(7, { data: { principalId: 'prn_ada' } }));
  reads[0]?.queue.push(message(8, 'nonsense'));
  const second = nextRead();
  reads[0]?.queue.fail(new Error('connection lost'));
  await second;
  expect(reads.map(({ after }) => after)).toEqual(['end', 8]);
  expect(changed).toEqual(['prn_ada']);
});

const message = (seq: number, data: unknown): BusMessage => ({
  seq,
  subject: 'auth.api-key-revoked.v1',
  id: `${seq}`,
  data,
  headers: {},
  publishedAt: '2026-01-01T00:00:00.000Z',
  deliveries: 1,
});
