/** Keeps bytes under the hash of their content. Nothing is ever changed or deleted: history refers to what is kept. */
export interface BlobPort {
  /**
   * Keeps the bytes durably before it resolves. Keeping the same bytes again is a no-op.
   * @returns the key, `sha256-<hex>`
   */
  put(bytes: Uint8Array): Promise<string>;
  /**
   * Reads what {@link put} kept, checked against the hash in the key.
   * @returns `null` for a key that is not there
   * @throws CONFIG_INVALID when the bytes are not those that were kept
   */
  get(key: string): Promise<Uint8Array | null>;
}
