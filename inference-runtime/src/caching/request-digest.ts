import { createHash } from 'node:crypto';
import type { Tensor } from '@opea/schema/runtime';

/** Equal for equal requests only: a scope (tenant, version) and every name, type, shape and byte of the inputs. */
export function requestDigest(scope: readonly string[], inputs: readonly Tensor[]): string {
  const hash = createHash('sha256').update(JSON.stringify(scope));
  const byName = inputs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, datatype, shape, data } of byName) {
    const isBytes = ArrayBuffer.isView(data);
    // Lengths first, so that no two requests run together to the same bytes.
    hash.update(JSON.stringify([name, datatype, shape, isBytes ? data.byteLength : data]));
    if (isBytes) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('base64');
}
