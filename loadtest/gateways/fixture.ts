// The supergraph and query of the public gateway benchmark (accounts, inventory, products, reviews), with data of the same size.

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@external", "@requires", "@shareable"])';

export const definitions = {
  accounts: `${link}
    type Query { me: User user(id: ID!): User users: [User] }
    type User @key(fields: "id") { id: ID! name: String username: String @shareable birthday: Int }`,
  inventory: `${link}
    type Product @key(fields: "upc") {
      upc: String!
      weight: Int @external
      price: Int @external
      inStock: Boolean
      shippingEstimate: Int @requires(fields: "price weight")
    }`,
  products: `${link}
    type Query { topProducts(first: Int = 5): [Product] }
    type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }`,
  reviews: `${link}
    type Query { review(id: ID!): Review }
    type Review @key(fields: "id") { id: ID! body: String author: User product: Product }
    type User @key(fields: "id") {
      id: ID! username: String @shareable numberOfReviews: Int reviews: [Review]
    }
    type Product @key(fields: "upc") { upc: String! reviews: [Review] }`,
} as const;

export type SubgraphName = keyof typeof definitions;

export const query = `
  fragment User on User { id username name }
  fragment Review on Review { id body }
  fragment Product on Product { inStock name price shippingEstimate upc weight }
  query TestQuery {
    users {
      ...User
      reviews {
        ...Review
        product {
          ...Product
          reviews {
            ...Review
            author { ...User reviews { ...Review product { ...Product } } }
          }
        }
      }
    }
    topProducts {
      ...Product
      reviews {
        ...Review
        author { ...User reviews { ...Review product { ...Product } } }
      }
    }
  }`;

const users = ['Uri', 'Dotan', 'Kamil', 'Arda', 'Gil', 'Laurin'].map((name, index) => ({
  id: String(index + 1),
  name: `${name} ${'abcdefgh'.slice(index)}`,
  username: name.toLowerCase(),
  birthday: 1990 + index,
}));

const products = ['Table', 'Couch', 'Glass', 'Chair', 'TV', 'Lamp', 'Grill', 'Fridge', 'Sofa'].map(
  (name, index) => ({
    upc: String(index + 1),
    name,
    price: [899, 1299, 15, 499, 1299, 6999, 3999, 100_000, 9999][index] ?? 0,
    weight: [100, 1000, 20, 100, 1000, 300, 2000, 6000, 800][index] ?? 0,
  }),
);

const authors = ['1', '1', '1', '1', '1', '1', '2', '2', '2', '2', '2'];
const reviewed = ['1', '2', '3', '1', '4', '5', '2', '5', '2', '1', '3'];
const reviews = authors.map((author, index) => ({
  id: String(index + 1),
  body: ['Love it!', 'Too expensive.', 'Could be better.', 'Prefer something else.'][index % 4],
  author: { __typename: 'User', id: author, username: users[Number(author) - 1]?.username },
  product: { __typename: 'Product', upc: reviewed[index] },
}));

interface Reference {
  readonly id?: string;
  readonly upc?: string;
  readonly price?: number;
  readonly weight?: number;
}

const userOf = ({ id }: Reference) => users.find((user) => user.id === id);
const reviewsBy = ({ id }: Reference) => reviews.filter(({ author }) => author.id === id);
const reviewsOf = ({ upc }: Reference) => reviews.filter(({ product }) => product.upc === upc);

export const resolvers: Readonly<Record<SubgraphName, object>> = {
  accounts: {
    Query: {
      me: () => users[0],
      users: () => users,
      user: (_: unknown, reference: Reference) => userOf(reference),
    },
    User: { __resolveReference: userOf },
  },
  inventory: {
    Product: {
      __resolveReference: (reference: Reference) => reference,
      inStock: ({ upc }: Reference) => Number(upc) % 2 === 1,
      shippingEstimate: ({ price = 0, weight = 0 }: Reference) =>
        price > 1000 ? 0 : Math.round(weight / 2),
    },
  },
  products: {
    Query: {
      topProducts: (_: unknown, { first }: { readonly first: number }) => products.slice(0, first),
    },
    Product: {
      __resolveReference: ({ upc }: Reference) => products.find((product) => product.upc === upc),
    },
  },
  reviews: {
    Query: { review: (_: unknown, { id }: Reference) => reviews.find((found) => found.id === id) },
    Review: {
      __resolveReference: ({ id }: Reference) => reviews.find((found) => found.id === id),
    },
    User: {
      __resolveReference: ({ id }: Reference) => ({
        id,
        username: userOf({ id: id ?? '' })?.username,
      }),
      reviews: reviewsBy,
      numberOfReviews: (user: Reference) => reviewsBy(user).length,
    },
    Product: { reviews: reviewsOf },
  },
};
