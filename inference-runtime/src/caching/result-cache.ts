import type { Tensor } from '@opea/schema/runtime';

/** Remembers answers by the digest of their request, up to a size; the least recently used leave first. */
export class ResultCache<Answer extends { readonly outputs: readonly Tensor[] }> {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly answer: Answer; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The caller owns the copy it gets. */
  get(digest: string): Answer | undefined {
    const entry = this.#entries.get(digest);
    if (!entry) return undefined;
    this.#entries.delete(digest);
    this.#entries.set(digest, entry);
    return { ...entry.answer, outputs: copyOf(entry.answer.outputs) };
  }

  put(digest: string, answer: Answer): void {
    const bytes = answer.outputs.reduce((sum, output) => sum + sizeOf(output), 256);
    if (bytes > this.#maxBytes) return;
    this.#remove(digest);
    this.#entries.set(digest, { answer: { ...answer, outputs: copyOf(answer.outputs) }, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(digest: string): void {
    this.#bytes -= this.#entries.get(digest)?.bytes ?? 0;
    this.#entries.delete(digest);
  }
}

function copyOf(outputs: readonly Tensor[]): readonly Tensor[] {
  return outputs.map((output) => ({ ...output, data: output.data.slice() }));
}

function sizeOf({ data }: Tensor): number {
  if (ArrayBuffer.isView(data)) return data.byteLength;
  return data.reduce((sum, text) => sum + 2 * text.length, 0);
}
