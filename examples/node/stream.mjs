// usage: node stream.mjs [--address host:port] [--patient id] [--count n] [--protos folder] ...
// Streams pain reports and says, as JSON, what became of them. With --key (a file with the 32 bytes
// of an enrolled device's key) it is let in by --identity, else by a development token.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Device } from "./device.mjs";
import { painReport } from "./events.mjs";
import { Login } from "./login.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: told } = parseArgs({
  options: {
    address: { type: "string", default: "127.0.0.1:7101" },
    identity: { type: "string", default: "127.0.0.1:7103" },
    key: { type: "string", default: "" },
    clinic: { type: "string", default: "clinic-1" },
    patient: { type: "string", default: "patient-1" },
    device: { type: "string", default: "node-1" },
    consent: { type: "string", default: "consent-1" },
    zone: { type: "string", default: "Europe/Berlin" },
    count: { type: "string", default: "200" },
    protos: { type: "string", default: join(here, "..", "..", "protos") },
  },
});

const services = ["rehab/ingest/v1/ingest_service.proto", "rehab/identity/v1/session_service.proto"];
const { rehab } = grpc.loadPackageDefinition(
  loadSync(services, {
    includeDirs: [told.protos, join(here, "include")],
    keepCase: true,
    longs: String,
    enums: String,
    oneofs: true,
  }),
);
const insecure = grpc.credentials.createInsecure();
const options = { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 2000 };
const client = new rehab.ingest.v1.IngestService(told.address, insecure, options);
const sessions = new rehab.identity.v1.SessionService(told.identity, insecure, options);
const login = told.key ? new Login(sessions, told.device, readFileSync(told.key)) : undefined;

const admission = {
  metadata: async () => {
    const made = new grpc.Metadata({ waitForReady: true });
    const token = (await login?.token()) ?? `dev.patient.${told.clinic}.${told.patient}`;
    made.set("authorization", `Bearer ${token}`);
    return made;
  },
  refused: () => login?.refused(),
};
const device = new Device(client, admission, told);
const events = Array.from({ length: Number(told.count) }, (_, n) => painReport(told, n % 11));
await device.send(events);
client.close();
sessions.close();
console.log(
  JSON.stringify({
    ids: events.map((event) => event.envelope.event_id),
    acknowledged: device.acked,
    rejected: device.rejected.length,
    connections: device.connections,
  }),
);
