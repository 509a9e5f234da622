import {
  bytesIn,
  choice,
  later,
  literal,
  oneOf,
  optional,
  type Rule,
  repeat,
  sequence,
} from './grammar.ts';

const digit = bytesIn([0x30, 0x39]);
const hex = bytesIn([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]);
const continuation = bytesIn([0x80, 0xbf]);

/** One character inside a JSON string: well-formed UTF-8 (Unicode 15, table 3-7) or an escape (RFC 8259, section 7). */
const character = choice(
  bytesIn([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7e]),
  sequence(bytesIn([0xc2, 0xdf]), continuation),
  sequence(bytesIn([0xe0, 0xe0]), bytesIn([0xa0, 0xbf]), continuation),
  sequence(bytesIn([0xe1, 0xec], [0xee, 0xef]), continuation, continuation),
  sequence(bytesIn([0xed, 0xed]), bytesIn([0x80, 0x9f]), continuation),
  sequence(bytesIn([0xf0, 0xf0]), bytesIn([0x90, 0xbf]), continuation, continuation),
  sequence(bytesIn([0xf1, 0xf3]), continuation, continuation, continuation),
  sequence(bytesIn([0xf4, 0xf4]), bytesIn([0x80, 0x8f]), continuation, continuation),
  sequence(literal('\\'), oneOf('"\\/bfnrt')),
  sequence(literal('\\u00'), hex, hex),
);

/** After a colon or a comma one space may stand, and no other white space: an answer must not spend its tokens on it. */
const space = optional(literal(' '));
export const colon = sequence(literal(':'), space);
export const comma = sequence(literal(','), space);

/** At most 15 digits, which every reader of JSON keeps exactly. */
const whole = choice(literal('0'), sequence(bytesIn([0x31, 0x39]), repeat(digit, 0, 14)));
export const integer = (signed: boolean): Rule =>
  signed ? sequence(optional(literal('-')), whole) : whole;
export const number = (signed: boolean): Rule =>
  sequence(
    integer(signed),
    optional(sequence(literal('.'), repeat(digit, 1, 15))),
    optional(sequence(oneOf('eE'), optional(oneOf('+-')), repeat(digit, 1, 2))),
  );

/** A string of so many characters. */
export const string = (min = 0, max = Number.POSITIVE_INFINITY): Rule =>
  sequence(literal('"'), repeat(character, min, max), literal('"'));

/** So many items, with commas between. */
export function list(item: Rule, min = 0, max = Number.POSITIVE_INFINITY): Rule {
  if (max === 0) return sequence();
  const some = sequence(item, repeat(sequence(comma, item), Math.max(0, min - 1), max - 1));
  return min === 0 ? optional(some) : some;
}

/** Any JSON value. */
export const anyValue: Rule = later(() =>
  choice(
    string(),
    number(true),
    literal('true'),
    literal('false'),
    literal('null'),
    sequence(literal('['), list(anyValue), literal(']')),
    sequence(literal('{'), list(sequence(string(), colon, anyValue)), literal('}')),
  ),
);
