// What both programs that ask @sigstore/verify have in common: the claim about the artifact, and how they answer.
'use strict';

const crypto = require('node:crypto');

const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
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

// Stops with the given status. A message of several lines is kept whole.
function stop(status, error) {
  process.stderr.write(`${error.code ?? error.name}: ${error.message}\n`);
  process.exit(status);
}

// Exit status: 0 accepted; 1 refused, with "CODE: message" on stderr; 2 misuse, or a library that is not there.
function answer(readArguments, verify) {
  let request;
  try {
    request = readArguments(process.argv.slice(2));
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

module.exports = { answer, requireSubject };
