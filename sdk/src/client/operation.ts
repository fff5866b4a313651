/** An operation of the service, as the generated functions hand it to a transport. */
export interface Operation {
  /** Its name in the document. */
  readonly name: string;
  /** A state is a subscription whose newest push is all that counts; a feed one whose every push does. */
  readonly kind: 'query' | 'mutation' | 'state' | 'feed';
  /** The fields from the root down to what its function gives. */
  readonly path: readonly string[];
  /** GraphQL text. */
  readonly document: string;
}

/** What a call or a stream may be given beside its input. */
export interface CallOptions {
  /** Gives up: the call rejects, or the stream throws, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Carries operations to the service. */
export interface Transport {
  call<T>(operation: Operation, variables: object, options?: CallOptions): Promise<T>;
  stream<T>(operation: Operation, variables: object, options?: CallOptions): AsyncIterable<T>;
}
