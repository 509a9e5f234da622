export type {
  AnswerOrigin,
  Datatype,
  DispatchReason,
  FinishReason,
  GenerateOptions,
  GenerationEvent,
  InferenceRuntime,
  ModelRef,
  PredictResult,
  RequestOptions,
  ServedVersion,
  Tensor,
  TensorData,
  TensorSpec,
} from './protocol.ts';
export {
  type RemoteRuntimeOptions,
  remoteRuntime,
  type WireRuntimeError,
} from './remote-runtime.ts';
export {
  decodeTensorFrame,
  encodeTensorFrame,
  type TensorFrame,
  tensorFrameType,
} from './tensor-frame.ts';
