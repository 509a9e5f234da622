import type { TextCodec } from '../text/text-codec.ts';
import type { Rule } from './grammar.ts';
import { type Place, recogniser } from './recogniser.ts';

/** Which tokens may come next so that the whole answer follows a grammar. */
export interface TokenConstraint {
  /** 1 for each token that may come next. The end tokens may come when the text is complete. */
  allowed(): Uint8Array;
  /** Takes a token; false when nothing may follow it. */
  accept(tokenId: number): boolean;
}

export interface Vocabulary {
  constrain(grammar: Rule): TokenConstraint;
}

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  readonly tokens: number[];
}

export interface VocabularyOptions {
  readonly codec: TextCodec;
  readonly size: number;
  readonly ends: readonly number[];
}

/** The vocabulary as a tree of bytes: one walk along a grammar finds every token that fits. */
export function vocabularyOf({ codec, size, ends }: VocabularyOptions): Vocabulary {
  const root: TrieNode = { children: new Map(), tokens: [] };
  for (let token = 0; token < size; token++) {
    const bytes = codec.bytesOf(token);
    if (bytes.length === 0 || ends.includes(token)) continue;
    let node = root;
    for (const byte of bytes) {
      const child = node.children.get(byte) ?? {
        children: new Map<number, TrieNode>(),
        tokens: [],
      };
      node.children.set(byte, child);
      node = child;
    }
    node.tokens.push(token);
  }

  function mark(node: TrieNode, place: Place, mask: Uint8Array): void {
    for (const token of node.tokens) mask[token] = 1;
    for (const [byte, child] of node.children) {
      const next = place.after(byte);
      if (next) mark(child, next, mask);
    }
  }

  return {
    constrain(grammar) {
      const masks = new Map<Place, Uint8Array>();
      let place = recogniser(grammar);
      return {
        allowed() {
          const known = masks.get(place);
          if (known) return known;
          const mask = new Uint8Array(size);
          mark(root, place, mask);
          if (place.complete) for (const end of ends) mask[end] = 1;
          masks.set(place, mask);
          return mask;
        },
        accept(tokenId) {
          for (const byte of codec.bytesOf(tokenId)) {
            const next = place.after(byte);
            if (next === undefined) return false;
            place = next;
          }
          return !place.over;
        },
      };
    },
  };
}
