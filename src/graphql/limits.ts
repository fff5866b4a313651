import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
  visit,
} from 'graphql';
import type { Cost } from './costs.ts';

/**
 * What one operation may ask for, however it comes: bounds on its text, so that parsing and validating it is
 * cheap, and on what it costs to answer, so that no operation stops the others.
 */

/** The longest document, in lexical tokens. The introspection of tools has 200, the SDK's largest under 300. */
export const MAX_TOKENS = 4_000;
/** How often one response name, or fragments, may be selected in a document: validation compares each two. */
export const MAX_REPEATS = 200;
/** How deep fields may lie in each other. The introspection of tools goes to 14. */
export const MAX_DEPTH = 20;
/** What an operation may cost: a field costs 1, as often as its list has entries. It runs for a tenth of a second or two. */
export const MAX_COST = 100_000;

/** What a document and its operations may be. */
export interface DocumentLimits {
  /** Lexical tokens of a document. */
  readonly tokens: number;
  /** How deep fields may lie in each other. */
  readonly depth: number;
  /** What an operation may cost. */
  readonly cost: number;
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
}

export const DEFAULT_LIMITS: DocumentLimits = {
  tokens: MAX_TOKENS,
  depth: MAX_DEPTH,
  cost: MAX_COST,
  introspection: true,
};

/** A document, and why it cannot be run; without errors, it can. */
export interface Read {
  /** Null if it cannot be parsed. */
  readonly document: DocumentNode | null;
  readonly errors: readonly GraphQLError[];
}

/** Parses and validates a document within the bounds. */
export function readDocument(
  schema: GraphQLSchema,
  text: string,
  limits: DocumentLimits = DEFAULT_LIMITS,
): Read {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.tokens });
  } catch (error) {
    // The parser goes down into what is nested, and has come to the end of the stack.
    if (error instanceof RangeError) return { document: null, errors: [tooDeep(limits.tokens / 2, limits)] };
    if (!(error instanceof GraphQLError)) throw error;
    const isLong = error.message.includes('Parsing aborted');
    return { document: null, errors: [isLong ? tooLarge('tokens', limits.tokens) : error] };
  }
  const problem = tooMuch(document, limits);
  if (problem !== null) return { document, errors: [problem] };
  const rules = limits.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  return { document, errors: validate(schema, document, rules) };
}

/** What would make a document dear to validate. */
function tooMuch(document: DocumentNode, limits: DocumentLimits): GraphQLError | null {
  const fields = new Map<string, number>();
  let [spreads, depth, deepest] = [0, 0, 0];
  visit(document, {
    Field({ alias, name: { value } }) {
      const name = alias?.value ?? value;
      fields.set(name, (fields.get(name) ?? 0) + 1);
    },
    SelectionSet: {
      enter() {
        deepest = Math.max(deepest, ++depth);
      },
      leave() {
        depth--;
      },
    },
    FragmentSpread() {
      spreads++;
    },
  });
  // Between two fields, there may be an inline fragment.
  if (deepest > 2 * limits.depth) return tooDeep(deepest, limits);
  for (const [name, times] of fields) {
    if (times > MAX_REPEATS) return tooLarge(`fields that answer as "${name.slice(0, 40)}"`, MAX_REPEATS);
  }
  return spreads > MAX_REPEATS ? tooLarge('fragment spreads', MAX_REPEATS) : null;
}

function tooLarge(what: string, limit: number): GraphQLError {
  const message = `The document has more than ${limit} ${what}. Send it in several, and values as variables.`;
  return refusal(message, { code: 'OPERATION_TOO_LARGE', what, limit });
}

function tooDeep(depth: number, { depth: limit }: DocumentLimits): GraphQLError {
  const message = `The operation is ${depth} fields deep; the limit is ${limit}.`;
  return refusal(message, { code: 'QUERY_TOO_DEEP', depth, limit });
}

function refusal(message: string, details: Readonly<Record<string, unknown>>): GraphQLError {
  return new GraphQLError(message, { extensions: { ...details, http: { spec: true, status: 400 } } });
}

/** Why an operation may not be run; null if it may. */
export function overLimit(
  { cost, depth, introspections }: Cost,
  limits: DocumentLimits = DEFAULT_LIMITS,
): GraphQLError | null {
  const { cost: limit } = limits;
  if (depth > limits.depth) return tooDeep(depth, limits);
  if (introspections > 1) {
    const message = 'The operation asks for `__schema` more than once.';
    return refusal(message, { code: 'QUERY_TOO_COSTLY', cost, limit });
  }
  if (cost > limit) {
    const message = `The operation costs up to ${cost}; the limit is ${limit}. Ask for smaller pages, or for less at a time.`;
    return refusal(message, { code: 'QUERY_TOO_COSTLY', cost, limit });
  }
  return null;
}
