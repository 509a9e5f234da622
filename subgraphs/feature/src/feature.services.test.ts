import { describe, vi } from 'vitest';
import { realParts } from './testing/real-parts.ts';
import { openGround } from './testing/test-feature.ts';
import { valuesContract } from './value/values.contract.ts';
import { vectorsContract } from './vector/vectors.contract.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe('on real servers, values', () => {
  valuesContract(() => openGround(realParts));
});
describe('on real servers, vectors', () => {
  vectorsContract(() => openGround(realParts));
});
