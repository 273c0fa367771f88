// An enrolled device's access tokens: let in by its key, renewed ahead of their end.
import { createPrivateKey, randomBytes, sign } from "node:crypto";
import grpc from "@grpc/grpc-js";

const RENEW_AT = 0.8; // of a token's life
const DEADLINE_MS = 10_000;
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex"); // RFC 8410, before the 32 bytes

const part = (content) => Buffer.from(JSON.stringify(content)).toString("base64url");

export class Login {
  #refresh = "";
  #access = "";
  #renewAt = 0;

  /** `sessions` is a SessionService; `key` the 32 bytes of the device's Ed25519 private key. */
  constructor(sessions, deviceId, key) {
    this.sessions = sessions;
    this.deviceId = deviceId;
    this.key = createPrivateKey({
      key: Buffer.concat([PKCS8, key]),
      format: "der",
      type: "pkcs8",
    });
  }

  /** An access token that holds; fails when identity refuses or does not answer. */
  async token() {
    if (performance.now() < this.#renewAt) return this.#access;
    const began = performance.now();
    const { tokens } = await this.#tokens();
    const [, claims] = tokens.access_token.split(".");
    const { iat, exp } = JSON.parse(Buffer.from(claims, "base64url"));
    this.#access = tokens.access_token;
    this.#refresh = tokens.refresh_token;
    this.#renewAt = began + 1000 * RENEW_AT * (exp - iat);
    return this.#access;
  }

  /** A server refused the token: the next one is another. */
  refused() {
    this.#renewAt = 0;
  }

  async #tokens() {
    if (this.#refresh) {
      const refresh_token = this.#refresh;
      this.#refresh = ""; // worth one call; whatever comes of it, the key lets in again
      try {
        return await this.#call("RefreshSession", { refresh_token });
      } catch (error) {
        if (error.code !== grpc.status.UNAUTHENTICATED) throw error;
      }
    }
    return this.#call("LogInDevice", { assertion: this.#assertion() });
  }

  /** Lets the device in once, within a minute (RFC 7519, signed as RFC 9864 says). */
  #assertion() {
    const iat = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.deviceId,
      sub: this.deviceId,
      aud: "rehab",
      iat,
      exp: iat + 60,
      jti: randomBytes(16).toString("base64url"),
    };
    const told = `${part({ alg: "Ed25519", typ: "JWT" })}.${part(claims)}`;
    return `${told}.${sign(null, Buffer.from(told), this.key).toString("base64url")}`;
  }

  #call(method, request) {
    return new Promise((resolve, reject) => {
      const answered = (error, said) => (error ? reject(error) : resolve(said));
      this.sessions[method](request, { deadline: Date.now() + DEADLINE_MS }, answered);
    });
  }
}
