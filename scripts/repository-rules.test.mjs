import { describe, expect, test } from 'vitest';
import { complaintsAbout } from './repository-rules.mjs';

const about = (file, text) => complaintsAbout({ file, bytes: text.length, read: () => text });

describe('the rules of the repository', () => {
  test.each([
    ['a merge marker', 'kernel/a.ts', 'a\n<<<<<<< HEAD\nb\n'],
    ['a test that shuts out the others', 'kernel/a.test.ts', "test.only('x', () => {});"],
    ['one of many parameters', 'kernel/a.test.ts', 'describe.sequential.only('],
    ['a debugger statement', 'router/a.ts', 'debugger;'],
    ['a home folder', 'docs/a.md', 'see `/home/ada/models` for more'],
    ['a home folder of a Mac', 'docs/a.md', '/Users/ada/models'],
  ])('refuse %s', (_, file, text) => {
    expect(about(file, text)).toHaveLength(1);
  });

  test('name the line', () => {
    expect(about('a.md', 'one\ntwo\n/home/ada/x')[0]).toMatch(/^a\.md:3: absolute path/);
  });

  test.each([
    ['a URL that has such a part', 'docs/a.md', 'https://example.org/home/page'],
    ['a relative path', 'docs/a.md', './root/models and models/home/x'],
    ['a chart with a row of equal signs', 'docs/a.md', 'x ======= y'],
  ])('accept %s', (_, file, text) => {
    expect(about(file, text)).toEqual([]);
  });

  test('refuse big files, except weights of models', () => {
    const big = { bytes: 4 * 1024 * 1024, read: () => '' };
    expect(complaintsAbout({ file: 'docs/film.mp4', ...big })).toHaveLength(1);
    expect(complaintsAbout({ file: 'inference-runtime/models/x/model.onnx', ...big })).toEqual([]);
  });
});
