/**
 * Which source object a subgraph's resolvers get for a GraphQL type, as `file#Type as Alias`.
 * A type without an entry is resolved from an object of its own shape.
 */
export const mappers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  analytics: {
    ServingMetrics: '../serving/serving-metrics.ts#ServingMetrics as ServingMetricsSource',
    ServingUpdate: '../serving/live-feed.ts#ServingUpdate as ServingUpdateSource',
    ModelVersion: '../context.ts#EntityRef as ModelVersionRef',
    Principal: '../context.ts#EntityRef as PrincipalRef',
  },
  feature: {
    FeatureView: '../view/view-store.ts#FeatureView as FeatureViewSource',
    FeatureVector: '../value/vector-loader.ts#FeatureVector as FeatureVectorSource',
    VectorIndex: '../vector/vector-store.ts#VectorIndex as VectorIndexSource',
    FeatureEvent: '@opea/kernel/feed#FeedEvent as FeatureEventSource',
    Principal: '../context.ts#EntityRef as PrincipalRef',
  },
  inference: {
    Prediction: '../prediction/predictions.ts#PredictionSource as PredictionSource',
    Generation: '../generation/generations.ts#GenerationSource as GenerationSource',
    TokenChunk: '../generation/resolvers.ts#TokenChunkSource as TokenChunkSource',
    Tensor: '@opea/schema/runtime#Tensor as TensorSource',
    ModelVersion: '../context.ts#EntityRef as ModelVersionRef',
    FeatureVector: '../context.ts#EntityRef as FeatureVectorRef',
    Principal: '../context.ts#EntityRef as PrincipalRef',
  },
  auth: {
    Principal: '../principal/principal-store.ts#PrincipalSource as PrincipalSource',
    Tenant: '../tenant/tenant-store.ts#TenantSource as TenantSource',
    ApiKey: '../api-key/api-key-store.ts#ApiKeySource as ApiKeySource',
    AuthEvent: '../feed/auth-feed.ts#AuthEventSource as AuthEventSource',
  },
  registry: {
    Model: '../model/model-source.ts#ModelSource as ModelSource',
    ModelVersion: '../model/model-source.ts#VersionSource as VersionSource',
    ModelAlias: '../model/model-source.ts#AliasSource as AliasSource',
    ModelEvent: '../model/model-source.ts#HistorySource as HistorySource',
    ArtifactFile: '../model/model-source.ts#FileSource as FileSource',
    TensorSpec: '../model/model-source.ts#TensorSource as TensorSource',
    RegistryEvent: '../feed/registry-feed.ts#RegistryEventSource as RegistryEventSource',
    FeatureView: '../context.ts#ViewRef as ViewRef',
    Principal: '../context.ts#EntityRef as PrincipalRef',
  },
};
