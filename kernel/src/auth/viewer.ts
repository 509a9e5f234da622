export const roles = ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'] as const;
export type Role = (typeof roles)[number];

/** Who is asking. Built once per request, from a verified token. */
export interface Viewer {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly kind: 'USER' | 'SERVICE';
  readonly roles: ReadonlySet<Role>;
  readonly scopes: ReadonlySet<string>;
  /** When the caller's own credential ends; absent for one that does not expire. */
  readonly expiresAt?: Date;
}

export const isRole = (value: unknown): value is Role => roles.some((role) => role === value);
