import { vi } from 'vitest';
import { servingStoreContract } from './serving-store.contract.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

servingStoreContract(undefined);
