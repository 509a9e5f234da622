import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readStrings, writeStrings } from './byte-strings.ts';
import { inferReply } from './infer-reply.ts';
import { type InferRequest, inferShape, splitBody } from './infer-request.ts';
import { outputPlan } from './output-plan.ts';
import { predictInput } from './predict-input.ts';

const tensor = (fields: object) => ({ name: 'x', datatype: 'FP32', shape: [1], ...fields });
const request = (fields: object) =>
  inferShape.parse({ inputs: [tensor({ data: [1] })], ...fields });

describe('a binary request', () => {
  it('is JSON up to the length that its header names', () => {
    const { header, tail } = splitBody(Buffer.from('{}abc'), '2');
    expect([header.toString(), tail.toString()]).toEqual(['{}', 'abc']);
  });

  it.each(['6', '-1', 'two', ''])('with a length of %j is refused', (length) => {
    expect(() => splitBody(Buffer.from('{}abc'), length)).toThrow(/length of the JSON/);
  });

  it('gives each input its bytes, in order', () => {
    const inputs = [
      tensor({ parameters: { binary_data_size: 4 } }),
      tensor({ name: 'y', data: [[1], [2]] }),
      tensor({ name: 'z', datatype: 'BYTES', parameters: { binary_data_size: 5 } }),
    ];
    const tail = Buffer.concat([Buffer.from([0, 0, 128, 63]), writeStrings(['a'])]);
    expect(predictInput(request({ inputs }), tail).inputs).toEqual([
      { name: 'x', datatype: 'FP32', shape: [1], base64: 'AACAPw==' },
      { name: 'y', datatype: 'FP32', shape: [1], data: [1, 2] },
      { name: 'z', datatype: 'BYTES', shape: [1], data: ['a'] },
    ]);
  });

  it.each([
    ['too few bytes', tensor({ parameters: { binary_data_size: 9 } }), /not all there/],
    ['bytes over', tensor({ parameters: { binary_data_size: 3 } }), /more binary data/],
    ['no values', tensor({}), /neither/],
    ['values twice', tensor({ data: [1], parameters: { binary_data_size: 4 } }), /both/],
  ])('with %s is refused', (_what, input, problem) => {
    expect(() => predictInput(request({ inputs: [input] }), Buffer.alloc(4))).toThrow(problem);
  });

  it('carries priority and timeout to the graph, in its units', () => {
    const parameters = { priority: 7, timeout: 1_500 };
    const { inputs: _none, ...rest } = predictInput(request({ parameters }), Buffer.alloc(0));
    expect(rest).toEqual({ priority: 3, deadlineMs: 2 });
  });
});

describe('strings in binary data', () => {
  it('read as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        expect(readStrings('x', writeStrings(texts))).toEqual(texts);
      }),
    );
  });

  it.each([
    [[1, 0, 0], /ends inside/],
    [[2, 0, 0, 0, 97], /ends inside/],
    [[1, 0, 0, 0, 255], /UTF-8/],
  ])('of bytes %j are refused', (bytes, problem) => {
    expect(() => readStrings('x', Buffer.from(bytes))).toThrow(problem);
  });
});

describe('the answer to an inference request', () => {
  const prediction = {
    id: 'prd_1',
    modelVersion: { number: 3 },
    outputs: [
      { name: 'p', datatype: 'FP32', shape: [1], data: [1], base64: 'AACAPw==' },
      { name: 's', datatype: 'BYTES', shape: [1], data: ['a'], base64: null },
    ],
  };
  const replyTo = (asked: InferRequest) =>
    inferReply({ model: 'm', request: asked, plan: outputPlan(asked), prediction });

  it('is JSON when nothing else is asked', () => {
    expect(replyTo(request({ id: 'i' }))).toEqual({
      body: {
        id: 'i',
        model_name: 'm',
        model_version: '3',
        parameters: { prediction_id: 'prd_1' },
        outputs: [
          { name: 'p', datatype: 'FP32', shape: [1], data: [1] },
          { name: 's', datatype: 'BYTES', shape: [1], data: ['a'] },
        ],
      },
    });
  });

  it('has the asked outputs behind the JSON, as bytes', () => {
    const { body, headers } = replyTo(
      request({ outputs: [{ name: 's', parameters: { binary_data: true } }, { name: 'p' }] }),
    );
    const length = Number(headers?.['inference-header-content-length']);
    const bytes = Buffer.from(body as Uint8Array);
    expect(JSON.parse(bytes.subarray(0, length).toString()).outputs).toEqual([
      { name: 's', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 5 } },
      { name: 'p', datatype: 'FP32', shape: [1], data: [1] },
    ]);
    expect(bytes.subarray(length)).toEqual(writeStrings(['a']));
  });

  it('refuses an output that the model has not, and classification', () => {
    expect(() => replyTo(request({ outputs: [{ name: 'q' }] }))).toThrow(/no output q/);
    expect(() =>
      replyTo(request({ outputs: [{ name: 'p', parameters: { classification: 3 } }] })),
    ).toThrow(/classification/);
  });
});
