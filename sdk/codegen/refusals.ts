import {
  type DocumentNode,
  type FieldNode,
  type GraphQLAbstractType,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** The interface behind which the schema has all refusals. */
const ERROR = 'Error';

/**
 * Details are asked under an alias: GraphQL lets no two members of a union give one name to fields of different
 * types, and a detail that is added must not clash with a success that has such a field.
 */
export const DETAIL_PREFIX = 'refusal_';

/** What every refusal has; the other fields are details of its own. */
const COMMON_FIELDS = new Set(['code', 'message']);

/** Every refusal of the schema, by name. */
export function refusalTypes(schema: GraphQLSchema): readonly GraphQLObjectType[] {
  return [...schema.getPossibleTypes(errorInterface(schema))].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The fields that a refusal has beside code and message. */
export function detailsOf(type: GraphQLObjectType) {
  return Object.values(type.getFields()).filter(({ name }) => !COMMON_FIELDS.has(name));
}

/** The code of a refusal's type: an UnknownLabelError is UNKNOWN_LABEL. */
export function codeOf(type: GraphQLObjectType): string {
  return type.name
    .replace(/Error$/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toUpperCase();
}

/** A document that selects, in every union, the refusals that it can hold, each with its details. */
export function withRefusals(schema: GraphQLSchema, document: DocumentNode): DocumentNode {
  const info = new TypeInfo(schema);
  return visit(
    document,
    visitWithTypeInfo(info, {
      SelectionSet: {
        leave(node) {
          const type = info.getParentType();
          if (!isUnionType(type)) return undefined;
          const refusals = refusalsIn(schema, type);
          if (refusals.length === 0) return undefined;
          return { ...node, selections: [...node.selections, selectionOf(refusals)] };
        },
      },
    }),
  );
}

function refusalsIn(schema: GraphQLSchema, union: GraphQLAbstractType): readonly GraphQLObjectType[] {
  return schema.getPossibleTypes(union).filter((type) => schema.isSubType(errorInterface(schema), type));
}

/**
 * `... on Error { code message ... on UnknownLabelError { … } }`. The details stand within the interface, where
 * they are valid whatever the union holds: a service that refuses less or more than this schema says still
 * understands the document.
 */
function selectionOf(refusals: readonly GraphQLObjectType[]): SelectionNode {
  const details = refusals
    .filter((type) => detailsOf(type).length > 0)
    .map((type) =>
      inlineFragment(
        type.name,
        detailsOf(type).map(({ name, type: fieldType }) =>
          field(name, { alias: DETAIL_PREFIX + name, selections: innerFields(fieldType) }),
        ),
      ),
    );
  return inlineFragment(ERROR, [field('__typename'), field('code'), field('message'), ...details]);
}

/** All fields of a detail that is an object itself. */
function innerFields(type: GraphQLOutputType): readonly FieldNode[] {
  const inner = getNamedType(type);
  return isObjectType(inner) ? Object.keys(inner.getFields()).map((name) => field(name)) : [];
}

function field(
  name: string,
  { alias, selections = [] }: { alias?: string; selections?: readonly FieldNode[] } = {},
): FieldNode {
  return {
    kind: Kind.FIELD,
    name: { kind: Kind.NAME, value: name },
    ...(alias && { alias: { kind: Kind.NAME, value: alias } }),
    ...(selections.length > 0 && { selectionSet: selectionSet(selections) }),
  };
}

function inlineFragment(on: string, selections: readonly SelectionNode[]): SelectionNode {
  return {
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: on } },
    selectionSet: selectionSet(selections),
  };
}

function selectionSet(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections };
}

function errorInterface(schema: GraphQLSchema): GraphQLInterfaceType {
  const type = schema.getType(ERROR);
  if (!isInterfaceType(type)) throw new TypeError(`the schema has no interface ${ERROR}`);
  return type;
}
