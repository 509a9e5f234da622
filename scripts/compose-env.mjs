// Writes .env for docker-compose.yml: .env.example with a new random secret in every empty place.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { root } from './steps.mjs';

const example = readFileSync(resolve(root, '.env.example'), 'utf8');
// A letter first: some clients read a leading digit after the user's name as a port.
const filled = example.replaceAll(
  /^(\w+)=$/gm,
  (_, name) => `${name}=s${randomBytes(16).toString('hex')}`,
);
try {
  writeFileSync(resolve(root, '.env'), filled, { flag: 'wx', mode: 0o600 });
  console.log('.env written');
} catch (error) {
  if (error.code !== 'EEXIST') throw error;
  console.error('.env exists already and stays as it is; move it away for new credentials');
  process.exitCode = 1;
}
