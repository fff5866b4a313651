import type { Writable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { Frame, tailOf } from '../../src/http/frame.ts';

/** The part of `ws` that reads; its types do not speak of it. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

/** What a client reads: the messages in the bytes. */
async function read(bytes: string): Promise<unknown[]> {
  const receiver = new Receiver({ isServer: false });
  const messages: unknown[] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    expect(isBinary).toBe(false);
    messages.push(JSON.parse(String(data)));
  });
  await new Promise<void>((resolve, reject) => {
    receiver.on('error', reject);
    receiver.on('finish', resolve);
    receiver.end(Buffer.from(bytes, 'latin1'));
  });
  return messages;
}

describe('a frame', () => {
  it('is read as the message that it stands for, whatever the payload and the ids are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.array(fc.string({ unit: 'grapheme' })), async (value, ids) => {
        const payload = { data: { value } };
        const frame = new Frame(payload);
        const bytes = ids.map((id) => frame.endingWith(tailOf(id))).join('');
        const expected = ids.map((id) => ({ type: 'next', payload, id }));
        expect(await read(bytes)).toEqual(JSON.parse(JSON.stringify(expected)));
        const parts = ids.flatMap((id) => frame.parts(tailOf(id)));
        expect(Buffer.concat(parts).toString('latin1')).toBe(bytes);
      }),
    );
  });

  it.each([0, 1, 2, 125, 126, 127, 0xffff, 0x1_0000, 300_000])(
    'has the right header at %i bytes more',
    async (n) => {
      for (const by of [-45, -44, -43, -42, 0]) {
        const payload = { data: { text: 'x'.repeat(Math.max(0, n + by)) } };
        expect(await read(new Frame(payload).endingWith(tailOf('1')))).toEqual([
          { type: 'next', payload, id: '1' },
        ]);
      }
    },
  );
});
