import { specify } from '@opea/kernel/testing';
import { describe, test } from 'vitest';
import { type PrincipalEvent, principalDecider } from './principal.ts';

const { given } = specify(principalDecider);

const created = (roles: PrincipalEvent['data']['roles']): PrincipalEvent => ({
  type: 'PrincipalCreated',
  data: { principalId: 'prn_1', name: 'ada', kind: 'USER', roles },
});
const changed = (roles: PrincipalEvent['data']['roles']): PrincipalEvent => ({
  type: 'RolesChanged',
  data: { principalId: 'prn_1', roles },
});

describe('creating a principal', () => {
  const create = {
    type: 'CreatePrincipal',
    principalId: 'prn_1',
    name: 'ada',
    kind: 'USER',
    roles: ['MODEL_USER'],
  } as const;

  test('adds it with its roles, each once and in order', () => {
    given()
      .when({ ...create, roles: ['MODEL_ADMIN', 'MODEL_USER', 'MODEL_ADMIN'] })
      .yields(created(['MODEL_USER', 'MODEL_ADMIN']));
  });

  test('does nothing when the same command comes again', () => {
    given(created(['MODEL_USER']))
      .when(create)
      .yields();
  });

  test('is refused for a name that is taken', () => {
    given(created([]))
      .when({ ...create, principalId: 'prn_2' })
      .refuses('PRINCIPAL_EXISTS');
  });

  test.for(['a', 'Ada', '1da', 'a da', `a${'b'.repeat(64)}`])(
    'is refused for the name %s',
    (name) => {
      given()
        .when({ ...create, name })
        .refuses('BAD_USER_INPUT');
    },
  );
});

describe('assigning roles', () => {
  const assign = {
    type: 'AssignRoles',
    principalId: 'prn_1',
    roles: ['DATA_SCIENTIST'],
    otherAdmins: 1,
  } as const;

  test('replaces them all', () => {
    given(created(['MODEL_USER']))
      .when(assign)
      .yields(changed(['DATA_SCIENTIST']));
  });

  test('does nothing when they are the same in another order', () => {
    given(created(['MODEL_USER', 'MODEL_ADMIN']))
      .when({ ...assign, roles: ['MODEL_ADMIN', 'MODEL_USER'] })
      .yields();
  });

  test('may take all of them away', () => {
    given(created(['MODEL_USER']))
      .when({ ...assign, roles: [] })
      .yields(changed([]));
  });

  test('is refused for a principal that is not there', () => {
    given().when(assign).refuses('PRINCIPAL_NOT_FOUND');
  });

  test('is refused when it would leave the tenant without an administrator', () => {
    given(created(['TENANT_ADMIN']))
      .when({ ...assign, otherAdmins: 0 })
      .refuses('LAST_ADMIN');
  });

  test('lets an administrator go when another stays', () => {
    given(created(['TENANT_ADMIN']))
      .when(assign)
      .yields(changed(['DATA_SCIENTIST']));
  });

  test('sees the last change, not the first state', () => {
    given(created(['TENANT_ADMIN']), changed(['MODEL_USER']))
      .when({ ...assign, otherAdmins: 0 })
      .yields(changed(['DATA_SCIENTIST']));
  });
});
