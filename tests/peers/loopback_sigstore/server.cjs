// A whole Sigstore on one loopback port: Fulcio, Rekor v1 and v2, an RFC 3161 timestamp authority and a TUF mirror.
//
//   node server.cjs FOLDER [PORT]
//
// Keys are made afresh at each start. FOLDER receives trusted_root.json, root.json (the TUF root) and, once the
// server answers, trust_config.json: whoever waits for that last file need not wait for anything else.
// Port 0, the default, takes a free one. The server stops when its standard input ends, hence with its parent.
//
// It serves tests and benchmarks of clients, and nothing else: it believes any token, its logs hold one leaf, and
// a certificate's subject is always a URI. The caller sets NODE_PATH to where the npm packages are. What may go wrong
// with each service is set by faults.cjs.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const asn1js = require('asn1js');
const canonicalize = require('canonicalize');
const pkijs = require('pkijs');
const mock = require('@sigstore/mock');
const specs = require('@sigstore/protobuf-specs');
const { initializeTUFRepo, tufHandlers } = require('@tufjs/repo-mock');

const { Faults, send } = require('./faults.cjs');

const OPERATOR = 'sigstore.mock';
const TIMESTAMP_PATH = '/api/v1/timestamp';
const TIMESTAMP_POLICY = '1.3.6.1.4.1.57264.2';
const CLOCK_SKEW_MS = 60_000;

const sha256 = (content) => crypto.createHash('sha256').update(content).digest();
const newKeyPair = () => crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const json = (value, status = 201) => ({ status, type: 'application/json', body: JSON.stringify(value) });

// ---- The authorities ----------------------------------------------------------------------------------------

// Each log has its own origin (localhost, 127.0.0.1), because clients match a checkpoint to a log by host.
async function makeAuthorities(port) {
  const v1Url = `http://localhost:${port}`;
  const v2Url = `http://127.0.0.1:${port}`;
  const ctLog = await mock.initializeCTLog(newKeyPair());
  const tsa = await mock.initializeTSA(newKeyPair());
  // @sigstore/core rejects some fractions of a second in genTime.
  tsa.getCurrentTime = () => new Date(Math.floor(Date.now() / 1000) * 1000);
  return {
    v1Url,
    v2Url,
    ctLog,
    tsa,
    ca: await mock.initializeCA(newKeyPair(), ctLog),
    logV1: await mock.initializeTLog(v1Url, newKeyPair()),
    logV2: await mock.initializeTLog(v2Url, newKeyPair()),
  };
}

// ---- What clients are told to trust ---------------------------------------------------------------------------

function describeLog(log, baseUrl, start) {
  return {
    baseUrl,
    operator: OPERATOR,
    hashAlgorithm: specs.HashAlgorithm.SHA2_256,
    logId: { keyId: sha256(log.publicKey) },
    publicKey: {
      rawBytes: log.publicKey,
      keyDetails: specs.PublicKeyDetails.PKIX_ECDSA_P256_SHA_256,
      validFor: { start },
    },
  };
}

// A certificate comes as a Buffer or as an ArrayBuffer view, leaf first.
function describeAuthority(certificates, uri, start) {
  const rawBytes = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return {
    uri,
    operator: OPERATOR,
    subject: { commonName: 'sigstore', organization: OPERATOR },
    certChain: { certificates: certificates.map((certificate) => ({ rawBytes: rawBytes(certificate) })) },
    validFor: { start },
  };
}

function makeTrustedRoot({ ca, ctLog, tsa, logV1, logV2, v1Url, v2Url }, start) {
  return specs.TrustedRoot.toJSON({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    certificateAuthorities: [describeAuthority([ca.rootCertificate], v1Url, start)],
    timestampAuthorities: [describeAuthority([tsa.intCertificate, tsa.rootCertificate], v1Url, start)],
    ctlogs: [describeLog(ctLog, v1Url, start)],
    tlogs: [describeLog(logV1, v1Url, start), describeLog(logV2, v2Url, start)],
  });
}

