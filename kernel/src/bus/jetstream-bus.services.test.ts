import { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { newId } from '../ids/index.ts';
import { busContract } from './bus.contract.ts';
import { jetstreamBus } from './index.ts';

describe('the bus on NATS JetStream', { timeout: 60_000 }, () => {
  const open = (prefix: string) => {
    const servers = env['OPEA_TEST_NATS_URL'];
    if (servers === undefined) throw new Error('OPEA_TEST_NATS_URL is not set');
    return jetstreamBus({ servers, prefix });
  };
  const newPrefix = () => newId().replaceAll('-', '').slice(-16);

  busContract(async () => {
    const prefix = newPrefix();
    return { bus: await open(prefix), reopen: () => open(prefix) };
  });

  test('a server that is not there is UNAVAILABLE', async () => {
    await expect(jetstreamBus({ servers: 'nats://127.0.0.1:1' })).rejects.toMatchObject({
      kind: { code: 'UNAVAILABLE' },
    });
  });
});
