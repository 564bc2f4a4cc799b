// Asks @sigstore/verify whether a keyless Sigstore bundle is good: by this identity, of this issuer, and logged.
//
//   node verify_identity.cjs --trusted-root FILE --identity SAN --issuer URL BUNDLE ARTIFACT
//
// The certificate must lead to an authority of the trusted root and be in its certificate transparency log, one log
// entry and one time (of that entry, or of a timestamp authority) are demanded. The statement of a DSSE bundle must name
// the SHA-256 of ARTIFACT.
//
// Exit status: 0 accepted; 1 refused, with "CODE: message" on stderr; 2 misuse.
// The caller sets NODE_PATH to a node_modules with @sigstore/verify, @sigstore/bundle and @sigstore/protobuf-specs.
'use strict';

const fs = require('node:fs');
const { parseArgs } = require('node:util');

const { answer, requireSubject } = require('./answering.cjs');

const ONE_OF_EACH = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };

function readArguments(argv) {
  const options = { 'trusted-root': { type: 'string' }, identity: { type: 'string' }, issuer: { type: 'string' } };
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  if (positionals.length !== 2 || Object.keys(values).length !== 3) throw new Error('expected three options and two files');
  return {
    root: JSON.parse(fs.readFileSync(values['trusted-root'], 'utf8')),
    policy: { subjectAlternativeName: values.identity, extensions: { issuer: values.issuer } },
    bundle: JSON.parse(fs.readFileSync(positionals[0], 'utf8')),
    artifact: fs.readFileSync(positionals[1]),
  };
}

function verify({ root, policy, bundle: content, artifact }) {
  const { bundleFromJSON } = require('@sigstore/bundle');
  const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
  const { TrustedRoot } = require('@sigstore/protobuf-specs');
  const bundle = bundleFromJSON(content);
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(root)), ONE_OF_EACH);
  verifier.verify(toSignedEntity(bundle, artifact), policy);
  if (bundle.content.$case === 'dsseEnvelope') requireSubject(bundle.content.dsseEnvelope, artifact);
}

answer(readArguments, verify);
