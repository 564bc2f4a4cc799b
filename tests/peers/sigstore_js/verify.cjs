// Asks @sigstore/verify whether a key-signed Sigstore bundle is good.
//
//   node verify.cjs [--envelope-only] [--trusted-root FILE] [--timestamps N] BUNDLE ARTIFACT PUBKEY.pem
//
// A message-signature bundle must carry a signature over ARTIFACT. A DSSE bundle must carry a signature over its
// envelope, and its in-toto statement must name the SHA-256 of ARTIFACT, unless --envelope-only is given.
// The one trusted key answers only to its own hint: base64 of the SHA-256 of its SubjectPublicKeyInfo.
// No log entry is demanded, and no timestamp unless --timestamps says how many; but @sigstore/verify checks
// whatever the bundle does carry, and needs --trusted-root to know the authorities behind it.
//
// Exit status: 0 accepted; 1 refused, with "CODE: message" on stderr; 2 misuse.
// The caller sets NODE_PATH to a node_modules with @sigstore/verify, @sigstore/bundle and @sigstore/protobuf-specs.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { parseArgs } = require('node:util');

const { answer, requireSubject } = require('./answering.cjs');

const NO_AUTHORITIES = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };

class Misuse extends Error {}

// Reads the command line into { bundle, artifact, publicKey, trustedRoot, timestamps, envelopeOnly }.
function readArguments(argv) {
  const options = {
    'envelope-only': { type: 'boolean', default: false },
    'trusted-root': { type: 'string' },
    timestamps: { type: 'string', default: '0' },
  };
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  if (positionals.length !== 3) {
    throw new Misuse(`expected BUNDLE ARTIFACT PUBKEY.pem, got ${positionals.length} arguments`);
  }
  if (!/^\d+$/.test(values.timestamps)) throw new Misuse('--timestamps takes a whole number');
  const [bundle, artifact, publicKey] = positionals;
  return {
    bundle: fs.readFileSync(bundle, 'utf8'),
    artifact: fs.readFileSync(artifact),
    publicKey: crypto.createPublicKey(fs.readFileSync(publicKey)),
    trustedRoot: values['trusted-root'] && JSON.parse(fs.readFileSync(values['trusted-root'], 'utf8')),
    timestamps: Number(values.timestamps),
    envelopeOnly: values['envelope-only'],
  };
}

// Trust in one key, plus whatever authorities the trusted root names.
function trustIn(publicKey, trustedRoot) {
  const { toTrustMaterial } = require('@sigstore/verify');
  const { TrustedRoot } = require('@sigstore/protobuf-specs');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const hint = crypto.createHash('sha256').update(spki).digest('base64');
  const root = trustedRoot ? TrustedRoot.fromJSON(trustedRoot) : NO_AUTHORITIES;
  return toTrustMaterial(root, Object.assign(Object.create(null), { [hint]: { rawBytes: spki } }));
}

// Throws unless the bundle is good for the artifact under the key.
function verify({ bundle: text, artifact, publicKey, trustedRoot, timestamps, envelopeOnly }) {
  const { bundleFromJSON } = require('@sigstore/bundle');
  const { Verifier, toSignedEntity } = require('@sigstore/verify');
  const trust = trustIn(publicKey, trustedRoot);
  const bundle = bundleFromJSON(JSON.parse(text));
  const thresholds = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: timestamps };
  new Verifier(trust, thresholds).verify(toSignedEntity(bundle, artifact));
  if (bundle.content.$case === 'dsseEnvelope' && !envelopeOnly) {
    requireSubject(bundle.content.dsseEnvelope, artifact);
  }
}

answer(readArguments, verify);
