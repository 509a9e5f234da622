import type { KvBlock } from './kv-lane.ts';

export interface PrefixCacheOptions {
  /** Tokens in a block; only whole blocks are shared. */
  readonly blockTokens: number;
  readonly maxBytes: number;
}

export interface PrefixCache {
  readonly bytes: number;
  /**
   * The longest run of known blocks at the start of `tokens`, which leaves at least one token over. Only what the same scope
   * put is found: tenants must not learn each other's prompts from the time an answer takes.
   */
  find(scope: string, tokens: readonly number[]): readonly KvBlock[];
  /** Remembers the block that ends at position `end`, when all blocks before it are known. Evicts what was used longest ago. */
  put(scope: string, tokens: readonly number[], end: number, read: () => KvBlock): void;
}

interface Node {
  readonly parent: Node | undefined;
  readonly key: string;
  readonly block: KvBlock | undefined;
  readonly children: Map<string, Node>;
}

/** Keys and values of prompt beginnings, shared between requests: a tree of blocks, compared token by token. */
export function createPrefixCache({ blockTokens, maxBytes }: PrefixCacheOptions): PrefixCache {
  const roots = new Map<string, Node>();
  /** Blocks in the order of last use, oldest first. */
  const used = new Set<Node>();
  let bytes = 0;

  const keyOf = (tokens: readonly number[], start: number) =>
    tokens.slice(start, start + blockTokens).join(',');

  const touch = (node: Node) => {
    used.delete(node);
    used.add(node);
  };

  /** Known blocks along `tokens`, at most `limit`. */
  function walk(scope: string, tokens: readonly number[], limit: number): Node[] {
    const path: Node[] = [];
    let node = roots.get(scope);
    while (node && path.length < limit) {
      node = node.children.get(keyOf(tokens, path.length * blockTokens));
      if (node) path.push(node);
    }
    return path;
  }

  function evict(): void {
    for (const node of used) {
      if (bytes <= maxBytes) return;
      if (node.children.size > 0) continue;
      used.delete(node);
      bytes -= sizeOf(node.block);
      node.parent?.children.delete(node.key);
    }
    for (const [scope, root] of roots) if (root.children.size === 0) roots.delete(scope);
  }

  return {
    get bytes() {
      return bytes;
    },
    find(scope, tokens) {
      const path = walk(scope, tokens, Math.floor((tokens.length - 1) / blockTokens));
      for (const node of path) touch(node);
      return path.flatMap(({ block }) => block ?? []);
    },
    put(scope, tokens, end, read) {
      if (maxBytes === 0 || end % blockTokens !== 0) return;
      const depth = end / blockTokens - 1;
      const path = walk(scope, tokens, depth);
      if (path.length < depth) return;
      const root = roots.get(scope) ?? rootNode();
      const parent = path.at(-1) ?? root;
      const key = keyOf(tokens, end - blockTokens);
      if (parent.children.has(key)) return;
      const block = read();
      const node: Node = { parent, key, block, children: new Map() };
      roots.set(scope, root);
      parent.children.set(key, node);
      touch(node);
      bytes += sizeOf(block);
      while (bytes > maxBytes && used.size > 0) {
        const before = bytes;
        evict();
        if (bytes === before) break;
      }
    },
  };
}

function rootNode(): Node {
  return { parent: undefined, key: '', block: undefined, children: new Map() };
}

function sizeOf(block: KvBlock | undefined): number {
  return block?.parts.reduce((sum, part) => sum + part.byteLength, 0) ?? 0;
}
