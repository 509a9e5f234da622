import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { opea, startUp, type UpProcess } from '../kit/opea-process.ts';

let folder: string;
let platform: UpProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opea-tour-'));
  platform = await startUp(folder);
});
afterAll(async () => {
  await platform.interrupt();
  await rm(folder, { recursive: true, force: true });
});

const run = (...argv: readonly string[]) => opea(...argv, '--data', folder);

describe('the demo workspace', () => {
  test('has both trained models in production', async () => {
    const { code, stdout } = await run('status');

    expect(code).toBe(0);
    expect(stdout).toMatch(/digits +version 1/);
    expect(stdout).toMatch(/storyteller +version 1/);
  });

  test('opea demo walks from a key to the lineage of a prediction', async () => {
    const { code, stdout, stderr } = await run('demo');

    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('version 1 → version 2');
    expect(stdout).toMatch(/answer +7 \(\d+\.\d %\), meant was 7/);
    expect(stdout).toMatch(/batching +8 requests in [1-7] execution/);
    expect(stdout).toMatch(/digit-14 +the digit 7, distance 0\.000/);
    expect(stdout).toMatch(/tokens +\d+ in/);
    expect(stdout).toMatch(/digits 2 +8 requests/);
    expect(stdout).toContain('"codeRef": "inference-runtime/models/digits/train.py"');
  });

  test('tells a tale in words, the same for the same seed', async () => {
    const tale = async () => {
      const { stdout } = await run(
        'generate',
        'storyteller',
        'Once upon a time',
        '--max-tokens=40',
        '--seed=1',
      );
      return stdout;
    };
    const first = await tale();

    expect(first).toMatch(/^Once upon a time(?: |,)[\sA-Za-z,.;:'"!?-]{40,}/);
    await expect(tale()).resolves.toBe(first);
  });

  test('answers in JSON when asked to', async () => {
    const { stdout } = await run('model', 'list', '--json');

    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'storyteller' })]),
    );
  });
});

describe('a command that cannot be done', () => {
  test('says what is wrong and exits with 1 when the platform refuses', async () => {
    const { code, stderr } = await run('predict', 'digits', '-i', 'image=[[[[1]]]]');

    expect(code).toBe(1);
    expect(stderr).toContain('INVALID_INPUT');
  });

  test('exits with 2 when the command line is wrong', async () => {
    const { code, stderr } = await run('predict', 'digits');

    expect(code).toBe(2);
    expect(stderr).toContain('--input');
  });

  test('exits with 3 when the key is refused, and never prints it', async () => {
    const key = 'opea_dev_00000000000000000000000000000000000000000000000';
    const { code, stderr } = await opea('status', '--url', platform.url, '--key', key);

    expect(code).toBe(3);
    expect(stderr).toContain('UNAUTHENTICATED');
    expect(stderr).not.toContain(key);
  });

  test('exits with 3 when nobody answers', async () => {
    const { code, stderr } = await opea('status', '--url', 'http://127.0.0.1:9', '--key', 'x');

    expect(code).toBe(3);
    expect(stderr).toContain('Nobody answers');
  });
});

test('a key that was revoked is refused', async () => {
  const made = await run('key', 'create', 'short-lived', '--json');
  const { secret, apiKey } = JSON.parse(made.stdout);

  await run('key', 'revoke', apiKey.id);
  const { code } = await opea('status', '--url', platform.url, '--key', secret);

  expect(code).toBe(3);
});
