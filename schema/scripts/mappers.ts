/**
 * Which source object a subgraph's resolvers get for a GraphQL type, as `file#Type as Alias`.
 * A type without an entry is resolved from an object of its own shape.
 */
export const mappers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  inference: {
    Prediction: '../prediction/predictions.ts#PredictionSource as PredictionSource',
    Generation: '../generation/generations.ts#GenerationSource as GenerationSource',
    TokenChunk: '../generation/resolvers.ts#TokenChunkSource as TokenChunkSource',
    Tensor: '@opea/schema/runtime#Tensor as TensorSource',
    ModelVersion: '../context.ts#EntityRef as ModelVersionRef',
    FeatureVector: '../context.ts#EntityRef as FeatureVectorRef',
    Principal: '../context.ts#EntityRef as PrincipalRef',
  },
};
