import { served } from '@opea/schema/events';
import { expect, test, vi } from 'vitest';
import { realParts } from './testing/real-parts.ts';
import { openGround, startOn, viewer } from './testing/test-inference.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const predict = `mutation { predict(input: { model: "echo", inputs: [
  { name: "x", datatype: FP32, shape: [1], data: [1] }] }) { id } }`;
const find = 'query($id: ID!) { prediction(id: $id) { id } }';

test('on real servers predictions of two tenants are kept apart, told once, and found by another process', async () => {
  await using ground = await openGround(realParts);
  const database = await ground.database();
  const one = await startOn(ground, { database });
  const [ada, mallory] = ['tnt_acme', 'tnt_globex'].map((tenant) =>
    viewer('prn_x', ['MODEL_USER'], tenant),
  );
  if (!ada || !mallory) throw new Error('two principals');
  const ids = await Promise.all(
    Array.from({ length: 40 }, async (_, nr) => {
      const data = await one.data(nr % 2 === 0 ? ada : mallory, predict);
      return (data['predict'] as { id: string }).id;
    }),
  );
  await one[Symbol.asyncDispose]();
  await using two = await startOn(ground, { database });
  const [first] = ids;
  const told = new Map<string, string>();
  const signal = AbortSignal.timeout(60_000);
  const messages = ground.bus.read({ subjects: [served.subject], after: 'start', signal });
  for await (const { data } of messages) {
    const fact = served.parse(data);
    for (const { id } of fact.data.items) {
      expect(told.has(id)).toBe(false);
      told.set(id, fact.tenant);
    }
    if (told.size === ids.length) break;
  }

  expect([...told.keys()].toSorted()).toEqual([...ids].toSorted());
  expect(ids.map((id) => told.get(id))).toEqual(
    ids.map((_, nr) => (nr % 2 === 0 ? 'tnt_acme' : 'tnt_globex')),
  );
  expect(await two.data(ada, find, { id: first })).toEqual({ prediction: { id: first } });
  expect(await two.data(mallory, find, { id: first })).toEqual({ prediction: null });
});
