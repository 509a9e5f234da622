import { unauthenticated, unavailable } from '@opea/kernel/errors';
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import type { IdentityProvider } from './provider.ts';
import { type TokenVerifierOptions, tokenVerifier } from './tokens.ts';

const timeoutMs = 5_000;
const longestAnswer = 64 * 1024;
const issued = z.object({ access_token: z.string() });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(20) });

/** The auth service behind its HTTP routes: `POST /auth/token`, `GET /auth/jwks.json`. */
export function remoteIdentity(
  options: Omit<TokenVerifierOptions, 'provider'> & {
    /** Root of the auth service. */
    readonly url: URL;
  },
): IdentityProvider {
  const ask = async (path: string, init: RequestInit): Promise<unknown> => {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(new URL(path, options.url), {
      ...init,
      signal,
      redirect: 'error',
    });
    if (response.status === 401 || response.status === 403) throw unauthenticated({});
    if (!response.ok) throw new Error(`The auth service answered ${response.status}`);
    return JSON.parse(await boundedText(response));
  };
  const jwks = async (): Promise<JSONWebKeySet> =>
    keySet.parse(await ask('/auth/jwks.json', { method: 'GET' }));
  const tokens = tokenVerifier({ ...options, provider: { jwks } });

  return {
    jwks,
    async exchange(apiKey) {
      const headers = { authorization: `Bearer ${apiKey}` };
      const answer = await ask('/auth/token', { method: 'POST', headers }).catch(shown);
      const token = issued.parse(answer).access_token;
      const { viewer, expiresAt } = await tokens.verify(token);
      return { token, viewer, expiresAt };
    },
  };
}

/** A no of the service passes; everything else means that it cannot be asked. */
function shown(error: unknown): never {
  if (error instanceof Error && error.name === 'PlatformError') throw error;
  throw unavailable({ retryAfterMs: 1_000 }, error);
}

async function boundedText(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestAnswer) throw new Error('The auth service answered too much');
  }
  return text;
}
