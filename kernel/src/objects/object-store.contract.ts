import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { ObjectStore } from './index.ts';

/** Every object store keeps these promises. `damage` changes one stored byte behind the store's back. */
export function objectStoreContract(
  open: () => Promise<{ store: ObjectStore; damage(digest: string): Promise<void> }>,
): void {
  const bytes = () => randomBytes(300_000);
  const digestOf = (content: Uint8Array) =>
    `sha256:${createHash('sha256').update(content).digest('hex')}`;

  test('what is put comes back the same, whole and in parts, under its digest', async () => {
    const { store } = await open();
    await using _store = store;
    const content = bytes();

    const put = await store.put(
      Readable.from([content.subarray(0, 1_000), content.subarray(1_000)]),
    );

    expect(put).toEqual({ digest: digestOf(content), size: 300_000, existed: false });
    expect(await buffer(await store.get(put.digest))).toEqual(content);
    const part = await store.get(put.digest, { range: { from: 10, to: 19 } });
    expect(await buffer(part)).toEqual(content.subarray(10, 20));
    expect(await store.stat(put.digest)).toEqual({ digest: put.digest, size: 300_000 });
  });

  test('the same bytes are kept once', async () => {
    const { store } = await open();
    await using _store = store;
    const content = bytes();
    await store.put(content);

    await expect(store.put(content)).resolves.toMatchObject({ existed: true });
  });

  test('more bytes than allowed, or others than announced, are refused and leave nothing', async () => {
    const { store } = await open();
    await using _store = store;
    const content = bytes();

    await expect(store.put(content, { maxBytes: 299_999 })).rejects.toThrow('larger');
    await expect(
      store.put(content, { expectedDigest: digestOf(Buffer.from('other')) }),
    ).rejects.toThrow('not those');
    expect(await store.stat(digestOf(content))).toBeUndefined();
  });

  test('a put that is aborted leaves nothing', async () => {
    const { store } = await open();
    await using _store = store;
    const aborter = new AbortController();
    async function* source() {
      yield Buffer.from('half');
      aborter.abort();
      yield Buffer.from('whole');
    }

    await expect(store.put(source(), { signal: aborter.signal })).rejects.toMatchObject({
      kind: { code: 'CANCELLED' },
    });
    expect(await store.stat(digestOf(Buffer.from('halfwhole')))).toBeUndefined();
  });

  test('one changed byte is noticed by the end of reading', async () => {
    const { store, damage } = await open();
    await using _store = store;
    const { digest } = await store.put(bytes());

    await damage(digest);

    await expect(store.get(digest).then(buffer)).rejects.toMatchObject({
      kind: { code: 'DIGEST_MISMATCH' },
    });
  });

  test('what is not there is OBJECT_NOT_FOUND; what is not a digest is BAD_USER_INPUT', async () => {
    const { store } = await open();
    await using _store = store;

    await expect(store.get(digestOf(bytes()))).rejects.toMatchObject({
      kind: { code: 'OBJECT_NOT_FOUND' },
    });
    for (const digest of ['../../etc/passwd', 'sha256:..', `sha256:${'A'.repeat(64)}`, '']) {
      await expect(store.get(digest)).rejects.toMatchObject({ kind: { code: 'BAD_USER_INPUT' } });
    }
  });

  test('what is deleted is gone', async () => {
    const { store } = await open();
    await using _store = store;
    const { digest } = await store.put(bytes());

    expect(await store.delete(digest)).toBe(true);
    expect(await store.delete(digest)).toBe(false);
    expect(await store.stat(digest)).toBeUndefined();
  });

  test('ten writers of the same bytes all succeed', async () => {
    const { store } = await open();
    await using _store = store;
    const content = bytes();

    const results = await Promise.all(Array.from({ length: 10 }, () => store.put(content)));

    expect(new Set(results.map(({ digest }) => digest))).toEqual(new Set([digestOf(content)]));
  });
}
