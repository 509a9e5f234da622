import { defineError } from '@opea/kernel/errors';

const noEmbeddings = defineError(
  'EMBEDDINGS_UNSUPPORTED',
  400,
  (_: Record<string, never>) =>
    'No model of this platform answers embeddings in this form; ask an encoder for its tensors by /v2 or by `predict`.',
);

export async function embeddings(): Promise<void> {
  throw noEmbeddings({});
}
