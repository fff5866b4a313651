/**
 * The client of a Concord service: {@link createClient}, the types of all it gives and takes, and what it throws.
 *
 * @module
 */
export { type Client, createClient } from './client.ts';
export * from './errors.ts';
export * from './generated/errors.ts';
export type { MutationName, Operations } from './generated/operations.ts';
export type * from './generated/schema.ts';
export type * from './generated/types.ts';
export type { ConnectionState } from './live.ts';
export type { CallOptions } from './operation.ts';
export type { ClientOptions, Token } from './options.ts';
export { allOf, type Page } from './pages.ts';
export type { RetryPolicy } from './retry.ts';
export type { Bytes, DateTime, JSONObject } from './scalars.ts';
export type { WebSocketConstructor, WebSocketLike } from './webSocket.ts';
