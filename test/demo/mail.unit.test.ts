import { describe, expect, it } from 'vitest';
import { htmlToText } from '../../demo/html.ts';
import { decodeMail, loadMails, maxTextLength } from '../../demo/mail.ts';

const base64 = (text: string, encoding: BufferEncoding = 'utf8') =>
  Buffer.from(text, encoding).toString('base64');
const mail = (...lines: string[]) => ['From: Ann <ann@example.org>', 'Subject: Hello', ...lines].join('\n');

describe('decodeMail', () => {
  it('reads the headers, past an mbox line, with encoded words and folded lines', async () => {
    const raw = [
      'From bounce@example.org  Thu Aug 22 12:36:23 2002',
      'Received: from a by b',
      'From: =?iso-8859-1?Q?J=F6rg?= <j@example.org>',
      'Subject: =?utf-8?B?R3LDvMOfZQ==?= from',
      '\tBerlin',
      '',
      'Hi.',
    ].join('\n');
    expect(await decodeMail(raw)).toEqual({
      subject: 'Grüße from Berlin',
      from: 'Jörg <j@example.org>',
      text: 'Hi.',
    });
  });

  it('decodes quoted-printable by its character set', async () => {
    const raw = mail(
      'Content-Type: text/plain; charset=windows-1252',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'It=92s 5=80, a soft=',
      ' break',
    );
    expect((await decodeMail(raw)).text).toBe('It’s 5€, a soft break');
  });

  it('decodes base64 in an Asian character set', async () => {
    const raw = mail(
      'Content-Type: text/plain; charset=gb2312',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from([0xc4, 0xe3, 0xba, 0xc3]).toString('base64'),
    );
    expect((await decodeMail(raw)).text).toBe('你好');
  });

  it('prefers the plain part of an alternative, and leaves attachments out', async () => {
    const raw = mail(
      'Content-Type: multipart/mixed; boundary=outer',
      '',
      '--outer',
      'Content-Type: multipart/alternative; boundary=inner',
      '',
      '--inner',
      'Content-Type: text/plain',
      '',
      'The plain words, which are quite enough for anybody who wants to know what this mail is about.',
      '--inner',
      'Content-Type: text/html',
      '',
      '<p>The <b>rich</b> words.</p>',
      '--inner--',
      '--outer',
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      '',
      base64('secret attachment'),
      '--outer--',
    );
    const { text } = await decodeMail(raw);
    expect(text).toMatch(/^The plain words/);
    expect(text).not.toMatch(/rich|secret|inner|outer/);
  });

  it('takes the HTML where the plain part says nothing', async () => {
    const raw = mail(
      'Content-Type: multipart/alternative; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'Get a better mail program.',
      '--b',
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      base64('<p>Everything that the sender wanted to say, and a café.</p>'),
      '--b--',
    );
    expect((await decodeMail(raw)).text).toBe('Everything that the sender wanted to say, and a café.');
  });

  it('finds HTML that is declared plain, but leaves a talk about tags alone', async () => {
    const page = mail('Content-Type: text/plain', '', '<HTML><BODY>Buy<br>now</BODY></HTML>');
    expect((await decodeMail(page)).text).toBe('Buy\nnow');
    const talk = mail('', 'I would write <br> and then', 'close the <p> tag.');
    expect((await decodeMail(talk)).text).toBe('I would write <br> and then\nclose the <p> tag.');
  });

  it('keeps characters that the corpus has decoded already, and marks lost ones once', async () => {
    const raw = mail(
      'Content-Type: text/plain; charset=iso-8859-1',
      '',
      'now\ufffds the time — \ufffd\ufffd\ufffd 你好',
    );
    expect((await decodeMail(raw)).text).toBe('now\ufffds the time — \ufffd你好');
  });

  it('shows something of broken MIME, of a bare picture, and of nothing', async () => {
    const broken = mail('Content-Type: multipart/mixed; boundary=never', '', 'Words without a boundary.');
    expect((await decodeMail(broken)).text).toBe('Words without a boundary.');
    const picture = mail('Content-Type: text/html', '', '<img src="http://example.org/x.gif">');
    expect((await decodeMail(picture)).text).toBe('[image]');
    expect(await decodeMail('')).toEqual({ subject: '', from: '', text: '' });
  });

  it('tidies spaces and cuts long texts at a word', async () => {
    const { text: tidied } = await decodeMail(mail('', 'a\t\tb  c   ', '', '', '', 'd\u00a0e\u0007'));
    expect(tidied).toBe('a b c\n\nd e');
    const { text } = await decodeMail(mail('', 'word '.repeat(2_000)));
    expect(text.length).toBeLessThanOrEqual(maxTextLength);
    expect(text).toMatch(/word…$/);
  });
});

describe('htmlToText', () => {
  it('keeps lines, paragraphs, items and alternative texts; drops scripts, styles and comments', () => {
    const source = `<html><head><title>T</title><style>p{}</style></head><body>
      <h1>Big&nbsp;news</h1><p>One<br>two
      three</p><ul><li>a<li>b</ul><script>if (a < b) x()</script>
      <!-- hidden -->V<!-- split -->iagra &#8364;5 &copy <img alt="logo" src=x><table><tr><td>1<td>2<tr><td>3</table></body>`;
    expect(htmlToText(source).replace(/[\u00a0 ]+/g, ' ')).toBe(
      'Big news\n\nOne\ntwo three\n\n• a\n• b\n\nViagra €5 © [logo] \n\n1 2\n3',
    );
    expect(htmlToText('<p>a</p><iframe>x</iframe><br><p> b</p>\n')).toBe('a\n\n\nb');
  });
});

describe('loadMails', () => {
  it('gives some mails of the real corpus, each once, under keys that do not tell the label', async () => {
    const mails = await loadMails({ every: 100 });
    expect(mails.length).toBeGreaterThan(50);
    expect(new Set(mails.map(({ key }) => key)).size).toBe(mails.length);
    expect(new Set(mails.map(({ label }) => label))).toEqual(new Set(['spam', 'ham']));
    for (const { key, group, label } of mails) {
      expect(key).toMatch(/^[0-9a-f]{16}$/);
      expect(group.startsWith('spam')).toBe(label === 'spam');
    }
    expect(await loadMails({ every: 100 })).toEqual(mails);
  });
});
