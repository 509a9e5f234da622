import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `opea_<env>_<secret><checksum>`: 43 base62 digits of 256 random bits, 6 base62 digits of the CRC-32 of all before them. */
export interface KeyFormat {
  /** A new key; its prefix is enough to recognise it by and says nothing of the secret's rest. */
  make(): { readonly key: string; readonly prefix: string };
  /** Whether it is written like a key of this environment. Tells typing errors from refusals without asking a store. */
  isWellFormed(key: string): boolean;
}

export function keyFormat(environment: string): KeyFormat {
  if (!/^[a-z0-9]{1,16}$/.test(environment))
    throw new Error('An environment is 1 to 16 lower-case letters and digits');
  const head = `opea_${environment}_`;
  const pattern = new RegExp(`^${head}[0-9A-Za-z]{${secretDigits + checkDigits}}$`);
  return {
    make() {
      const body = head + base62(BigInt(`0x${randomBytes(32).toString('hex')}`), secretDigits);
      return { key: body + checksum(body), prefix: body.slice(0, head.length + 6) };
    },
    isWellFormed: (key) =>
      pattern.test(key) && checksum(key.slice(0, -checkDigits)) === key.slice(-checkDigits),
  };
}

/** What is stored of a key: its SHA-256, hex. A key has 256 random bits, so a fast hash leaves nothing to guess. */
export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('hex');

const secretDigits = 43;
const checkDigits = 6;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const checksum = (body: string): string => base62(BigInt(crc32(body)), checkDigits);

function base62(value: bigint, digits: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = alphabet.charAt(Number(rest % 62n)) + text;
  return text.padStart(digits, '0');
}
