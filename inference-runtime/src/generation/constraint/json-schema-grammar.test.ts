import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tinyTokenizer } from '../../testing/tiny-tokenizer.ts';
import { loadTextCodec } from '../text/text-codec.ts';
import { jsonSchemaGrammar } from './json-schema-grammar.ts';
import { type Place, recogniser } from './recogniser.ts';
import { vocabularyOf } from './token-constraint.ts';

function verdict(schema: unknown, text: string): 'complete' | 'open' | 'refused' {
  let place: Place | undefined = recogniser(jsonSchemaGrammar(schema));
  for (const byte of new TextEncoder().encode(text)) place = place?.after(byte);
  if (place === undefined) return 'refused';
  return place.complete ? 'complete' : 'open';
}

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 5 },
    age: { type: 'integer', minimum: 0 },
    tags: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 2 },
  },
  required: ['name', 'age'],
  additionalProperties: false,
};

describe('the grammar of a schema', () => {
  test.each([
    [person, '{"name":"Ann","age":7}'],
    [person, '{"name": "Ann", "age": 0, "tags": ["a", "b"]}'],
    [{ anyOf: [{ type: 'null' }, { type: 'number' }] }, '-1.5e+10'],
    [{ type: ['string', 'null'] }, 'null'],
    [{ const: { a: [1] } }, '{"a":[1]}'],
    [{ type: 'string' }, '"\\u00e9\\n 日本 🧙"'],
    [{ type: 'array', items: { type: 'boolean' }, minItems: 2 }, '[true,false,true]'],
    [{ type: 'object', properties: { a: { type: 'null' }, b: { type: 'null' } } }, '{"b":null}'],
    [{}, '{"any": [1, {"thing": null}]}'],
    [tree(), '{"value":1,"children":[{"value":2,"children":[]}]}'],
  ])('%j takes %s', (schema, text) => {
    expect(verdict(schema, text)).toBe('complete');
    expect(JSON.parse(text)).toBeDefined();
  });

  test.each([
    [person, '{"age"'],
    [person, '{"name":"Johann'],
    [person, '{"name":"A","age":-'],
    [person, '{"name":"A","age":1,"tags":["c'],
    [person, '{"name":"A","age":1,"more"'],
    [{ type: 'integer' }, '01'],
    [{ type: 'string' }, '"\u0007'],
    [{ type: 'array', items: { type: 'null' }, maxItems: 1 }, '[null,'],
    [{ enum: ['yes', 'no'] }, '"maybe'],
  ])('%j refuses %s', (schema, text) => {
    expect(verdict(schema, text)).toBe('refused');
  });

  test('takes every JSON text of the platform’s own serialiser when anything goes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(plain(value));
        expect(verdict(true, JSON.stringify(value))).not.toBe('refused');
      }),
    );
  });

  test.each([
    [{ type: 'string', pattern: 'a+' }, 'jsonSchema'],
    [{ type: 'object', properties: { a: { type: 'date' } } }, 'jsonSchema.properties.a'],
    [{ type: 'object', properties: {}, required: ['x'] }, 'jsonSchema'],
    [{ $ref: '#/$defs/none' }, 'jsonSchema'],
    [{ type: 'integer', minimum: 3 }, 'jsonSchema'],
  ])('does not pretend to understand %j', (schema, field) => {
    expect(() => jsonSchemaGrammar(schema)).toThrow(
      expect.objectContaining({
        kind: expect.objectContaining({ code: 'INVALID_INPUT' }),
        details: expect.objectContaining({ field }),
      }),
    );
  });
});

describe('tokens under a grammar', () => {
  const { json, vocab } = tinyTokenizer();
  const codec = loadTextCodec(json);
  const words = vocabularyOf({ codec, size: vocab, ends: [0] });

  test('any choice among the allowed leads to a valid answer', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (picks) => {
        const constraint = words.constrain(jsonSchemaGrammar(person));
        const ids: number[] = [];
        for (const pick of picks) {
          const allowed = [...constraint.allowed().keys()].filter(
            (id) => constraint.allowed()[id] === 1,
          );
          expect(allowed.length).toBeGreaterThan(0);
          const id = allowed[pick % allowed.length] ?? -1;
          if (id !== 0) ids.push(id);
          if (id === 0 || !constraint.accept(id)) break;
        }
        const answer = JSON.parse(textOf(ids));
        expect(answer).toMatchObject({ name: expect.any(String), age: expect.any(Number) });
        expect(Array.from(answer.name).length).toBeLessThanOrEqual(5);
      }),
      { numRuns: 60 },
    );
  });

  function textOf(ids: readonly number[]): string {
    return new TextDecoder().decode(Uint8Array.from(ids.flatMap((id) => [...codec.bytesOf(id)])));
  }
});

function tree() {
  return {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          value: { type: 'integer' },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        required: ['value', 'children'],
      },
    },
  };
}

/** Without numbers of more digits or larger exponents than the grammar writes, and without lone surrogates. */
function plain(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/\d{16}|e[+-]?\d{3}|\\ud|\\u[0-9a-f]{2}[1-9]/i.test(text);
}
