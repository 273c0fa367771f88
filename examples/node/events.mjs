// Events as the contract has them: an envelope in the clear, and what happened.
import { randomBytes } from "node:crypto";

let last = 0n;

/** A UUID version 7 (RFC 9562), in strictly rising order: the identity of an event. */
export function newId() {
  const now = BigInt(Date.now()) << 12n;
  last = now > last ? now : last + 1n;
  const random = BigInt("0x" + randomBytes(8).toString("hex")) & ((1n << 62n) - 1n);
  const head = ((last >> 12n) << 16n) | 0x7000n | (last & 0xfffn);
  const hex = ((head << 64n) | (0b10n << 62n) | random).toString(16).padStart(32, "0");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function timestamp(milliseconds = Date.now()) {
  return { seconds: Math.floor(milliseconds / 1000), nanos: (milliseconds % 1000) * 1e6 };
}

/** Pain of a patient on the numeric rating scale, 0 to 10. */
export function painReport({ clinic, patient, device, consent, zone }, nprs) {
  return {
    envelope: {
      event_id: newId(),
      clinic_id: clinic,
      subject_id: patient,
      kind: "pain_report",
      schema_version: 1,
      occurred_at: timestamp(),
      zone,
      actor: { id: patient, role: "ROLE_PATIENT" },
      device_id: device,
      phi: true,
      consent_id: consent,
    },
    body: { pain_report: { nprs, phase: "PAIN_PHASE_POST" } },
  };
}
