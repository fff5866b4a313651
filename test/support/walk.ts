import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { schema } from '../../src/graphql/schema.ts';
import type { Variables } from './service.ts';

/**
 * Asks for everything that the schema has. Every field goes by an alias that says what it is, so that each value
 * of an answer can be traced to its place in the schema: `Project__labels__0`.
 */

/** The arguments of a field by its coordinate (`Query.node`): a field is asked once for each of them. */
export type Arguments = (coordinate: string, args: readonly GraphQLArgument[]) => readonly Variables[];

export interface Walk {
  /** The field of the root type that it asks. */
  readonly coordinate: string;
  readonly document: string;
  readonly variables: Variables;
}

type Operation = 'query' | 'mutation' | 'subscription';

/** So many names a document has at most: about half of the tokens that the service takes. */
const MAX_NAMES = 1_500;

/**
 * Documents for each field of a root type and each of its arguments, with everything below: one, or for a query as many
 * as it takes for none to be too large.
 * @throws {Error} a field has a required argument that nothing was given for
 */
export function walks(operation: Operation, args: Arguments): readonly Walk[] {
  const root = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  }[operation];
  if (!root) throw new Error(`there is no ${operation} type`);
  return Object.values(root.getFields()).flatMap((field) => {
    const coordinate = `${root.name}.${field.name}`;
    const write = (given: Variables, variant: number, isAsked: IsAsked): Walk => {
      const asked = new Asked(args, isAsked);
      const selection = asked.field(root, field, given, variant, [root.name]);
      const declared = asked.declared.length > 0 ? `(${asked.declared.join(', ')})` : '';
      const document = `${operation} Walk${declared} { ${selection} }`;
      return { coordinate, document, variables: asked.variables };
    };
    return argumentsOf(coordinate, field, args).flatMap((given, variant) => {
      const whole = write(given, variant, () => true);
      if (operation !== 'query' || namesIn(whole) <= MAX_NAMES) return [whole];
      return portions(getNamedType(field.type), (isAsked) => namesIn(write(given, variant, isAsked))).map(
        (portion) => write(given, variant, (asked) => portion.has(asked)),
      );
    });
  });
}

/** Whether a field next below the root's is asked for, by its coordinate. */
type IsAsked = (coordinate: string) => boolean;

function namesIn({ document }: Walk): number {
  return document.match(/\w+/g)?.length ?? 0;
}

/** Shares out the fields of a type, or of all that it may be, so that no portion comes to more than {@link MAX_NAMES}. */
function portions(type: GraphQLNamedType, namesOf: (isAsked: IsAsked) => number): ReadonlySet<string>[] {
  const fields = objectsOf(type).flatMap((object) =>
    Object.keys(object.getFields()).map((field) => `${object.name}.${field}`),
  );
  const shared: Set<string>[] = [];
  let names = MAX_NAMES;
  for (const field of fields) {
    const own = namesOf((asked) => asked === field);
    if (names + own > MAX_NAMES) {
      shared.push(new Set());
      names = 0;
    }
    shared.at(-1)?.add(field);
    names += own;
  }
  return shared;
}

function objectsOf(type: GraphQLNamedType): readonly GraphQLObjectType[] {
  return (isAbstractType(type) ? schema.getPossibleTypes(type) : [type]).filter(isObjectType);
}

/** A value of an answer, and the schema's coordinate that gave it. */
export interface Leaf {
  readonly coordinate: string;
  readonly value: unknown;
}

/** Every value of the answer to a walk, nulls left out. */
export function leaves(answer: unknown, coordinate = ''): readonly Leaf[] {
  if (answer === null || answer === undefined) return [];
  if (Array.isArray(answer)) return answer.flatMap((entry) => leaves(entry, coordinate));
  if (typeof answer !== 'object') return [{ coordinate, value: answer }];
  return Object.entries(answer).flatMap(([key, value]) => {
    if (key === '__typename') return [{ coordinate: `${coordinate}.__typename`, value }];
    const [type, field] = key.split('__');
    return leaves(value, type && field ? `${type}.${field}` : coordinate);
  });
}

/** Every coordinate of an object type's field that can be reached from the root of an operation. */
export function reachable(operation: Operation, args: Arguments): ReadonlySet<string> {
  const text = walks(operation, args)
    .map(({ document }) => document)
    .join(' ');
  return new Set(
    [...text.matchAll(/\b([A-Za-z\d]+)__([A-Za-z\d]+)__\d+:/g)].map(([, type, field]) => `${type}.${field}`),
  );
}

function argumentsOf(
  coordinate: string,
  field: GraphQLField<unknown, unknown>,
  args: Arguments,
): readonly Variables[] {
  const given = field.args.length === 0 ? [{}] : args(coordinate, field.args);
  for (const one of given) {
    const missing = field.args.filter((arg) => isRequiredArgument(arg) && !(arg.name in one));
    if (missing.length > 0) {
      throw new Error(`${coordinate} is new here: give it ${missing.map(({ name }) => name).join(', ')}`);
    }
  }
  return given;
}

class Asked {
  readonly declared: string[] = [];
  readonly variables: Record<string, unknown> = {};
  readonly #args: Arguments;
  readonly #isAsked: IsAsked;

  constructor(args: Arguments, isAsked: IsAsked) {
    this.#args = args;
    this.#isAsked = isAsked;
  }

  field(
    parent: GraphQLObjectType,
    field: GraphQLField<unknown, unknown>,
    given: Variables,
    variant: number,
    path: readonly string[],
  ): string {
    const passed = Object.entries(given).map(([name, value]) => {
      const type = field.args.find((arg) => arg.name === name)?.type;
      const variable = `v${this.declared.length}`;
      this.declared.push(`$${variable}: ${type}`);
      this.variables[variable] = value;
      return `${name}: $${variable}`;
    });
    const list = passed.length > 0 ? `(${passed.join(', ')})` : '';
    const selection = this.#all(getNamedType(field.type), path);
    return `${parent.name}__${field.name}__${variant}: ${field.name}${list} ${selection}`;
  }

  /** All fields of a type, but for what would lead back to where one has come from. */
  #all(type: GraphQLNamedType, path: readonly string[]): string {
    if (isLeafType(type)) return '';
    const isNextToRoot = path.length === 1;
    const parts = objectsOf(type).map((object) => {
      const fields = path.includes(object.name)
        ? []
        : Object.values(object.getFields()).filter(
            ({ name }) => !isNextToRoot || this.#isAsked(`${object.name}.${name}`),
          );
      const selections = fields.flatMap((field) =>
        argumentsOf(`${object.name}.${field.name}`, field, this.#args).map((given, variant) =>
          this.field(object, field, given, variant, [...path, object.name]),
        ),
      );
      return `... on ${object.name} { __typename ${selections.join(' ')} }`;
    });
    return `{ ${parts.join(' ')} }`;
  }
}
