import { buffer } from 'node:stream/consumers';
import { badUserInput } from '@opea/kernel/errors';
import type { ObjectStore } from '@opea/kernel/objects';
import { notOnnx, type OnnxTensorSpec, readOnnxSignature } from '@opea/kernel/onnx';
import type { Database } from '@opea/kernel/postgres';
import { findArtifacts } from '../artifact/artifact-store.ts';
import { artifactNotFound, parentNotFound } from '../errors.ts';
import type { Tables } from '../tables.ts';
import type { VersionPublished } from './model-facts.ts';
import { demandFiles } from './rules.ts';
import { findVersions } from './version-store.ts';

export interface Publications {
  /**
   * What the stored files say of a version: their sizes, and the signature and kind read from `model.onnx`.
   * Throws ARTIFACT_NOT_FOUND, PARENT_NOT_FOUND, BAD_USER_INPUT, or what reading the model throws.
   */
  examine(request: Examination): Promise<Pick<VersionPublished, 'files' | 'signature' | 'kind'>>;
}

export interface Examination {
  readonly tenant: string;
  readonly files: readonly { readonly name: string; readonly digest: string }[];
  readonly parents: readonly string[];
  readonly signal: AbortSignal;
}

export function publications({
  database,
  objects,
}: {
  readonly database: Database<Tables>;
  readonly objects: ObjectStore;
}): Publications {
  return {
    async examine({ tenant, files, parents, signal }) {
      demandFiles(files);
      const { known, there } = await database.transaction(
        async (tx) => ({
          known: await findArtifacts(tx, { tenant, digests: files.map(({ digest }) => digest) }),
          there: await findVersions(tx, { tenant, asOf: undefined, ids: [...parents, ''] }),
        }),
        { tenant, signal },
      );
      const orphan = parents.find((parent) => !there.some(({ id }) => id === parent));
      if (orphan !== undefined) throw parentNotFound({ id: orphan });
      const stored = files.map(({ name, digest }) => {
        const artifact = known.get(digest);
        if (!artifact) throw artifactNotFound({ digest });
        return { name, digest, size: artifact.size };
      });
      const onnx = stored.find(({ name }) => name === 'model.onnx');
      if (!onnx)
        throw badUserInput({ field: 'files', reason: 'One file must be named model.onnx.' });
      if (onnx.size > maxOnnxBytes) throw notOnnx({ reason: 'it is larger than protobuf allows' });
      const bytes = await buffer(await objects.get(onnx.digest, { signal }));
      const { kind, inputs, outputs } = readOnnxSignature(bytes);
      return {
        files: stored,
        kind,
        signature: { inputs: inputs.map(spec), outputs: outputs.map(spec) },
      };
    },
  };
}

/** Protobuf's own limit for one message. */
const maxOnnxBytes = 2 ** 31 - 1;

const spec = ({ name, datatype, shape }: OnnxTensorSpec) => ({ name, datatype, shape: [...shape] });
