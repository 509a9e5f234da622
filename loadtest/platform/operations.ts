/** Inference, feature, registry, auth and analytics in one query. */
export const lineage = /* GraphQL */ `
  query ($id: ID!) {
    prediction(id: $id) {
      requestedBy { name }
      features { view { name } values { name value { __typename } } }
      modelVersion {
        number
        model { name owner { name } }
        metrics(window: { last: "15m" }) { requests p95Ms }
      }
    }
  }
`;

/** A token stream. */
export const stream = /* GraphQL */ `
  subscription ($input: GenerateInput!) {
    generate(input: $input) { text usage { completionTokens } }
  }
`;
