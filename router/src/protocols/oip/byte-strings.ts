import { invalidRequest } from '../graph-failure.ts';

/** Texts as the protocol's binary data has them: each behind its length in bytes, 32 bits, little-endian. */
export function writeStrings(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** Reads what `writeStrings` writes. Throws INVALID_REQUEST that names the tensor, also for what is not UTF-8. */
export function readStrings(name: string, bytes: Buffer): readonly string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at + 4;
    const end = start <= bytes.length ? start + bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length)
      throw invalidRequest({ field: name, problem: 'its binary data ends inside a string' });
    try {
      texts.push(decoder.decode(bytes.subarray(start, end)));
    } catch (error) {
      throw invalidRequest({ field: name, problem: 'the graph takes strings in UTF-8' }, error);
    }
    at = end;
  }
  return texts;
}
