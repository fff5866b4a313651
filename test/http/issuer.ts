import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

/** An identity provider on a port of its own: a discovery document, its keys, and tokens. */
export class Issuer {
  readonly #http: Server;
  readonly #keys = new Map<string, { readonly privateKey: CryptoKey; readonly shown: JWK }>();
  /** What was asked of it so far. */
  readonly asked: string[] = [];
  /** Answers 503 while it is. */
  isDown = false;
  /** The clock by which it signs, in milliseconds since 1970. */
  now: () => number = Date.now;
  /** What its discovery document says that it is called; null: what it is. */
  calledOtherwise: string | null = null;

  private constructor(http: Server) {
    this.#http = http;
    http.on('request', (request, response) => {
      this.asked.push(request.url ?? '');
      if (this.isDown) return response.writeHead(503).end();
      const body =
        request.url === '/keys'
          ? { keys: [...this.#keys.values()].map(({ shown }) => shown) }
          : { issuer: this.calledOtherwise ?? this.url, jwks_uri: `${this.url}/keys` };
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  static async start(): Promise<Issuer> {
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const issuer = new Issuer(http);
    await issuer.addKey('first');
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async addKey(kid: string, alg = 'ES256'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    this.#keys.set(kid, { privateKey, shown: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } });
  }

  removeKey(kid: string): void {
    this.#keys.delete(kid);
  }

  /** The public key as it is shown: what who confuses algorithms would sign with. */
  shown(kid: string): JWK {
    return this.#keys.get(kid)?.shown ?? {};
  }

  /**
   * A token for somebody, good for five minutes. What a claim is `undefined` for is left out.
   * @param key one of its keys, by which it is signed, and under which name; default: the first
   */
  async token(
    sub: string,
    claims: JWTPayload & Readonly<Record<string, unknown>> = {},
    { kid = 'first', alg = 'ES256' } = {},
  ): Promise<string> {
    const now = Math.floor(this.now() / 1_000);
    const payload = { iss: this.url, aud: 'concord', sub, iat: now, exp: now + 300, ...claims };
    const privateKey = this.#keys.get(kid)?.privateKey;
    if (privateKey === undefined) throw new Error(`no key ${kid}`);
    return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(privateKey);
  }

  close(): Promise<void> {
    this.#http.closeAllConnections();
    return new Promise((resolve) => this.#http.close(() => resolve()));
  }
}
