import * as sdk from '@concord/sdk/client';
import { describe, expect, it } from 'vitest';
import { errorOf, isAnswer, resultOf } from '../../sdk/src/client/answers.ts';
import { DETAIL_PREFIX, REFUSALS } from '../../sdk/src/client/generated/refusals.ts';
import type { Operation } from '../../sdk/src/client/operation.ts';
import { REFUSAL_CODES } from '../../src/domain/refusals.ts';

const MUTATION: Operation = { name: 'Submit', kind: 'mutation', path: ['submit'], document: '' };
const QUERY: Operation = { name: 'Agreement', kind: 'query', path: ['project', 'agreement'], document: '' };

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('the error classes', () => {
  it('mirror the closed table of the service, one to one', () => {
    expect(Object.keys(REFUSALS).sort()).toEqual([...REFUSAL_CODES].sort());
  });

  it.each(Object.entries(REFUSALS))('%s has a class with its code and details', (code, { type, details }) => {
    const values = Object.fromEntries(details.map((name) => [name, `the ${name}`]));
    const prefixed = Object.fromEntries(details.map((name) => [DETAIL_PREFIX + name, `the ${name}`]));
    const refusal = { __typename: type.name, code, message: 'No.', ...prefixed };
    const fromUnion = thrownBy(() => resultOf(MUTATION, { data: { submit: refusal } }));
    const fromErrors = errorOf([{ message: 'No.', extensions: { code, ...values } }]);
    for (const error of [fromUnion, fromErrors]) {
      expect(error).toBeInstanceOf(type);
      expect(error).toBeInstanceOf(sdk.RefusalError);
      expect(error).toBeInstanceOf(sdk.ConcordError);
      expect(error).toMatchObject({ name: type.name, code, message: 'No.', ...values });
    }
    expect((sdk as Record<string, unknown>)[type.name]).toBe(type);
  });
});

describe('an answer', () => {
  it('gives what lies at the end of the path', () => {
    expect(resultOf(QUERY, { data: { project: { agreement: { seq: 7 } } } })).toEqual({ seq: 7 });
    expect(resultOf(QUERY, { data: { project: null } })).toBeNull();
  });

  it('throws a refusal that is newer than the SDK with its code', () => {
    const data = { submit: { __typename: 'TooTiredError', code: 'TOO_TIRED', message: 'Sleep first.' } };
    const error = thrownBy(() => resultOf(MUTATION, { data }));
    expect(error).toBeInstanceOf(sdk.UnknownRefusalError);
    expect(error).toMatchObject({ code: 'TOO_TIRED', message: 'Sleep first.' });
  });

  it('throws faults, and what is wrong with the credentials', () => {
    const fault = { message: 'Fault 1.', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
    expect(thrownBy(() => resultOf(QUERY, { data: null, errors: [fault] }))).toBeInstanceOf(sdk.ServiceError);
    expect(errorOf([{ message: 'Who?', extensions: { code: 'UNAUTHENTICATED' } }])).toBeInstanceOf(
      sdk.UnauthenticatedError,
    );
    expect(errorOf([{ message: 'Cannot query field "x".' }])).toMatchObject({
      code: 'BAD_REQUEST',
      message: 'Cannot query field "x".',
    });
  });

  it('makes no class of a code whose details are missing', () => {
    const error = errorOf([{ message: 'Too large.', extensions: { code: 'PAYLOAD_TOO_LARGE' } }]);
    expect(error).toBeInstanceOf(sdk.ServiceError);
    expect(error.code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('is told from what else may come', () => {
    for (const value of [{ data: null }, { errors: [{ message: 'no' }] }]) expect(isAnswer(value)).toBe(true);
    for (const value of [null, 'text', [], { error: 'not here' }, undefined])
      expect(isAnswer(value)).toBe(false);
  });
});
