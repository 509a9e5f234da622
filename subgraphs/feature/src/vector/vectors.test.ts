import { vi } from 'vitest';
import { openGround } from '../testing/test-feature.ts';
import { vectorsContract } from './vectors.contract.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

vectorsContract(openGround);
