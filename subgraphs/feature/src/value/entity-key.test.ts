import { expect, test } from 'vitest';
import { entityKey, entityOf } from './entity-key.ts';

test('the same entity has the same key, however it is written', () => {
  const names = ['user', 'shop'];

  expect(entityKey(names, { shop: 7, user: 'u1' })).toBe(
    entityKey(names, { user: 'u1', shop: '7' }),
  );
});

test('a key tells its entity', () => {
  expect(entityOf(entityKey(['user'], { user: 'u1' }))).toEqual({ user: 'u1' });
});

test.for([
  ['a name too few', {}],
  ['a name too many', { user: 'u1', shop: 's' }],
  ['another name', { shop: 's' }],
  ['an empty id', { user: '' }],
  ['no id', { user: null }],
  ['no object', 'u1'],
  ['a list', ['u1']],
])('%s is refused', ([, given]) => {
  expect(() => entityKey(['user'], given)).toThrow('An entity is an object with user.');
});
