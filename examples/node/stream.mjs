// usage: node stream.mjs [--address host:port] [--patient id] [--count n] [--protos folder] ...
// Streams pain reports and says, as JSON, what became of them.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { Device } from "./device.mjs";
import { painReport } from "./events.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values: told } = parseArgs({
  options: {
    address: { type: "string", default: "127.0.0.1:7101" },
    clinic: { type: "string", default: "clinic-1" },
    patient: { type: "string", default: "patient-1" },
    device: { type: "string", default: "node-1" },
    consent: { type: "string", default: "consent-1" },
    zone: { type: "string", default: "Europe/Berlin" },
    count: { type: "string", default: "200" },
    protos: { type: "string", default: join(here, "..", "..", "protos") },
  },
});

const contract = grpc.loadPackageDefinition(
  loadSync("rehab/ingest/v1/ingest_service.proto", {
    includeDirs: [told.protos, join(here, "include")],
    keepCase: true,
    longs: String,
    enums: String,
    oneofs: true,
  }),
);
const client = new contract.rehab.ingest.v1.IngestService(
  told.address,
  grpc.credentials.createInsecure(),
  { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 2000 },
);
const metadata = () => {
  const made = new grpc.Metadata({ waitForReady: true });
  made.set("authorization", `Bearer dev.patient.${told.clinic}.${told.patient}`);
  return made;
};

const device = new Device(client, metadata, told);
const events = Array.from({ length: Number(told.count) }, (_, n) => painReport(told, n % 11));
await device.send(events);
client.close();
console.log(
  JSON.stringify({
    ids: events.map((event) => event.envelope.event_id),
    acknowledged: device.acked,
    rejected: device.rejected.length,
    connections: device.connections,
  }),
);
