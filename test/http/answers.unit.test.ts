import { describe, expect, it } from 'vitest';
import { Answers } from '../../src/http/answers.ts';
import type { Viewer } from '../../src/service/access.ts';
import type { Concord } from '../../src/service/concord.ts';

const KB = 1024;
const SHARE = 1_000 * KB;
const viewer = (member: string): Viewer => ({ member, token: `token of ${member}`, expires: null });

/** Answers over payloads of given sizes: a place's index is its size in KB. */
function answers(waitMs = 40) {
  const parsed: number[] = [];
  const payloads = {
    json: async ({ index }: { index: number }) => {
      parsed.push(index);
      return Buffer.from(JSON.stringify('x'.repeat(index * KB - 2)));
    },
  };
  const all = new Answers({ payloads } as unknown as Concord, { bytes: 4 * SHARE, waitMs });
  return { all, begin: (name: string | null) => all.begin(name === null ? null : viewer(name)) };
}
const place = (kb: number) => ({ chunk: 'chunk', index: kb });
const code = (code: string) => ({ extensions: { code } });

describe('what answers hold', () => {
  it('is counted as often as it is answered with, and parsed once', async () => {
    const answer = answers().begin('anna');
    const [one, two] = await Promise.all([answer.payload(place(400)), answer.payload(place(400))]);
    expect(one).toBe(two);
    await expect(answer.payload(place(400))).rejects.toMatchObject(code('ANSWER_TOO_LARGE'));
    // What else it asks for fails alike, at once.
    await expect(answer.payload(place(1))).rejects.toMatchObject(code('ANSWER_TOO_LARGE'));
    answer.end();
  });

  it('counts lists and objects by what they take when parsed', async () => {
    const json = Buffer.from(`[${Array.from({ length: 30_000 }, () => '{}').join()}]`);
    const concord = { payloads: { json: async () => json } } as unknown as Concord;
    const answer = new Answers(concord, { bytes: 4 * SHARE }).begin(viewer('anna'));
    expect(json.length).toBeLessThan(100 * KB);
    await expect(answer.payload(place(1))).rejects.toMatchObject(code('ANSWER_TOO_LARGE'));
    answer.end();
  });

  it('is a member’s share at most, over all their answers; others have their own', async () => {
    const { begin } = answers();
    const first = begin('anna');
    await first.payload(place(700));
    (await first.enter(1))();
    const second = begin('anna');
    await expect(second.payload(place(400))).rejects.toMatchObject(code('BUSY'));
    const ben = begin('ben');
    await ben.payload(place(700));
    const nobody = begin(null);
    await nobody.payload(place(700));
    for (const answer of [first, second, ben, nobody]) answer.end();
  });

  it('waits for what has not been read yet', async () => {
    const { begin } = answers(5_000);
    const first = begin('anna');
    await first.payload(place(700));
    (await first.enter(1))();
    const second = begin('anna');
    const waiting = second.payload(place(700));
    setTimeout(() => first.end(), 20);
    await expect(waiting).resolves.toHaveLength(700 * KB - 2);
    second.end();
  });

  it('is filled one answer after the other, so that none holds what another waits for', async () => {
    const { begin } = answers(5_000);
    const open = Array.from({ length: 8 }, () => begin('anna'));
    await Promise.all(
      open.map(async (answer) => {
        for (let i = 0; i < 9; i++) await Promise.all([answer.payload(place(50)), answer.payload(place(49))]);
        answer.end();
      }),
    );
  });

  it('is given back at the end, by whoever waits too', async () => {
    const { begin } = answers(5_000);
    const first = begin('anna');
    await first.payload(place(900));
    const second = begin('anna');
    const waiting = second.payload(place(900));
    await new Promise((resolve) => setTimeout(resolve, 10));
    second.end();
    await expect(waiting).rejects.toThrow();
    await expect(second.payload(place(1))).rejects.toThrow('Nobody waits');
    first.end();
    const third = begin('anna');
    await third.payload(place(900));
    third.end();
  });

  it('is let go of between the pushes of a stream', async () => {
    const answer = answers().begin('anna');
    for (let i = 0; i < 5; i++) {
      await answer.payload(place(900));
      answer.letGo();
    }
    answer.end();
  });

  it('has costly operations executed one at a time', async () => {
    const { begin } = answers(5_000);
    const [first, second, small] = [begin('anna'), begin('ben'), begin('cleo')];
    const leave = await first.enter(6_000);
    let isIn = false;
    const entering = second.enter(6_000).then((leaveSecond) => {
      isIn = true;
      leaveSecond();
    });
    (await small.enter(10))();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isIn).toBe(false);
    leave();
    await entering;
    for (const answer of [first, second, small]) answer.end();
  });
});
