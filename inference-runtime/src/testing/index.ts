export { fakeRegistry } from './fake-registry.ts';
export { digestOf, temporaryFolder, writeModelFile } from './model-files.ts';
export { tinyDecoder, type TinyDecoderOptions } from './tiny-decoder.ts';
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
