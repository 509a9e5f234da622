import type { LiveGeneration, TokenPiece } from './live-generation.ts';

/** A token, or the closing message: then `piece` is missing and `index` is one past the last token. */
export interface FollowedToken<Source> {
  readonly index: number;
  readonly source: Source;
  readonly piece: TokenPiece | undefined;
}

export interface FollowOptions<Source extends { readonly live: LiveGeneration }> {
  readonly source: Source;
  /** The first index wanted. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** Called once when the follower leaves before the end. */
  readonly onLeave?: () => void;
}

/**
 * Every token from an index on, each once and in order, then one closing message, unless the index lies behind that
 * already. `return()` answers at once, also while a token is awaited: whoever unsubscribes does not wait for the model.
 */
export function follow<Source extends { readonly live: LiveGeneration }>(
  options: FollowOptions<Source>,
): AsyncIterableIterator<FollowedToken<Source>> {
  const { source, signal, onLeave } = options;
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, leaving.signal]);
  let index = options.from;
  let closed = false;

  const leave = () => {
    if (closed) return;
    closed = true;
    leaving.abort();
    onLeave?.();
  };
  signal.addEventListener('abort', leave, { once: true });

  return {
    async next() {
      if (closed) return { done: true, value: undefined };
      try {
        const piece = await source.live.piece(index, either);
        const seen = !piece && index > source.live.pieces.length;
        if (closed || seen) return { done: true, value: undefined };
        if (!piece) closed = true;
        return { done: false, value: { index: index++, source, piece } };
      } catch (error) {
        closed = true;
        throw error;
      }
    },
    async return() {
      signal.removeEventListener('abort', leave);
      leave();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
