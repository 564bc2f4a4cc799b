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

const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const NO_AUTHORITIES = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };

class Misuse extends Error {}

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

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

// The library leaves the payload to its caller: the statement must name the artifact.
function requireSubject(envelope, artifact) {
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw new Refusal('PAYLOAD_ERROR', `payload type is ${envelope.payloadType}, not ${IN_TOTO_PAYLOAD_TYPE}`);
  }
  const digest = crypto.createHash('sha256').update(artifact).digest('hex');
  const { subject } = JSON.parse(envelope.payload.toString('utf8'));
  const named = (subject ?? []).some((entry) => entry.digest?.sha256 === digest);
  if (!named) throw new Refusal('SUBJECT_ERROR', `no subject has sha256 ${digest}`);
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

// Stops with the given status. A message of several lines is kept whole.
function stop(status, error) {
  process.stderr.write(`${error.code ?? error.name}: ${error.message}\n`);
  process.exit(status);
}

function main(argv) {
  let request;
  try {
    request = readArguments(argv);
    require.resolve('@sigstore/verify');
  } catch (error) {
    stop(2, error);
  }
  try {
    verify(request);
  } catch (error) {
    stop(1, error);
  }
}

main(process.argv.slice(2));
