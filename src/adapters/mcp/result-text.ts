import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client';

/** Text for what a server answered a call with. Bytes are described, not shown: a transcript holds text. */
export function resultText({ content, structuredContent }: CallToolResult): string {
  const parts = content.map(describe);
  // Servers that answer with structure repeat it as text for clients that know only text.
  if (structuredContent !== undefined && !content.some(isText)) parts.push(JSON.stringify(structuredContent));
  return parts.length === 0 ? '(no output)' : parts.join('\n');
}

function describe(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `(${block.type} of type ${block.mimeType}, ${sizeBytes(block.data)} bytes, not shown)`;
    case 'resource_link': {
      const about = [block.title ?? block.name, block.mimeType, block.description].filter(Boolean).join(', ');
      return `(a link to the resource ${block.uri}: ${about})`;
    }
    case 'resource': {
      const { resource } = block;
      const type = resource.mimeType === undefined ? '' : ` of type ${resource.mimeType}`;
      if ('text' in resource) return `(the resource ${resource.uri}${type})\n${resource.text}`;
      return `(the resource ${resource.uri}${type}, ${sizeBytes(resource.blob)} bytes, not shown)`;
    }
    default:
      return '(a part of a kind that is not known here, not shown)';
  }
}

function isText(block: ContentBlock): boolean {
  return block.type === 'text' || (block.type === 'resource' && 'text' in block.resource);
}

function sizeBytes(base64: string): number {
  return Buffer.byteLength(base64, 'base64');
}
