import { readFile } from 'node:fs/promises';
import {
  type GraphQLField,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
  specifiedScalarTypes,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';

/** The schema is the contract: it is reviewed, and everything in it says what it is. */
describe('the schema', () => {
  it('is the one checked in', async () => {
    const printed = `${printSchema(lexicographicSortSchema(schema))}\n`;
    const checkedIn = await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8');
    expect(checkedIn, 'run npm run schema').toBe(printed);
  });

  it('describes every type, field, argument and value', () => {
    const bare = Object.values(schema.getTypeMap())
      .filter(
        (type) => !type.name.startsWith('__') && !specifiedScalarTypes.some(({ name }) => name === type.name),
      )
      .flatMap(parts)
      .filter(({ description }) => !description?.trim())
      .map(({ path }) => path);
    expect(bare).toEqual([]);
  });
});

interface Part {
  readonly path: string;
  readonly description: string | null | undefined;
}

function parts(type: GraphQLNamedType): Part[] {
  const all: Part[] = [{ path: type.name, description: type.description }];
  const add = (name: string, description: string | null | undefined) =>
    all.push({ path: `${type.name}.${name}`, description });
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values<GraphQLField<unknown, unknown>>(type.getFields())) {
      add(field.name, field.description);
      for (const arg of field.args) add(`${field.name}(${arg.name})`, arg.description);
    }
  }
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) add(field.name, field.description);
  }
  if (isEnumType(type)) for (const value of type.getValues()) add(value.name, value.description);
  return all;
}
