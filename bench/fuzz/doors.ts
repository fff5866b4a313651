import { FORMATS, FormatError } from '@concord/sdk/formats';
import { GraphQLError, OperationTypeNode } from 'graphql';
import { WebSocket } from 'ws';
import { Answers } from '../../src/http/answers.ts';
import { CommandError } from '../../src/http/command.ts';
import type { Faults } from '../../src/http/faults.ts';
import { numpyArrayIn } from '../../src/http/npy.ts';
import { kindOf, Operations } from '../../src/http/operations.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/http/serverLimits.ts';
import { authenticate } from '../../src/service/access.ts';
import type { Concord } from '../../src/service/concord.ts';
import { bent } from './mutation.ts';

/** What is attacked: a service in this process. */
export interface Target {
  readonly url: string;
  readonly token: string;
  readonly project: string;
  readonly concord: Concord;
  readonly faults: Faults;
}

/** A way in. An input goes through it; what it throws is a fault of ours. */
export interface Door {
  readonly name: string;
  /** Of all inputs, how many go through this door. */
  readonly share: number;
  readonly corpus: readonly string[];
  /** How many go through at a time. */
  readonly together: number;
  readonly enter: (input: string, roll: () => number) => Promise<void>;
  readonly close?: () => Promise<void>;
}

const KNOWN = /^[A-Z][A-Z_]+$/;

/** What graphql-js itself says of a value of the wrong kind, which has no code. */
const OF_GRAPHQL = /^(Variable|Argument) /;

/**
 * An answer is right if it has data, or errors that say what was wrong with what was sent.
 * @throws {Error} it has a fault of ours: one that is masked, or one that is not and says what broke within
 */
export function mustBeKnown(answer: unknown): void {
  const { errors = [] } = answer as {
    readonly errors?: readonly {
      readonly extensions?: { readonly code?: string };
      readonly message: string;
      readonly path?: readonly (string | number)[];
    }[];
  };
  for (const { extensions, message, path } of errors) {
    const code = extensions?.code;
    if (code === undefined && path !== undefined && !OF_GRAPHQL.test(message))
      throw new Error(`a fault that is not masked: ${message}`);
    if (code === 'INTERNAL_SERVER_ERROR') throw new Error(`a fault: ${message}`);
    if (code !== undefined && !KNOWN.test(code)) throw new Error(`no code of ours: ${code}`);
    if (typeof message !== 'string' || message === '') throw new Error('an error without a message');
  }
}

/** Whether a WebSocket that was closed with this code was closed for a fault of the service. */
export function isFaultCode(code: number): boolean {
  return code === 1011 || code === 4500;
}

/** GraphQL documents, prepared, weighed and run as every door of the service does it. */
export function documents(target: Target, corpus: readonly string[]): Door {
  const limits = { ...DEFAULT_SERVER_LIMITS, rate: 0 };
  const operations = new Operations(target.concord, target.faults, { limits });
  const answers = new Answers(target.concord);
  return {
    name: 'GraphQL documents',
    share: 0.3,
    corpus,
    together: 16,
    async enter(input) {
      const { document, errors } = operations.prepare(input);
      if (document === null || errors.length > 0) return;
      // Subscriptions go in by the other doors, which tell them apart first.
      const kind = kindOf(document);
      if (kind === null || kind === OperationTypeNode.SUBSCRIPTION) return;
      const viewer = await authenticate(target.concord, target.token);
      const answer = answers.begin(viewer);
      const variables = { project: target.project, id: target.project, first: 2, after: null };
      try {
        mustBeKnown(
          await operations.execute(document, { operationName: undefined, variables, viewer, answer }),
        );
      } catch (error) {
        if (!(error instanceof GraphQLError)) throw error;
      } finally {
        answer.end();
      }
    },
  };
}

/** Bodies of requests, with odd media types now and then. */
export function bodies({ url, token }: Target, corpus: readonly string[]): Door {
  const types = [
    'application/json',
    'application/graphql',
    'application/json; charset=utf-16',
    'x',
    'text/plain',
  ];
  const accepts = [
    'application/json',
    'application/graphql-response+json',
    '*/*',
    'text/event-stream',
    'x/y;q=2',
  ];
  return {
    name: 'HTTP bodies',
    share: 0.2,
    corpus,
    together: 16,
    async enter(input, roll) {
      const type = roll() % 8 === 0 ? types[roll() % types.length] : types[0];
      const accept = roll() % 8 === 0 ? accepts[roll() % accepts.length] : accepts[0];
      const abort = new AbortController();
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': type ?? '', accept: accept ?? '', authorization: `Bearer ${token}` },
        body: input,
        signal: abort.signal,
      });
      if (response.status >= 500) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
      if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
        abort.abort();
        return;
      }
      const text = await response.text();
      if (response.headers.get('content-type')?.includes('json')) mustBeKnown(JSON.parse(text));
    },
  };
}

