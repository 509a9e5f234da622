import { expect, test } from 'vitest';
import { ReturningCallers } from './returning-callers.ts';

const a = { tenant: 'a', priority: 2 };
const b = { tenant: 'b', priority: 2 };
const urgent = { tenant: 'c', priority: 1 };

test('a batch waits a moment for those who were just answered', () => {
  const callers = new ReturningCallers();
  callers.answered([{ ...a, rows: 2 }], 10);

  expect(callers.holdMs(b, 4)).toBe(6);
  expect(callers.holdMs(b, 10)).toBe(0);
});

test('once all of them are back nobody waits', () => {
  const callers = new ReturningCallers();
  callers.answered([{ ...a, rows: 2 }], 10);
  callers.came(a, 1);
  expect(callers.holdMs(b, 4)).toBe(6);
  callers.came(a, 1);

  expect(callers.holdMs(b, 4)).toBe(0);
});

test('the more urgent never wait for the less urgent', () => {
  const callers = new ReturningCallers();
  callers.answered([{ ...a, rows: 1 }], 10);

  expect(callers.holdMs(urgent, 0)).toBe(0);
});

test('where callers do not come back, hardly anybody waits for them', () => {
  const callers = new ReturningCallers();
  for (let batch = 0; batch < 40; batch++) callers.answered([{ ...a, rows: 1 }], batch + 1);
  const held = Array.from({ length: 320 }, () => callers.holdMs(b, 39.5)).filter((ms) => ms > 0);

  expect(held).toHaveLength(10);
});
