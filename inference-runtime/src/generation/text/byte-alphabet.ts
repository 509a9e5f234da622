/** How byte-level BPE writes bytes as printable characters (GPT-2, Radford et al. 2019). */
export const byteOfCharacter: ReadonlyMap<string, number> = new Map(characterOfEachByte());

/** The printable character for each byte. */
export const characterOfByte: readonly string[] = [...byteOfCharacter.entries()]
  .toSorted(([, a], [, b]) => a - b)
  .map(([character]) => character);

function characterOfEachByte(): [string, number][] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => [
    String.fromCharCode(printable(byte) ? byte : next++),
    byte,
  ]);
}
