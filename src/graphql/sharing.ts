import {
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLSchema,
  getOperationAST,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Role } from '../domain/directory.ts';
import type { Audience, Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import { readAs, type Source } from '../service/source.ts';
import type { Answer, Context } from './builder.ts';
import { mapped } from './streams.ts';
import { projectById } from './visibility.ts';

/**
 * What many may share. A subscription whose every field looks the same to everybody in the same role is executed
 * once for all of them. A field is taken for one that does not, unless it says so: by `extensions: SHARED`, its
 * own or its type's.
 */

/**
 * For the `extensions` of a type or field: its value follows from what it is selected from, its arguments and the
 * audience (project and role), and from nothing of who asks.
 */
export const SHARED = { shared: true } as const;

/** A subscription that can be shared. */
export interface SharedStream<E> {
  /** Who may follow it; default: everybody with a role in the project. */
  readonly allowed?: readonly Role[];
  /** What is pushed to an audience. */
  open(concord: Concord, audience: Audience): Source<E>;
}

interface StreamArguments {
  readonly project: string;
  readonly after?: string | null | undefined;
}

/** The parts of a subscription field that is read from a source, by one viewer or by an audience. */
export function sharedStream<E>(stream: SharedStream<E>) {
  return {
    extensions: { ...SHARED, stream },
    subscribe: async (_: unknown, { project, after = null }: StreamArguments, context: Context) => {
      const access = await projectById(context, project, stream.allowed);
      const events = await readAs(context.concord, access, stream.open(context.concord, access), after);
      return mapped(
        events,
        (event) => event,
        () => context.answer.letGo(),
      );
    },
    resolve: (event: E) => event,
  };
}

/** The context of an answer that is shared: a resolver that asks who asks gets an error, and nobody's answer. */
export class SharedContext implements Context {
  readonly concord: Concord;
  readonly answer: Answer;

  constructor(concord: Concord, answer: Answer) {
    this.concord = concord;
    this.answer = answer;
  }

  get viewer(): Viewer | null {
    throw new Error('an answer that is shared has an audience and no viewer: the field must not be SHARED');
  }
}

/** How an operation is shared. */
export interface Sharing {
  readonly stream: SharedStream<unknown>;
  readonly field: GraphQLField<unknown, unknown>;
  readonly node: FieldNode;
  readonly operation: OperationDefinitionNode;
  /** The variables that its answers depend on: all but one that only says where a reader begins. */
  readonly variables: ReadonlySet<string>;
}

/** How an operation of a valid document may be shared; null: it may not, and each subscriber has its own. */
export function sharingOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): Sharing | null {
  const operation = getOperationAST(document, operationName || null);
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return null;
  const [node, ...others] = operation.selectionSet.selections;
  // What is written otherwise, with fragments or conditions, is seldom, and served one by one.
  if (node?.kind !== Kind.FIELD || others.length > 0 || (node.directives?.length ?? 0) > 0) return null;
  const field = schema.getSubscriptionType()?.getFields()[node.name.value];
  const stream = field?.extensions['stream'] as SharedStream<unknown> | undefined;
  if (field === undefined || stream === undefined) return null;
  const variables = new Set<string>();
  if (!isShared(schema, document, operation, variables)) return null;
  return { stream, field, node, operation, variables };
}

/** Whether every field below an operation is marked; collects the variables on which the answer depends. */
function isShared(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Set<string>,
): boolean {
  let isShared = true;
  const types = new TypeInfo(schema);
  const look = visitWithTypeInfo(types, {
    Field({ name }) {
      const parent = types.getParentType();
      const field = types.getFieldDef();
      if (name.value === '__typename') return undefined;
      const isMarked = field?.extensions['shared'] === true || parent?.extensions['shared'] === true;
      const isConcrete = isObjectType(parent) || isInterfaceType(parent);
      if (!isMarked || !isConcrete) isShared = false;
      return undefined;
    },
    Argument: ({ name }) =>
      name.value === 'after' && types.getParentType() === schema.getSubscriptionType() ? false : undefined,
    Variable({ name }) {
      variables.add(name.value);
    },
    VariableDefinition: () => false,
  });
  visit(operation, look);
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) visit(definition, look);
  }
  return isShared;
}
