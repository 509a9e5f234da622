export { fakeRegistry } from './fake-registry.ts';
export { digestOf, temporaryFolder, writeModelFile } from './model-files.ts';
export {
  affineModel,
  logarithmModel,
  lookupModel,
  perceptronModel,
  raggedModel,
  seededFloats,
  singleRowModel,
} from './tiny-models.ts';
