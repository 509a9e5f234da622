import type { StartProgram } from '../engines/program.ts';

/** Runs inside an engine worker: a decoder session with the key/value cache it owns. */
export const startDecoderProgram: StartProgram<unknown> = () =>
  Promise.reject(new Error('Generation is not built yet'));
