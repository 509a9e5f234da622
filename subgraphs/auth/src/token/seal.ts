import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { sealBroken } from '../errors.ts';

/** Encrypts at rest: AES-256-GCM (NIST SP 800-38D), `v1.<base64url of iv(12) ‖ tag(16) ‖ ciphertext>`, bound to a label. */
export interface Seal {
  close(text: string, label: string): string;
  /** Throws SEAL_BROKEN for anything that was not closed with this key and label. */
  open(sealed: string, label: string): string;
}

export function sealWith(key: Uint8Array): Seal {
  if (key.length !== 32) throw new Error('A sealing key has 32 bytes');
  return {
    close(text, label) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(label));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return `v1.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`;
    },
    open(sealed, label) {
      try {
        const bytes = Buffer.from(sealed.replace(/^v1\./, ''), 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), {
          authTagLength: 16,
        })
          .setAAD(Buffer.from(label))
          .setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString();
      } catch (error) {
        throw sealBroken({}, error);
      }
    },
  };
}
