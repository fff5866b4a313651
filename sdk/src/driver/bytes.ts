/** What base64 the platform has: Node's Buffer, or the method that browsers have had since 2025. */
interface Platform {
  readonly Buffer?: {
    from(bytes: ArrayBufferLike, offset: number, length: number): { toString(encoding: 'base64'): string };
  };
}

/** So many bytes become text at a time where there is no other way: a multiple of 3, and few enough arguments. */
const STEP = 3 * 8_192;

/** Numbers as base64 of their little-endian bytes. */
export function base64(numbers: Float32Array | Uint32Array): string {
  const bytes = littleEndian(numbers);
  const { Buffer } = globalThis as Platform;
  if (Buffer) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  if ('toBase64' in bytes) return (bytes as Uint8Array & { toBase64(): string }).toBase64();
  let text = '';
  for (let at = 0; at < bytes.length; at += STEP) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + STEP)));
  }
  return text;
}

/** The float32 numbers of little-endian bytes in base64. */
export function floatsIn(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function littleEndian(numbers: Float32Array | Uint32Array): Uint8Array {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  if (IS_LITTLE_ENDIAN) return bytes;
  const turned = bytes.slice();
  for (let at = 0; at < turned.length; at += 4) turned.subarray(at, at + 4).reverse();
  return turned;
}
