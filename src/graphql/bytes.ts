import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

/**
 * Bytes as base64 text. Numbers in bulk travel like this and never as JSON numbers, whose parsing costs more
 * than everything else together.
 */
export const BytesScalar = new GraphQLScalarType<Uint8Array, string>({
  name: 'Bytes',
  description: 'Bytes in base64. Numbers are little-endian.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc4648#section-4',
  serialize(value) {
    if (!(value instanceof Uint8Array)) throw new GraphQLError('Bytes are not a Uint8Array.');
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  },
  parseValue: parse,
  parseLiteral(node) {
    return parse(node.kind === Kind.STRING ? node.value : null);
  },
});

function parse(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw malformed('Bytes are given as a base64 text.');
  const bytes = Buffer.from(value, 'base64');
  // Node ignores what is no base64; what it has ignored is missing in the length.
  const unpadded = value.endsWith('==')
    ? value.length - 2
    : value.endsWith('=')
      ? value.length - 1
      : value.length;
  if (bytes.length !== Math.floor((unpadded * 3) / 4) || unpadded % 4 === 1) {
    throw malformed('Bytes are not valid base64.');
  }
  // In a buffer of its own, from its beginning: what is short was decoded into a pool that it shares with others.
  const isAlone = bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length;
  return isAlone ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}

/** With a code of its own: GraphQL's error for a malformed variable has none, and repeats all of its value. */
function malformed(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'INVALID_INPUT' } });
}
