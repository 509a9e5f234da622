import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InferenceSession } from 'onnxruntime-node';
import { modelRefused } from '../../errors.ts';

export interface SessionFile {
  /** For errors, for example `digits@3`. */
  readonly name: string;
  readonly path: string;
  /** `sha256:<hex>` */
  readonly digest: string;
}

/**
 * Opens a session over bytes that were just checked against their digest: ONNX Runtime loads many
 * corrupted models without a complaint. Only for engine workers: running a session blocks its thread.
 */
export async function openSession(
  { name, path, digest }: SessionFile,
  threads: number,
): Promise<{ session: InferenceSession; bytes: number }> {
  const bytes = await readFile(path);
  const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (actual !== digest)
    throw modelRefused({ model: name, reason: 'the file does not match its digest' });
  try {
    const session = await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Failures reach the caller as errors; the library need not print them too.
      logSeverityLevel: 4,
      // Spinning threads starve the event loop when every core is taken.
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
    return { session, bytes: bytes.byteLength };
  } catch (reason) {
    const cause = reason instanceof Error ? reason.message : String(reason);
    throw modelRefused({ model: name, reason: cause }, reason);
  }
}
