import { startDevServer } from '../../src/adapters/temporal/dev-server.js';
import { isPortFree } from '../../src/adapters/temporal/free-port.js';

// A process that has a dev server, for tests that end it. Arguments: the binary and a directory.
const [, , binary = '', dir = ''] = process.argv;
const server = await startDevServer({
  binary,
  dbFile: `${dir}/temporal.db`,
  logFile: `${dir}/temporal.log`,
  headless: true,
});
const [ip = '', port = ''] = server.address.split(':');
process.once('SIGINT', () => {
  void (async () => {
    const serving = !(await isPortFree(ip, Number(port)));
    await server.stop();
    console.log(serving ? 'the server was still up' : 'the server was gone');
  })();
});
console.log(server.pid);