/** Messages over one WebSocket after another, as text or bytes; a new one when the service closes it. */
export function frames({ url, token }: Target, corpus: readonly string[]): Door {
  let socket: WebSocket | null = null;
  let problem: Error | null = null;
  /** Goes on who waits until the service has read what was sent: it says so, or closes. */
  let wasRead = () => {};
  const open = async () => {
    const fresh = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve, reject) => {
      fresh.once('open', resolve);
      fresh.once('error', reject);
    });
    fresh.on('error', () => undefined);
    // What is sent before the token was looked at is not read: the service closes with 4401.
    const greeted = new Promise<void>((resolve, reject) => {
      fresh.once('message', () => resolve());
      fresh.once('close', (code) => reject(new Error(`closed with ${code} before anything was sent`)));
    });
    fresh.on('message', (data) => {
      try {
        const { type, payload } = JSON.parse(String(data)) as { type: string; payload?: unknown };
        if (type === 'next') mustBeKnown(payload);
        if (type === 'error') mustBeKnown({ errors: payload });
        if (type === 'pong') wasRead();
      } catch (error) {
        problem = error as Error;
      }
    });
    fresh.once('close', (code) => {
      if (isFaultCode(code)) problem = new Error(`closed with ${code}`);
      wasRead();
    });
    fresh.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    await greeted;
    return fresh;
  };
  const mustBeWell = () => {
    const found = problem;
    problem = null;
    if (found !== null) throw found;
  };
  return {
    name: 'WebSocket messages',
    share: 0.15,
    corpus,
    together: 1,
    async enter(input, roll) {
      if (socket === null || socket.readyState !== WebSocket.OPEN) {
        socket?.terminate();
        socket = await open();
      }
      const read = new Promise<void>((resolve) => {
        wasRead = resolve;
      });
      socket.send(roll() % 20 === 0 ? Buffer.from(input, 'latin1') : input);
      socket.send('{"type":"ping"}');
      await read;
      // Now and then, all that is under way may be answered.
      if (roll() % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      mustBeWell();
    },
    async close() {
      socket?.terminate();
    },
  };
}

/** Files as `concord import` and `concord try-strategy` read them. */
export function files(name: keyof typeof FORMATS, corpus: readonly string[]): Door {
  return {
    name: `${name} files`,
    share: 0.07,
    corpus,
    together: 1,
    async enter(input) {
      try {
        const pieces = async function* () {
          for (let at = 0; at < input.length || at === 0; at += 64) yield input.slice(at, at + 64);
        };
        for await (const { key } of FORMATS[name].read(pieces())) {
          if (typeof key !== 'string') throw new TypeError('a sample without a key');
        }
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    },
  };
}

/** Arrays as numpy saves them. */
export function arrays(corpus: readonly string[]): Door {
  return {
    name: '.npy files',
    share: 0.09,
    corpus,
    together: 1,
    async enter(input) {
      try {
        numpyArrayIn(Buffer.from(input, 'latin1'), 'a.npy');
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
      }
    },
  };
}

export interface Tried {
  readonly door: string;
  readonly inputs: number;
  readonly seconds: number;
  readonly faults: readonly { readonly input: string; readonly problem: string }[];
}

/** Sends so many inputs through a door: every tenth as it is in the corpus, the others bent. */
export async function attack(door: Door, inputs: number, roll: () => number): Promise<Tried> {
  const since = performance.now();
  const faults: { input: string; problem: string }[] = [];
  const one = async () => {
    const valid = door.corpus[roll() % door.corpus.length] ?? '';
    const input = roll() % 10 === 0 ? valid : bent(valid, door.corpus, roll);
    try {
      await door.enter(input, roll);
    } catch (error) {
      if (faults.length < 20) faults.push({ input, problem: String((error as Error).stack ?? error) });
    }
  };
  for (let done = 0; done < inputs; done += door.together) {
    await Promise.all(Array.from({ length: Math.min(door.together, inputs - done) }, one));
  }
  await door.close?.();
  return { door: door.name, inputs, seconds: (performance.now() - since) / 1_000, faults };
}
