/** An AES-256 key and the name under which payloads refer to it. */
export interface EncryptionKey {
  id: string;
  /** 32 bytes. Not enumerable where it comes from the configuration: neither JSON nor `console.log` shows it. */
  readonly key: Buffer;
}
