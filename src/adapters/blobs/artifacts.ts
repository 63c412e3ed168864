import type { BlobPort } from '../../ports/blobs.js';
import type { ArtifactPort } from '../../ports/tools.js';

/**
 * Artifacts (whole tool results) kept as blobs; an artifact's id is the key of its UTF-8 bytes.
 * Offsets and lengths count UTF-16 units, as `String` does. A character of two units is never cut: it belongs to the page in
 * which it starts, so that page may be one unit longer than asked, and the next one starts behind it.
 */
export function createArtifacts(blobs: BlobPort): ArtifactPort {
  return {
    async put(text) {
      const bytes = Buffer.from(text, 'utf8');
      return { id: await blobs.put(bytes), sizeBytes: bytes.byteLength };
    },

    async read(id, { offset, length }) {
      const bytes = await blobs.get(id);
      if (bytes === null) return null;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
      return {
        text: text.slice(behindPair(text, offset), behindPair(text, offset + length)),
        totalChars: text.length,
      };
    },
  };
}

/** The index itself, or the one after it when it stands between the two halves of a character. */
function behindPair(text: string, index: number): number {
  const insidePair = isHighSurrogate(text.charCodeAt(index - 1)) && isLowSurrogate(text.charCodeAt(index));
  return insidePair ? index + 1 : index;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
