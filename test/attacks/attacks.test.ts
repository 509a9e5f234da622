import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Attack, post } from './attack.ts';
import { credentialAttacks } from './credential-attacks.ts';
import { documentAttacks } from './document-attacks.ts';
import { httpAttacks } from './http-attacks.ts';
import { socketAttacks } from './socket-attacks.ts';
import { startTarget, type Target } from './target.ts';

const attacks: readonly Attack[] = [
  ...documentAttacks,
  ...httpAttacks,
  ...credentialAttacks,
  ...socketAttacks,
];

describe('the router withstands', () => {
  let target: Target;
  beforeAll(async () => {
    target = await startTarget({ unprotected: false });
  });
  afterAll(() => target[Symbol.asyncDispose]());

  it.each(attacks)('$id: $title', async ({ run }) => {
    expect(await run(target).then(() => 'withstood')).toBe('withstood');
  });

  it('and still answers an innocent client', async () => {
    const { text } = await post(target, { query: '{ me { name } }' });
    expect(JSON.parse(text)).toEqual({ data: { me: { name: 'ada' } } });
  });
});

describe('the same attacks on a router without guards', () => {
  it('succeed often enough to show that they are real', async () => {
    await using twin = await startTarget({ unprotected: true });
    const fallen: string[] = [];
    for (const { id, title, run } of attacks) {
      const held = await run(twin).then(
        () => true,
        () => false,
      );
      if (!held) fallen.push(`${id} ${title}`);
    }
    expect(fallen.length).toBeGreaterThanOrEqual(40);
  }, 600_000);
});
