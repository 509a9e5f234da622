export { createGenerator } from './generator.ts';
export type { Generator, GeneratorOptions, GeneratorStats } from './generator.ts';
export { defaultGeneratorConfig, generatorShape } from './generator-config.ts';
export type { GeneratorConfig } from './generator-config.ts';
export type { DecoderInfo } from './decoder/decoder-messages.ts';
export type { GenerationOptions } from './sampling/generation-options.ts';
export { adaptHuggingFaceExport } from './adaptation/adapt-hugging-face-export.ts';
export type { HuggingFaceExport } from './adaptation/adapt-hugging-face-export.ts';
