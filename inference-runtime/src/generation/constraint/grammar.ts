/** A context-free grammar over bytes, as a tree; recursion goes through `later`. */
export type Rule =
  | { readonly kind: 'byte'; readonly accepts: (byte: number) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Rule[] }
  | { readonly kind: 'choice'; readonly options: readonly Rule[] }
  | {
      readonly kind: 'repeat';
      readonly part: Rule;
      readonly min: number;
      /** May be infinite. */
      readonly max: number;
    }
  | { readonly kind: 'later'; readonly rule: () => Rule };

/** One byte between two bounds, both included; of the ranges given as pairs. */
export function bytesIn(...ranges: readonly (readonly [number, number])[]): Rule {
  return {
    kind: 'byte',
    accepts: (byte) => ranges.some(([low, high]) => byte >= low && byte <= high),
  };
}

/** Exactly this text, in UTF-8. */
export function literal(text: string): Rule {
  const bytes = [...new TextEncoder().encode(text)];
  return sequence(...bytes.map((byte) => bytesIn([byte, byte])));
}

/** One of the characters of an ASCII text. */
export function oneOf(characters: string): Rule {
  const codes = new Set(new TextEncoder().encode(characters));
  return { kind: 'byte', accepts: (byte) => codes.has(byte) };
}

export const sequence = (...parts: readonly Rule[]): Rule => ({ kind: 'sequence', parts });
export const choice = (...options: readonly Rule[]): Rule => ({ kind: 'choice', options });
export const later = (rule: () => Rule): Rule => ({ kind: 'later', rule });
export const optional = (part: Rule): Rule => repeat(part, 0, 1);
export const repeat = (part: Rule, min = 0, max = Number.POSITIVE_INFINITY): Rule => ({
  kind: 'repeat',
  part,
  min,
  max,
});
