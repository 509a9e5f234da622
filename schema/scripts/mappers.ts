/**
 * Which source object a subgraph's resolvers get for a GraphQL type, as `file#Type as Alias`.
 * A type without an entry is resolved from an object of its own shape.
 */
export const mappers: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
