import type { Types } from '@graphql-codegen/plugin-helpers';
import { type FragmentDefinitionNode, Kind, type OperationDefinitionNode } from 'graphql';

/** What the documents define, in the order of names: what is generated does not depend on files. */
export interface Definitions {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly operations: readonly OperationDefinitionNode[];
}

export function definitionsIn(documents: readonly Types.DocumentFile[]): Definitions {
  const definitions = documents
    .flatMap(({ document }) => document?.definitions ?? [])
    .filter(
      (definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION || definition.kind === Kind.OPERATION_DEFINITION,
    )
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return {
    fragments: new Map(
      definitions
        .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
        .map((fragment) => [fragment.name.value, fragment]),
    ),
    operations: definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION),
  };
}

/** @throws {TypeError} an operation has no name */
export function nameOf({ name }: OperationDefinitionNode | FragmentDefinitionNode): string {
  if (!name) throw new TypeError('every operation has a name');
  return name.value;
}
