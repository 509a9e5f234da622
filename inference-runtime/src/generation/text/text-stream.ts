import type { StopStep } from './stop-matcher.ts';
import { createStopMatcher } from './stop-matcher.ts';
import type { TextCodec } from './text-codec.ts';

export interface TextStream {
  /** Text that a token adds: whole characters only, and nothing that may still become a stop string. */
  push(tokenId: number): StopStep;
  /** What was held back for a stop string; bytes of an unfinished character are dropped. */
  flush(): string;
}

/** Detokenises token by token. The texts, joined, are the answer. */
export function createTextStream(codec: TextCodec, stops: readonly string[]): TextStream {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const matcher = createStopMatcher(stops);
  return {
    push: (tokenId) => matcher.push(decoder.decode(codec.bytesOf(tokenId), { stream: true })),
    flush: () => matcher.flush(),
  };
}
