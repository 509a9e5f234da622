import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type BatchPolicy, batchPolicySchema } from '../scheduling/policy.ts';

/** Batch policies that were set or tuned for a version. They survive a restart of this node. */
export interface PolicyStore {
  get(versionId: string): BatchPolicy | undefined;
  set(versionId: string, policy: BatchPolicy): Promise<void>;
}

const stored = z.record(z.string(), batchPolicySchema);

/** Keeps the policies in one JSON file; a file that cannot be read counts as empty, because it can be tuned anew. */
export async function filePolicyStore(path: string): Promise<PolicyStore> {
  const policies = new Map(Object.entries(await read(path)));
  let writing = Promise.resolve();

  return {
    get: (versionId) => policies.get(versionId),
    set(versionId, policy) {
      policies.set(versionId, policy);
      writing = writing.catch(() => {}).then(() => write(path, Object.fromEntries(policies)));
      return writing;
    },
  };
}

async function read(path: string): Promise<Readonly<Record<string, BatchPolicy>>> {
  try {
    const parsed = stored.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}

async function write(path: string, policies: Readonly<Record<string, BatchPolicy>>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.partial`, JSON.stringify(policies, null, 2));
  await rename(`${path}.partial`, path);
}
