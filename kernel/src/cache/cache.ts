/** Values that may be gone at any time. Keys are at most 512 characters. */
export interface Cache extends AsyncDisposable {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array, options: CacheSetOptions): Promise<void>;
  delete(key: string): Promise<void>;
  /** Forgets every value that was set with this tag. */
  invalidateTag(tag: string): Promise<void>;
  /** Adds `by` (default 1) to a counter and gives the sum; a new counter starts at 0 and lives `ttlMs` from its first increment. */
  increment(
    key: string,
    options: { readonly by?: number; readonly ttlMs: number },
  ): Promise<number>;
}

export interface CacheSetOptions {
  readonly ttlMs: number;
  readonly tags?: readonly string[];
}
