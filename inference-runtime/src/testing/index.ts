export { fakeRegistry } from './fake-registry.ts';
export { digestOf, temporaryFolder, writeModelFile } from './model-files.ts';
export { type DecoderShape, type TinyDecoderOptions, tinyDecoder } from './tiny-decoder.ts';
export {
  openTinyGenerator,
  type TinyGenerator,
  type TinyGeneratorOptions,
  tinyVersion,
} from './tiny-generator.ts';
export { tinyGguf } from './tiny-gguf.ts';
export { tinyHuggingFaceExport } from './tiny-hugging-face-export.ts';
export {
  affineModel,
  logarithmModel,
  lookupModel,
  perceptronModel,
  raggedModel,
  seededFloats,
  singleRowModel,
} from './tiny-models.ts';
export { type TinyTokenizer, tinyTokenizer } from './tiny-tokenizer.ts';
