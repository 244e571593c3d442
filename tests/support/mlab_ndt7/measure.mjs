// Runs M-Lab's own NDT7 client (npm @m-lab/ndt7) in Node against one server, both directions, and prints what it says
// as one line of JSON. Usage: node measure.mjs MODULES_FOLDER HOST:PORT [ws|wss] [both|download|upload]
//
// The client is made for browsers: it wants a Worker and a WebSocket. The Worker below is its worker file in a context
// of its own; the WebSocket is the one of npm ws. Certificates beyond the system's come by NODE_EXTRA_CA_CERTS.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import vm from 'node:vm';

const [modules, server, protocol = 'ws', directions = 'both'] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), 'package.json'));
const { WebSocket } = require('ws');
const ndt7 = require('@m-lab/ndt7');
const workers = path.dirname(require.resolve('@m-lab/ndt7'));

globalThis.Worker = class {
  constructor(file) {
    this.sockets = [];
    const sockets = this.sockets;
    const Remembered = class extends WebSocket {
      constructor(...words) {
        super(...words);
        sockets.push(this);
      }
    };
    const self = {};
    const postMessage = (data) => this.onmessage({ data });
    this.self = self;
    const context = vm.createContext({ self, postMessage, WebSocket: Remembered, performance, setTimeout, Uint8Array });
    vm.runInContext(fs.readFileSync(path.join(workers, file), 'utf8'), context, { filename: file });
  }

  postMessage(data) {
    setImmediate(() => this.self.onmessage({ data }));
  }

  terminate() {
    this.sockets.forEach((socket) => socket.terminate());
  }
};

const config = { userAcceptedDataPolicy: true, server, protocol, metadata: { client_name: 'mektep-meter-tests' } };
const result = { code: 0, errors: [] };
const callbacks = { error: (error) => result.errors.push(String(error)) };
for (const direction of ['download', 'upload']) {
  const seen = { server_messages: 0, client_messages: 0 };
  callbacks[`${direction}Measurement`] = ({ Source }) => (seen[`${Source}_messages`] += 1);
  callbacks[`${direction}Complete`] = ({ LastClientMeasurement, LastServerMeasurement }) => {
    const tcp = LastServerMeasurement?.TCPInfo;
    const acknowledged = direction === 'download' ? tcp?.BytesAcked : tcp?.BytesReceived;
    result[direction] = {
      ...seen,
      client_mbps: LastClientMeasurement?.MeanClientMbps ?? null,
      server_mbps: tcp === undefined ? null : (8 * acknowledged) / tcp.ElapsedTime,
      last_server_measurement: LastServerMeasurement ?? null,
    };
  };
}

const urls = ndt7.discoverServerURLs(config, callbacks);
if (directions !== 'upload') result.code += await ndt7.downloadTest(config, callbacks, urls);
if (directions !== 'download') result.code += await ndt7.uploadTest(config, callbacks, urls);
// As M-Lab states them: download as the client counted it, upload as the server received it.
result.download_mbps = result.download?.client_mbps ?? null;
result.upload_mbps = result.upload?.server_mbps ?? null;
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(result.code === 0 ? 0 : 1);
