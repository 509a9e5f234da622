import { anyRole, definePolicy } from '@opea/kernel/auth';

const mayAsk = anyRole('MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN');

/** Who may ask models. Reading one's tenant's answers needs the same as asking. */
export const policy = definePolicy({
  'inference:predict': mayAsk,
  'inference:generate': mayAsk,
  'inference:read': mayAsk,
});
