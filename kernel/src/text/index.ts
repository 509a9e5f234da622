export { demandJsonText, demandText, isStorable } from './demand-text.ts';
