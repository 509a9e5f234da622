import { describe, expect, test } from 'vitest';
import { manualTiming } from '../../timing/manual-timing.ts';
import { GenerationMailbox } from './generation-mailbox.ts';

function mailboxOf(capacity = 4) {
  const timing = manualTiming();
  const told: string[] = [];
  const mailbox = new GenerationMailbox<number>({
    timing,
    capacity,
    stallMs: 1_000,
    onFull: () => told.push('full'),
    onDrained: () => told.push('drained'),
    onStalled: () => told.push('stalled'),
  });
  return { mailbox, timing, told };
}

describe('the mailbox of a generation', () => {
  test('hands over what was put in, in order, and then ends', async () => {
    const { mailbox } = mailboxOf();
    mailbox.push(1);
    mailbox.push(2);
    mailbox.close();
    mailbox.push(3);
    expect([await mailbox.take(), await mailbox.take(), await mailbox.take()]).toEqual([
      1,
      2,
      undefined,
    ]);
  });

  test('lets a reader wait', async () => {
    const { mailbox } = mailboxOf();
    const taken = mailbox.take();
    mailbox.push(7);
    expect(await taken).toBe(7);
  });

  test('tells once when it is full and once when half of it was read', async () => {
    const { mailbox, told } = mailboxOf();
    for (let item = 0; item < 6; item++) mailbox.push(item);
    expect(told).toEqual(['full']);
    for (let item = 0; item < 6; item++) expect(await mailbox.take()).toBe(item);
    expect(told).toEqual(['full', 'drained']);
  });

  test('tells of a reader that takes nothing, not of one that waits', async () => {
    const { mailbox, timing, told } = mailboxOf();
    const waiting = mailbox.take();
    timing.advance(5_000);
    expect(told).toEqual([]);
    mailbox.push(1);
    await waiting;
    mailbox.push(2);
    timing.advance(999);
    expect(told).toEqual([]);
    timing.advance(1);
    expect(told).toEqual(['stalled']);
  });

  test('fails its reader at once, whatever still waits', async () => {
    const { mailbox } = mailboxOf();
    mailbox.push(1);
    mailbox.fail(new Error('gone'));
    await expect(mailbox.take()).rejects.toThrow('gone');
  });

  test('lets a waiting reader go when it is discarded', async () => {
    const { mailbox, timing } = mailboxOf();
    const waiting = mailbox.take();
    mailbox.discard();
    expect(await waiting).toBeUndefined();
    expect(timing.pending()).toBe(0);
  });
});
