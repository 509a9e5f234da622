/**
 * The `index`-th random number in [0, 1) of a seed's stream. A number depends on nothing but its place, so a sequence
 * draws the same numbers alone, in a batch, and again after it was interrupted. Mixing after MurmurHash3's finaliser.
 */
export function randomAt(seed: number, index: number): number {
  const low = mix(mix(seed ^ 0x9e3779b9) + Math.imul(index, 0x85ebca6b));
  const high = mix(low ^ mix(index + 0x6a09e667));
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
