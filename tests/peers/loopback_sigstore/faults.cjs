// Faults of the loopback Sigstore, set while it runs: each service may be slow, gone, refusing, or talking nonsense.
//
//   PUT  /faults/SERVICE   {"kind": ..., "times": ...}   from now on, or for so many requests
//   DELETE /faults/SERVICE                               healthy again
//   GET  /requests                                       how often each service was asked, faults included
//
// A request is read to its end before anything goes wrong with its answer, so what a client sees does not depend on
// how much of it was under way.
'use strict';

const SERVICES = ['fulcio', 'rekor1', 'rekor2', 'tsa', 'tuf'];
const KINDS = ['slow', 'reset', 'refuse', 'cut', 'garbage', 'replay', 'trickle', 'flood'];
const GARBAGE = Buffer.from('\x00\xff{"half": [1, 2\n-----BEGIN CERTIFICATE-----\nAAAA', 'latin1');
const TRICKLE_MS = 100;
const FLOOD = Buffer.alloc(64 * 1024, ' ');

const delay = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const headersOf = ({ type, headers }) => ({ 'Content-Type': type, ...headers });

function send(response, reply) {
  response.writeHead(reply.status, headersOf(reply));
  response.end(reply.body);
}

function sendPieces(response, reply, piece, pause) {
  response.writeHead(reply.status, headersOf(reply));
  const more = () => {
    if (response.destroyed) return;
    response.write(piece, () => setTimeout(more, pause));
  };
  more();
}

// What each kind does to the reply that the service would have given; `last` is the one that it gave before.
const ACTIONS = {
  slow: async (response, reply, { seconds = 3600 }) => {
    await delay(seconds);
    send(response, reply);
  },
  reset: (response) => response.socket.resetAndDestroy(),
  refuse: (response, reply, { status = 503, type = 'application/json', body = { code: status, message: 'refused' }, headers }) =>
    send(response, { status, type, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }),
  cut: (response, reply) => {
    const whole = Buffer.from(reply.body);
    response.writeHead(reply.status, { ...headersOf(reply), 'Content-Length': whole.length });
    response.write(whole.subarray(0, whole.length >> 1), () => response.socket.end());
  },
  garbage: (response, reply, { body = GARBAGE }) => send(response, { ...reply, body }),
  replay: (response, reply, fault, last) => send(response, last ?? reply),
  trickle: (response, reply) => sendPieces(response, reply, ' ', TRICKLE_MS),
  flood: (response, reply) => sendPieces(response, reply, FLOOD, 0),
};

class Faults {
  constructor() {
    this.faults = {};
    this.last = {};
    this.requests = Object.fromEntries(SERVICES.map((service) => [service, 0]));
  }

  // Answers a request to the controls; undefined for any other.
  control(method, path, body) {
    if (`${method} ${path}` === 'GET /requests') {
      return { status: 200, type: 'application/json', body: JSON.stringify(this.requests) };
    }
    const [, service] = /^\/faults\/([a-z0-9]+)$/.exec(path) ?? [];
    if (!service) return undefined;
    if (!SERVICES.includes(service)) throw new Error(`no service ${service}: one of ${SERVICES}`);
    const fault = method === 'PUT' ? JSON.parse(body) : undefined;
    if (fault && !KINDS.includes(fault.kind)) throw new Error(`no fault ${fault.kind}: one of ${KINDS}`);
    this.faults[service] = fault;
    return { status: 204, type: 'text/plain', body: '' };
  }

  // Sends a service's reply, or what its fault makes of it.
  async deliver(response, service, reply) {
    const fault = this.#next(service);
    if (fault) return ACTIONS[fault.kind](response, reply, fault, this.last[service]);
    if (reply.status < 400) this.last[service] = reply;
    return send(response, reply);
  }

  #next(service) {
    this.requests[service] += 1;
    const fault = this.faults[service];
    if (fault?.times !== undefined && (fault.times -= 1) <= 0) this.faults[service] = undefined;
    return fault;
  }
}

module.exports = { Faults, send };
