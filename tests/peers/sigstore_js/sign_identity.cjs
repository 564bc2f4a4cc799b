// Signs an artifact by an identity with @sigstore/sign, on the instance of a client trust configuration.
//
//   node sign_identity.cjs --trust-config FILE --token FILE --rekor-version 1|2 ARTIFACT BUNDLE
//
// Writes a bundle with a message signature, entered in the log of that version; with a timestamp where that log has no time.
// The caller sets NODE_PATH to a node_modules with @sigstore/sign and @sigstore/bundle.
'use strict';

const fs = require('node:fs');
const { parseArgs } = require('node:util');

const { bundleToJSON } = require('@sigstore/bundle');
const { FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } = require('@sigstore/sign');

async function main(argv) {
  const options = { 'trust-config': { type: 'string' }, token: { type: 'string' }, 'rekor-version': { type: 'string' } };
  const { values, positionals: [artifact, bundle] } = parseArgs({ args: argv, options, allowPositionals: true });
  const { signingConfig } = JSON.parse(fs.readFileSync(values['trust-config'], 'utf8'));
  const version = Number(values['rekor-version']);
  const log = signingConfig.rekorTlogUrls.find((service) => service.majorApiVersion === version);
  const token = fs.readFileSync(values.token, 'utf8');
  const witnesses = [new RekorWitness({ rekorBaseURL: log.url, majorApiVersion: version })];
  if (version === 2) witnesses.push(new TSAWitness({ tsaBaseURL: new URL(signingConfig.tsaUrls[0].url).origin }));
  const signer = new FulcioSigner({
    fulcioBaseURL: signingConfig.caUrls[0].url,
    identityProvider: { getToken: async () => token },
  });
  const made = await new MessageSignatureBundleBuilder({ signer, witnesses }).create({ data: fs.readFileSync(artifact) });
  fs.writeFileSync(bundle, JSON.stringify(bundleToJSON(made)));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n${error.cause?.stack ?? ''}\n`);
  process.exit(2);
});
