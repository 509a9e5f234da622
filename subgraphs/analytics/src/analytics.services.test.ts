import { describe, vi } from 'vitest';
import { servingStoreContract } from './serving/serving-store.contract.ts';
import { realParts } from './testing/real-parts.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe('on real servers, figures', () => {
  servingStoreContract(realParts);
});
