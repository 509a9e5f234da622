import type { Bus } from '@opea/kernel/bus';
import type { Logger } from '@opea/kernel/log';
import { z } from 'zod';

const subjects = ['auth.api-key-revoked.v1', 'auth.roles-changed.v1'] as const;
const change = z.object({ data: z.object({ principalId: z.string() }) });
const retryMs = 500;

/** Tells, within moments, whose keys or roles changed. Reading that fails begins again. */
export function followRevocations(options: {
  readonly bus: Pick<Bus, 'read'>;
  readonly logger: Logger;
  readonly onChange: (principalId: string) => void;
}): Disposable {
  const { bus, logger, onChange } = options;
  const life = new AbortController();
  let after: number | 'end' = 'end';

  const read = async () => {
    for await (const message of bus.read({ subjects, after, signal: life.signal })) {
      after = message.seq;
      const parsed = change.safeParse(message.data);
      if (parsed.success) onChange(parsed.data.data.principalId);
    }
  };
  const follow = async () => {
    while (!life.signal.aborted) {
      try {
        await read();
      } catch (error) {
        if (!life.signal.aborted) logger.warn({ err: error }, 'reading revocations again');
      }
      if (!life.signal.aborted) await pause(retryMs, life.signal);
    }
  };
  void follow();
  return { [Symbol.dispose]: () => life.abort() };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
