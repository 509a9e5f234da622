import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { openStack, runUntilSignal } from './index.ts';

test('what was started last stops first, and one failure does not spare the others', async () => {
  const stopped: string[] = [];
  const stack = openStack();
  stack.defer(() => void stopped.push('database'));
  stack.defer(() => {
    throw new Error('stuck');
  });
  stack.use({ [Symbol.dispose]: () => void stopped.push('server') });

  await expect(stack[Symbol.asyncDispose]()).rejects.toMatchObject({
    errors: [new Error('stuck')],
  });
  expect(stopped).toEqual(['server', 'database']);
  await expect(stack[Symbol.asyncDispose]()).resolves.toBeUndefined();
});

test('what does not stop in its time is left behind', async () => {
  const stopped: string[] = [];
  const stack = openStack({ deadlineMs: 10 });
  stack.defer(() => void stopped.push('first'));
  stack.defer(() => new Promise(() => {}));

  await expect(stack[Symbol.asyncDispose]()).rejects.toThrow('Not everything stopped');
  expect(stopped).toEqual(['first']);
});

test('a service runs until the operator asks for its end', async () => {
  const process = new EventEmitter();
  let stopped = false;
  const running = runUntilSignal(
    {
      async [Symbol.asyncDispose]() {
        stopped = true;
      },
    },
    process,
  );

  process.emit('SIGTERM');
  await running;

  expect(stopped).toBe(true);
});
