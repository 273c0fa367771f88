// A device's stream: events in, verdicts out, whatever happens to the connection.
import grpc from "@grpc/grpc-js";
import { timestamp } from "./events.mjs";

const PASSING = new Set([
  grpc.status.UNAVAILABLE,
  grpc.status.UNKNOWN,
  grpc.status.INTERNAL,
  grpc.status.CANCELLED,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.RESOURCE_EXHAUSTED,
]);
const FIRST_STRIDE = 64;
const READMISSIONS = 3; // new tokens shown in a row to a server that refuses them

export class Device {
  connections = 0;
  rejected = [];

  /** `metadata` is asked for anew before each call, and `refused` told when a server does not take
   * it. `maxBatch` bounds one message. */
  constructor(client, { metadata, refused }, { clinic, device, maxBatch = 20 }) {
    this.client = client;
    this.metadata = metadata;
    this.refused = refused;
    this.identity = { clinic_id: clinic, device_id: device };
    this.maxBatch = maxBatch;
    this.epoch = BigInt(Date.now()) * 1000n;
    this.acked = 0; // everything up to here has its verdict
    this.stride = FIRST_STRIDE; // how much a link carries before it may break; bad links get less
    this.token = "";
    this.waiting = []; // events after `acked`, in order
  }

  /** Settles when every event has its verdict; fails when the server refuses the device. */
  async send(events) {
    this.waiting.push(...events);
    for (let failures = 0; this.waiting.length > 0; ) {
      const before = this.acked;
      const pause = await this.#attempt(failures);
      failures = this.acked > before ? 0 : failures + 1;
      if (failures > 0) this.stride = Math.max(1, Math.floor(this.stride / 2));
      const backoff = Math.random() * Math.min(2000, 50 * 2 ** failures);
      await new Promise((resolve) => setTimeout(resolve, pause + backoff));
    }
  }

  /** One call with a new token where that helps: the pause that the server asked for. */
  async #attempt(failures) {
    try {
      return await this.#converse(await this.metadata());
    } catch (error) {
      const mended = error.code === grpc.status.UNAUTHENTICATED && failures < READMISSIONS;
      if (!mended && !PASSING.has(error.code)) throw error;
      if (mended) this.refused();
      return 0;
    }
  }

  /** One call, until it ends: the pause in milliseconds that the server asked for. */
  #converse(metadata) {
    return new Promise((resolve, reject) => {
      const call = this.client.StreamObservations(metadata);
      const link = { call, sent: this.acked, window: 0, heard: Promise.resolve(), pause: 0 };
      const end = (error) => {
        call.cancel();
        if (error && !PASSING.has(error.code)) reject(error);
        else resolve(link.pause);
      };
      // one message after the other: the answer to one may take a call of its own
      call.on("data", (message) => {
        link.heard = link.heard.then(() => this.#hear(link, message)).catch(end);
      });
      call.on("error", (error) => link.heard.then(() => end(error)));
      call.on("end", () => link.heard.then(() => end()));
      this.connections += 1;
      const { epoch, token: resume_token, acked: last_seq } = this;
      const device_time = timestamp();
      const hello = { ...this.identity, epoch: String(epoch), resume_token, last_seq, device_time };
      call.write({ hello });
    });
  }

  async #hear(link, message) {
    switch (message.content) {
      case "welcome": {
        const { acked_seq, window, resume_token } = message.welcome;
        await this.#ask(Number(acked_seq) - this.acked);
        link.sent = this.acked;
        link.window = window;
        this.token = resume_token;
        break;
      }
      case "ack":
        this.#settle(Number(message.ack.seq) - this.acked);
        this.token = message.ack.resume_token;
        break;
      case "reject":
        if (Number(message.reject.seq) > 0) this.rejected.push(message.reject);
        break;
      case "window":
        link.window = message.window.events;
        break;
      case "reconnect": {
        const { seconds, nanos } = message.reconnect.after ?? { seconds: 0, nanos: 0 };
        link.pause = Number(seconds) * 1000 + nanos / 1e6;
        link.window = 0;
        link.call.end();
        break;
      }
    }
    this.#write(link);
  }

  #write(link) {
    if (this.waiting.length === 0) {
      link.call.end();
      return;
    }
    for (;;) {
      const inFlight = link.sent - this.acked;
      const count = Math.min(this.maxBatch, Math.min(link.window, this.stride) - inFlight);
      const events = count > 0 ? this.waiting.slice(inFlight, inFlight + count) : [];
      if (events.length === 0) return;
      link.call.write({ batch: { first_seq: link.sent + 1, events } });
      link.sent += events.length;
    }
  }

  #settle(count) {
    if (count > 0) {
      this.waiting.splice(0, count);
      this.acked += count;
      this.stride = Math.min(FIRST_STRIDE, 2 * this.stride);
    }
  }

  /** Find out what became of events that were settled while the link broke. */
  async #ask(count) {
    const until = this.acked + count;
    while (this.acked < until) {
      const events = this.waiting.slice(0, Math.min(until - this.acked, this.stride));
      const metadata = await this.metadata();
      const answer = await new Promise((resolve, reject) => {
        const deadline = { deadline: Date.now() + 10_000 };
        const answered = (error, said) => (error ? reject(error) : resolve(said));
        this.client.LogEvents({ events }, metadata, deadline, answered);
      });
      for (const { failure } of answer.verdicts) if (failure) this.rejected.push({ failure });
      this.#settle(events.length);
    }
  }
}
