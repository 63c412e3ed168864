import { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

// A server whose tools change, hang and fail as a test wants it; what happens in it goes to the address in its first argument.
const [, , eventsUrl = '', mode = 'serve', echoes = 'Gives back what it got.'] = process.argv;
const object = { type: 'object' };

async function tell(event) {
  await fetch(eventsUrl, { method: 'POST', body: JSON.stringify({ event, pid: process.pid }) });
}

const text = (words) => ({ content: [{ type: 'text', text: words }] });
const descriptions = { hang: 'Waits until it is told to end.', echo: echoes };

function createServer() {
  const server = new Server(
    { name: 'own', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );
  server.setRequestHandler('tools/list', () => ({
    tools: [
      { name: 'hang', description: descriptions.hang, inputSchema: object, annotations: { title: 'Hang' } },
      {
        name: 'describe',
        description: 'Changes the description of a tool, `hang` if none is named.',
        inputSchema: object,
      },
      { name: 'fail', description: 'Fails.', inputSchema: object },
      { name: 'refuse', description: 'Answers with an error.', inputSchema: object },
      { name: 'echo', description: descriptions.echo, inputSchema: object },
      { name: 'bad name/here', description: 'Has a name that models cannot say.', inputSchema: object },
    ],
  }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const { name, arguments: args, _meta } = params;
    switch (name) {
      case 'hang':
        await tell('hangs');
        await new Promise((resolve) => context.mcpReq.signal.addEventListener('abort', resolve));
        await tell('cancelled');
        return text('cancelled');
      case 'describe':
        descriptions[args?.['tool'] ?? 'hang'] = String(args?.['description']);
        await server.sendToolListChanged();
        return text('done');
      case 'fail':
        return { ...text(`no: ${process.env['API_KEY'] ?? ''}`), isError: true };
      case 'refuse':
        throw new Error('refused');
      default:
        return text(JSON.stringify({ name, args, _meta, env: process.env }));
    }
  });
  return server;
}

void tell('started');
serveStdio(createServer, { legacy: mode === 'reject' ? 'reject' : 'serve' });
