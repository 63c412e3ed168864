import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
// The package is CommonJS without names that Node can see, so its default is the only way in.
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../../contract/names.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;

type TypesByName = Readonly<Record<string, number>>;

const CLI_TYPES = { KEYWORD: 'Keyword', DOUBLE: 'Double', INT: 'Int', BOOL: 'Bool' } as const;

/** Name and type of the search attributes of agent runs, as `temporal operator search-attribute create` takes them. */
export const AGENT_SEARCH_ATTRIBUTES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [name, CLI_TYPES[type]]),
);

/** The same as the server says it: types by number. */
const TYPES_BY_NAME: TypesByName = Object.fromEntries(
  Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => [
    name,
    IndexedValueType[`INDEXED_VALUE_TYPE_${type}`],
  ]),
);

/** Frontends read a namespace again every 10 s (Temporal's default), so a new attribute may show only after that. */
const VISIBLE_WITHIN_MS = 15_000;
const LIST_EVERY_MS = 500;

/** gRPC status codes after which there is no point in going on: 14 is UNAVAILABLE, 4 is DEADLINE_EXCEEDED. */
const UNREACHABLE = [14, 4];

/** What {@link ensureSearchAttributes} found in the end. */
export interface SearchAttributesState {
  /** Whether runs may set all of them. */
  available: boolean;
  /** Names that are not there, or are there with another type. */
  missing: string[];
}

/**
 * Adds the search attributes of agent runs to a namespace where they are missing. Where that is not allowed it says so in its
 * result: a server without them is tolerated.
 * @throws gRPC errors of a server that cannot be reached
 */
export async function ensureSearchAttributes(
  connection: Connection,
  namespace: string,
): Promise<SearchAttributesState> {
  let missing = Object.keys(TYPES_BY_NAME);
  try {
    const found = await list(connection, namespace);
    missing = notUsable(found);
    const absent = missing.filter((name) => found[name] === undefined);
    if (absent.length > 0) {
      const searchAttributes = Object.fromEntries(
        absent.map((name) => [name, TYPES_BY_NAME[name] ?? IndexedValueType.INDEXED_VALUE_TYPE_UNSPECIFIED]),
      );
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
      missing = notUsable(await listWith(absent, connection, namespace));
    }
  } catch (error) {
    if (!isGrpcServiceError(error) || UNREACHABLE.includes(error.code)) throw error;
  }
  return { available: missing.length === 0, missing };
}

async function list(connection: Connection, namespace: string): Promise<TypesByName> {
  return (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
}

/** Lists until the names are there, or until it has taken too long. */
async function listWith(
  names: readonly string[],
  connection: Connection,
  namespace: string,
): Promise<TypesByName> {
  const giveUpAt = Date.now() + VISIBLE_WITHIN_MS;
  for (;;) {
    const found = await list(connection, namespace);
    if (names.every((name) => found[name] !== undefined) || Date.now() > giveUpAt) return found;
    await delay(LIST_EVERY_MS);
  }
}

/** Names that are absent or have another type. */
function notUsable(found: TypesByName): string[] {
  return Object.keys(TYPES_BY_NAME).filter((name) => found[name] !== TYPES_BY_NAME[name]);
}
