/** What `dev` may be told. Ports that are not given are Temporal's own defaults. */
export interface DevOptions {
  port?: number;
  uiPort?: number;
  /** The server's database. */
  db?: string;
  /** Answers by script in place of a model. */
  standIn?: boolean;
}

/** A Temporal server, started here or found. */
export interface DevTemporal {
  address: string;
  uiUrl: string | null;
  /** Resolves if it ends by itself; never for one that was found. */
  ended: Promise<unknown>;
  stop(): Promise<void>;
}

/** A worker that can be told to drain. */
export interface DevWorker {
  taskQueue: string;
  identity: string;
  /** Resolves when it has drained. */
  running: Promise<void>;
  shutdown(): void;
  /** Calls under way. */
  busyWith(): number;
}

/** What `dev` puts together; each part tells `onProgress` what it does. */
export interface DevParts {
  openTemporal(onProgress: (line: string) => void): Promise<DevTemporal>;
  openWorker(temporal: DevTemporal): Promise<DevWorker>;
  /** Lets go of all that was opened but the server. */
  close(): Promise<void>;
}
