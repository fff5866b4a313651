import type { IncomingMessage } from 'node:http';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  getOperationAST,
  type OperationTypeNode,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Context } from '../graphql/builder.ts';
import { Costs } from '../graphql/costs.ts';
import { overLimit, readDocument } from '../graphql/limits.ts';
import { schema } from '../graphql/schema.ts';
import type { Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { HeldAnswer } from './answers.ts';
import type { Faults } from './faults.ts';
import { DEFAULT_SERVER_LIMITS, Rates, type ServerLimits } from './serverLimits.ts';

/**
 * Documents that are kept, by the characters of their texts: clients send few, again and again. Parsed, a character
 * takes some 26 bytes: whoever sends ever new documents makes the service hold 26 MiB, and no more.
 */
const CACHED_CHARACTERS = 1024 * 1024;
/** An operation that comes so often is compiled: that takes as long as a hundred runs, and makes them all cheaper. */
const COMPILE_AFTER = 50;

/** A document, parsed and validated once for all who send it. */
export interface Prepared {
  /** Null if it cannot be parsed. */
  readonly document: DocumentNode | null;
  /** Why it cannot be run; empty if it can. */
  readonly errors: readonly GraphQLError[];
}

/** What is to be run, and for whom. */
export interface Run {
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  /** Null: nobody has said. */
  readonly viewer: Viewer | null;
  /** What the answer holds; whoever sends it ends it. */
  readonly answer: HeldAnswer;
}

/** How an operation of a document has been run so far. */
interface History {
  runs: number;
  /** Null: not compiled yet, or it cannot be. */
  compiled: CompiledQuery | null;
}

export interface OperationsOptions {
  readonly limits?: ServerLimits | undefined;
  /** Told of each that is turned away because its token sends too many. */
  readonly onLimited?: (() => void) | undefined;
  /** How often an operation is interpreted before it is compiled. */
  readonly compileAfter?: number | undefined;
}

/**
 * Queries and mutations, prepared and run the same whatever brings them. graphql-js interprets what is seldom
 * sent; what comes again and again is compiled by graphql-jit, which runs a submit in a third of the time.
 */
export class Operations {
  readonly #concord: Concord;
  readonly #faults: Faults;
  readonly #compileAfter: number;
  readonly #limits: ServerLimits;
  readonly #rates: Rates;
  readonly #onLimited: () => void;
  readonly #prepared = new LRUCache<string, Prepared>({
    maxSize: CACHED_CHARACTERS,
    sizeCalculation: (_, text) => text.length + 1,
  });
  readonly #costs = new Costs(schema);
  /** Why a request was turned away; null: it was admitted. */
  readonly #admitted = new WeakMap<IncomingMessage, unknown>();
  /** Of each document's operations, by their names. They go when the document does. */
  readonly #histories = new WeakMap<DocumentNode, Map<string, History>>();

  constructor(
    concord: Concord,
    faults: Faults,
    {
      compileAfter = COMPILE_AFTER,
      limits = DEFAULT_SERVER_LIMITS,
      onLimited = () => undefined,
    }: OperationsOptions = {},
  ) {
    this.#limits = limits;
    this.#rates = new Rates(limits.rate, () => concord.environment.monotonic());
    this.#onLimited = onLimited;
    this.#concord = concord;
    this.#faults = faults;
    this.#compileAfter = compileAfter;
  }

  prepare(text: string): Prepared {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const prepared =
      this.#limits.documents?.has(text) === false
        ? { document: null, errors: [untrusted()] }
        : readDocument(schema, text, this.#limits);
    this.#prepared.set(text, prepared);
    return prepared;
  }

  /**
   * What an operation of a document without errors costs.
   * @throws {GraphQLError} QUERY_TOO_COSTLY, QUERY_TOO_DEEP
   */
  cost(document: DocumentNode, operationName: Run['operationName'], variables: Run['variables']): number {
    const cost = this.#costs.of(document, operationName, variables);
    const problem = overLimit(cost, this.#limits);
    if (problem) throw problem;
    return cost.cost;
  }

  /**
   * Counts an operation against its token's rate.
   * @param request the request that asks for it: what one of the ways was asked first and another answers is counted once
   * @throws {GraphQLError} RATE_LIMITED
   */
  admit(viewer: Viewer | null, request?: IncomingMessage): void {
    if (viewer === null) return;
    const known = request && this.#admitted.get(request);
    if (known !== undefined) {
      if (known !== null) throw known;
      return;
    }
    try {
      this.#rates.take(viewer);
      if (request) this.#admitted.set(request, null);
    } catch (error) {
      if (request) this.#admitted.set(request, error);
      this.#onLimited();
      throw error;
    }
  }

  /**
   * Runs a query or a mutation of a document without errors, within its bounds. The answer's errors may be shown; without data,
   * nothing was run.
   */
  async execute(document: DocumentNode, run: Run): Promise<ExecutionResult> {
    let leave: () => void;
    try {
      leave = await run.answer.enter(this.cost(document, run.operationName, run.variables));
    } catch (error) {
      return { data: null, errors: [this.#faults.publicError(error)] };
    }
    try {
      return await this.#execute(document, run);
    } finally {
      leave();
    }
  }

  async #execute(document: DocumentNode, { operationName, variables, viewer, answer }: Run) {
    const context: Context = { concord: this.#concord, viewer, answer };
    const compiled = this.#compiled(document, operationName ?? '');
    let result = await compiled?.query(undefined, context, variables ?? {});
    // Without data, nothing was run: the variables do not fit, and graphql-js says best in which way.
    if (result === undefined || !('data' in result)) {
      result = await execute({
        schema,
        document,
        operationName: operationName ?? null,
        variableValues: variables ?? null,
        contextValue: context,
      });
    }
    if (result.errors === undefined) return result;
    return { ...result, errors: result.errors.map((error) => this.#faults.publicError(error)) };
  }

  #compiled(document: DocumentNode, operationName: string): CompiledQuery | null {
    let histories = this.#histories.get(document);
    if (histories === undefined) {
      histories = new Map();
      this.#histories.set(document, histories);
    }
    let history = histories.get(operationName);
    if (history === undefined) {
      history = { runs: 0, compiled: null };
      // A name that no operation has is none of the document's.
      if (kindOf(document, operationName) !== null) histories.set(operationName, history);
    }
    if (history.runs++ === this.#compileAfter) {
      const compiled = compileQuery(schema, document, operationName);
      if (isCompiledQuery(compiled)) history.compiled = compiled;
    }
    return history.compiled;
  }
}

function untrusted(): GraphQLError {
  const message = 'This service runs only the documents that it was started with: use those of its SDK.';
  const extensions = { code: 'UNTRUSTED_DOCUMENT', http: { spec: true, status: 400 } };
  return new GraphQLError(message, { extensions });
}

/** The kind of the operation that would be run; null if the document does not say which one that is. */
export function kindOf(document: DocumentNode, operationName?: string | null): OperationTypeNode | null {
  return getOperationAST(document, operationName || null)?.operation ?? null;
}
