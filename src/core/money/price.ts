/** Prices of one range of prompt sizes, in whole nano-dollars for a million tokens, rounded up. */
export interface TokenPrices {
  promptNanoUsdPerMillion: number;
  /** Written tokens, reasoning included. */
  completionNanoUsdPerMillion: number;
  /** Prompt tokens that the provider's cache already had. Absent: as `promptNanoUsdPerMillion`. */
  cacheReadNanoUsdPerMillion?: number;
  /** Prompt tokens that go into the provider's cache. Absent: as `promptNanoUsdPerMillion`. */
  cacheWriteNanoUsdPerMillion?: number;
}

/** What a model costs by its list. */
export interface ModelPrice extends TokenPrices {
  /** For each request, whatever its size. */
  requestNanoUsd: number;
  /** For each image in the prompt. Absent: images are counted as tokens. */
  imageNanoUsd?: number;
  audioNanoUsdPerMillion?: number;
  /** Prices that take the place of the base from a size of the prompt on, smallest first. */
  tiers?: (TokenPrices & { minPromptTokens: number })[];
}

/** Tokens of one call. `cachedTokens` are contained in `promptTokens`. */
export interface TokenCounts {
  promptTokens: number;
  completionTokens: number;
  cachedTokens?: number;
}

const MILLION = 1_000_000;

/** More than any answer can have, and few enough for exact products. */
const MOST_TOKENS = 1_000_000_000;

/** So many tokens at a price for a million of them, rounded up. Split, so that no product leaves the safe integers. */
export function tokensNanoUsd(tokens: number, nanoUsdPerMillion: number): number {
  return sumNanoUsd([[tokens, nanoUsdPerMillion]]);
}

/** The same for tokens at several prices, rounded up once: the parts of a call are never dearer than the whole was thought to be. */
function sumNanoUsd(parts: readonly (readonly [tokens: number, nanoUsdPerMillion: number])[]): number {
  let whole = 0;
  let rest = 0;
  for (const [tokens, nanoUsdPerMillion] of parts) {
    whole += tokens * Math.floor(nanoUsdPerMillion / MILLION);
    rest += tokens * (nanoUsdPerMillion % MILLION);
  }
  return whole + Math.ceil(rest / MILLION);
}

/** The most that a call can cost: the prompt uncached or written to a cache, in the dearest range that it may fall into. */
export function worstCaseNanoUsd(
  price: ModelPrice,
  call: { promptTokens: number; maxOutputTokens: number },
): number {
  const worst = worstPrices(price, call.promptTokens);
  return (
    price.requestNanoUsd +
    tokensNanoUsd(call.promptTokens, worst.promptNanoUsdPerMillion) +
    tokensNanoUsd(call.maxOutputTokens, worst.completionNanoUsdPerMillion)
  );
}

/** How many tokens may be written for `nanoUsd`, beside a prompt of that size; negative when not even the prompt can be paid. */
export function affordableOutputTokens(
  price: ModelPrice,
  { promptTokens, nanoUsd }: { promptTokens: number; nanoUsd: number },
): number {
  const left = nanoUsd - worstCaseNanoUsd(price, { promptTokens, maxOutputTokens: 0 });
  if (left < 0) return -1;
  const perMillion = worstPrices(price, promptTokens).completionNanoUsdPerMillion;
  if (perMillion === 0) return Number.MAX_SAFE_INTEGER;
  // The division may be a token off to either side; the product is exact.
  const tokens = Math.min(Math.floor((left / perMillion) * MILLION), MOST_TOKENS);
  return [tokens + 1, tokens, tokens - 1].find((one) => tokensNanoUsd(one, perMillion) <= left) ?? 0;
}

/** What a call costs by the list. Tokens that went into a cache are not told apart, so the dearer price counts for them. */
export function listNanoUsd(price: ModelPrice, tokens: TokenCounts): number {
  const { promptTokens, completionTokens, cachedTokens = 0 } = tokens;
  const range = pricesAt(price, promptTokens);
  const cached = Math.min(cachedTokens, promptTokens);
  const fresh = Math.max(range.promptNanoUsdPerMillion, range.cacheWriteNanoUsdPerMillion ?? 0);
  return (
    price.requestNanoUsd +
    sumNanoUsd([
      [promptTokens - cached, fresh],
      [cached, range.cacheReadNanoUsdPerMillion ?? range.promptNanoUsdPerMillion],
      [completionTokens, range.completionNanoUsdPerMillion],
    ])
  );
}

/** The price that is nowhere lower than any of these, for a request that any of several models may answer. */
export function dearest(prices: readonly [ModelPrice, ...ModelPrice[]]): ModelPrice {
  const starts = [...new Set(prices.flatMap(({ tiers = [] }) => tiers.map((tier) => tier.minPromptTokens)))];
  const most = (promptTokens: number): TokenPrices => {
    const worst = prices.map((price) => worstPrices(price, promptTokens));
    return {
      promptNanoUsdPerMillion: Math.max(...worst.map((one) => one.promptNanoUsdPerMillion)),
      completionNanoUsdPerMillion: Math.max(...worst.map((one) => one.completionNanoUsdPerMillion)),
    };
  };
  const tiers = starts
    .sort((a, b) => a - b)
    .map((minPromptTokens) => ({ minPromptTokens, ...most(minPromptTokens) }));
  return {
    ...most(0),
    requestNanoUsd: Math.max(...prices.map((price) => price.requestNanoUsd)),
    ...(tiers.length > 0 && { tiers }),
  };
}

/** Whether some call could cost more at one price than at another. */
export function isDearer(price: ModelPrice, than: ModelPrice): boolean {
  if (price.requestNanoUsd > than.requestNanoUsd) return true;
  const starts = [price, than].flatMap(({ tiers = [] }) => tiers.map((tier) => tier.minPromptTokens));
  return [0, ...starts].some((promptTokens) => {
    const [a, b] = [worstPrices(price, promptTokens), worstPrices(than, promptTokens)];
    return (
      a.promptNanoUsdPerMillion > b.promptNanoUsdPerMillion ||
      a.completionNanoUsdPerMillion > b.completionNanoUsdPerMillion
    );
  });
}

function pricesAt(price: ModelPrice, promptTokens: number): TokenPrices {
  return price.tiers?.filter((tier) => promptTokens >= tier.minPromptTokens).at(-1) ?? price;
}

/** The highest prices of all ranges up to a prompt of that size, as the estimate of the prompt may be too high. */
function worstPrices(
  price: ModelPrice,
  promptTokens: number,
): Pick<TokenPrices, 'promptNanoUsdPerMillion' | 'completionNanoUsdPerMillion'> {
  const ranges = [price, ...(price.tiers ?? []).filter((tier) => promptTokens >= tier.minPromptTokens)];
  return {
    promptNanoUsdPerMillion: Math.max(
      ...ranges.map((one) => Math.max(one.promptNanoUsdPerMillion, one.cacheWriteNanoUsdPerMillion ?? 0)),
    ),
    completionNanoUsdPerMillion: Math.max(...ranges.map((one) => one.completionNanoUsdPerMillion)),
  };
}
