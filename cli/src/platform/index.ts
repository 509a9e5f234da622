export { type DataFolder, openDataFolder, type Workspace } from './data-folder.ts';
export { seedDemoWorkspace } from './demo-workspace.ts';
export {
  type DigitSample,
  imageInput,
  inkOf,
  readDigitSamples,
  sketchOf,
} from './digit-samples.ts';
export { embeddedParts, type Parts } from './parts.ts';
export { type Platform, type PlatformOptions, startPlatform } from './platform.ts';
export { silentProgress } from './progress.ts';
export { type S3Server, type ServerOptions, serverParts } from './server-parts.ts';