function makeSigningConfig({ v1Url, v2Url }, start) {
  const service = (url, majorApiVersion) => ({
    url,
    majorApiVersion,
    operator: OPERATOR,
    validFor: { start: start.toISOString() },
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service(v1Url, 1)],
    oidcUrls: [service(v1Url, 1)],
    rekorTlogUrls: [service(v1Url, 1), service(v2Url, 2)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [service(v1Url + TIMESTAMP_PATH, 1)],
    tsaConfig: { selector: 'ANY' },
  };
}

// ---- Fulcio -----------------------------------------------------------------------------------------------------

// The mock reads the token from the body and the request for a certificate as PEM. sigstore-python sends the token
// as a bearer header, and base64 around the PEM.
function makeFulcio({ ca }) {
  const issue = mock.fulcioHandler(ca, { strict: true, subjectClaim: 'sub' });
  const answer = async (body, headers) => {
    const request = JSON.parse(body);
    request.credentials ??= { oidcIdentityToken: (headers.authorization ?? '').replace(/^Bearer /i, '') };
    if (request.certificateSigningRequest) {
      const decoded = Buffer.from(request.certificateSigningRequest, 'base64').toString();
      if (decoded.startsWith('-----BEGIN')) request.certificateSigningRequest = decoded;
    }
    const { statusCode, response, contentType } = await issue.fn(JSON.stringify(request));
    // The mock says 201, as version 1 of the interface did; version 2 says 200, and cosign takes nothing else.
    return { status: statusCode === 201 ? 200 : statusCode, type: contentType ?? 'text/plain', body: response };
  };
  return { [`POST ${issue.path}`]: answer };
}

// ---- Rekor ------------------------------------------------------------------------------------------------------

// Rekor v1 logs hashes of a DSSE envelope, not the envelope that it was sent; the mock would log the proposal.
function hashedDsseEntry({ apiVersion, spec: { proposedContent } }) {
  const envelope = JSON.parse(proposedContent.envelope);
  const digestOf = (content) => ({ algorithm: 'sha256', value: sha256(content).toString('hex') });
  return {
    apiVersion,
    kind: 'dsse',
    spec: {
      envelopeHash: digestOf(proposedContent.envelope),
      payloadHash: digestOf(Buffer.from(envelope.payload, 'base64')),
      signatures: envelope.signatures.map(({ sig }) => ({ signature: sig, verifier: proposedContent.verifiers[0] })),
    },
  };
}

// The canonical body that Rekor v2 logs for a hashedrekord; the hash follows from the kind of key.
function hashedRekordBody({ digest, signature }) {
  const [, bits] = /SHA_?(256|384|512)/.exec(signature.verifier.keyDetails) ?? [null, '256'];
  const hashedRekordV002 = { data: { algorithm: `SHA2_${bits}`, digest }, signature };
  return Buffer.from(canonicalize({ apiVersion: '0.0.2', kind: 'hashedrekord', spec: { hashedRekordV002 } }));
}

// Rekor v2 answers with the log entry of a bundle, which has no time: hence no integratedTime, unlike the mock's.
function v2Entry(log, canonicalizedBody) {
  const logID = sha256(log.publicKey);
  const proof = log.calculateInclusionProof({ body: canonicalizedBody, timestamp: 0, logID, logIndex: 0 });
  return {
    logIndex: '0',
    logId: { keyId: logID.toString('base64') },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    inclusionProof: {
      logIndex: '0',
      treeSize: '1',
      rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
      hashes: [],
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: canonicalizedBody.toString('base64'),
  };
}

// Rekor v1 writes the certificate or key anew: one line of base64, as the mock's Fulcio has it, becomes lines of 64.
function withCanonicalKey(entry) {
  const { publicKey } = entry.spec.signature;
  const pem = Buffer.from(publicKey.content, 'base64').toString();
  const canonical = pem.includes('BEGIN CERTIFICATE')
    ? new crypto.X509Certificate(pem).toString()
    : crypto.createPublicKey(pem).export({ type: 'spki', format: 'pem' });
  publicKey.content = Buffer.from(canonical).toString('base64');
  return entry;
}

function makeRekorV1({ logV1 }) {
  const add = async (body) => {
    const entry = JSON.parse(body);
    const logged = await logV1.log(entry.kind === 'dsse' ? hashedDsseEntry(entry) : withCanonicalKey(entry));
    // cosign looks the entry up by this header, which is its identifier.
    return { ...json(logged), headers: { ETag: Object.keys(logged)[0] } };
  };
  return { 'POST /api/v1/log/entries': add };
}

function makeRekorV2({ logV2 }) {
  const add = async (body) => {
    const { hashedRekordRequestV002 } = JSON.parse(body);
    if (!hashedRekordRequestV002) throw new Error('only hashedRekordRequestV002 is understood');
    return json(v2Entry(logV2, hashedRekordBody(hashedRekordRequestV002)));
  };
  return { 'POST /api/v2/log/entries': add };
}

// ---- RFC 3161 timestamps -----------------------------------------------------------------------------------------

// Answers a TimeStampReq in DER (RFC 3161 §2.4.1). The mock alone knows the JSON form and numbers as nonces; here
// the query's nonce of any length comes back, and each reply has its own serial number.
function stamp(tsa, der) {
  const view = der.buffer.slice(der.byteOffset, der.byteOffset + der.byteLength);
  const query = pkijs.TimeStampReq.fromBER(view);
  const forThisQuery = Object.create(tsa);
  forThisQuery.tstInfo = (request) => {
    const info = tsa.tstInfo({ ...request, nonce: 0 });
    info.nonce = query.nonce;
    info.serialNumber = new asn1js.Integer({ value: crypto.randomInt(1, 2 ** 31) });
    return info;
  };
  return forThisQuery.timestamp({
    artifactHash: Buffer.from(query.messageImprint.hashedMessage.valueBlock.valueHexView),
    hashAlgorithmOID: query.messageImprint.hashAlgorithm.algorithmId,
    policyOID: query.reqPolicy ?? TIMESTAMP_POLICY,
    certReq: Boolean(query.certReq),
  });
}

// sigstore-js asks in JSON, everyone else in DER.
function makeTimestampAuthority({ tsa }) {
  const fromJson = mock.tsaHandler(tsa, { strict: true });
  const answer = async (body) => {
    const isJson = body[0] === '{'.charCodeAt(0);
    const reply = isJson ? (await fromJson.fn(body.toString())).response : await stamp(tsa, body);
    return { status: 201, type: 'application/timestamp-reply', body: reply };
  };
  return { [`POST ${TIMESTAMP_PATH}`]: answer };
}

// ---- TUF ----------------------------------------------------------------------------------------------------------

// python-tuf rejects the fraction of a second that the repository would put into 'expires'.
function withoutFractions(action) {
  const original = Date.prototype.toISOString;
  Date.prototype.toISOString = function toISOString() {
    return original.call(this).replace(/\.\d+Z$/, 'Z');
  };
  try {
    return action();
  } finally {
    Date.prototype.toISOString = original;
  }
}

// Returns the routes of a repository with the two targets that clients look for, and its root metadata.
function makeTuf(trustedRoot, signingConfig) {
  const targets = [
    { name: 'trusted_root.json', content: JSON.stringify(trustedRoot) },
    { name: 'signing_config.v0.2.json', content: JSON.stringify(signingConfig) },
  ];
  const repository = withoutFractions(() => initializeTUFRepo(targets));
  const routes = {};
  for (const handler of tufHandlers(repository, { metadataPathPrefix: '' })) {
    routes[`GET ${handler.path}`] = async () => {
      const { statusCode, response, contentType } = await handler.fn();
      return { status: statusCode, type: contentType ?? 'application/octet-stream', body: response };
    };
  }
  return { routes, root: repository.rootMeta.toJSON() };
}

// ---- The server ----------------------------------------------------------------------------------------------------

async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function answer(routes, faults, request, response) {
  // Clients join paths to base addresses carelessly, so doubled slashes count as one.
  const place = request.url.replace(/\/+/g, '/').split('?')[0];
  const route = routes[`${request.method} ${place}`];
  let reply = { status: 404, type: 'text/plain', body: `nothing at ${request.method} ${place}` };
  try {
    const body = await readBody(request);
    if (route) reply = await route.run(body, request.headers);
    else reply = faults.control(request.method, place, body) ?? reply;
  } catch (error) {
    reply = { status: 400, type: 'text/plain', body: String(error.stack) };
  }
  if (reply.status >= 400) process.stderr.write(`${request.method} ${place}: ${reply.status} ${reply.body}\n`);
  if (route) await faults.deliver(response, route.service, reply);
  else send(response, reply);
}

// The routes of one service, so that a fault of the service finds them.
function routesOf(service, handlers) {
  return Object.fromEntries(Object.entries(handlers).map(([where, run]) => [where, { service, run }]));
}

// Writes a file so that nobody sees half of it.
function writeJson(folder, name, value) {
  const target = path.join(folder, name);
  fs.writeFileSync(`${target}.new`, JSON.stringify(value));
  fs.renameSync(`${target}.new`, target);
}

async function main([folder, wantedPort = '0']) {
  const routes = {};
  const faults = new Faults();
  const server = http.createServer((request, response) => answer(routes, faults, request, response));
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(Number(wantedPort), '127.0.0.1', resolve);
  });
  const start = new Date(Date.now() - CLOCK_SKEW_MS);
  const authorities = await makeAuthorities(server.address().port);
  const trustedRoot = makeTrustedRoot(authorities, start);
  const signingConfig = makeSigningConfig(authorities, start);
  const tuf = makeTuf(trustedRoot, signingConfig);
  const makers = { fulcio: makeFulcio, rekor1: makeRekorV1, rekor2: makeRekorV2, tsa: makeTimestampAuthority };
  const services = Object.entries(makers).map(([service, make]) => routesOf(service, make(authorities)));
  Object.assign(routes, routesOf('tuf', tuf.routes), ...services);
  writeJson(folder, 'trusted_root.json', trustedRoot);
  writeJson(folder, 'root.json', tuf.root);
  writeJson(folder, 'trust_config.json', {
    mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
    trustedRoot,
    signingConfig,
  });
  process.stdin.resume().on('end', () => process.exit(0));
}

if (process.argv.length < 3) {
  process.stderr.write('usage: node server.cjs FOLDER [PORT]\n');
  process.exit(2);
}
main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
