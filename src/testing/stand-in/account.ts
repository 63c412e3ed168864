import { toUsd, type StandInModel, providerOf } from './models.js';
import type { LedgerEntry } from './ledger.js';

/** The body of `GET /generation`: the bill of one generation, under OpenRouter's names. */
export function generationBody(entry: LedgerEntry, model: StandInModel): Record<string, unknown> {
  const charged = toUsd(model.byok ? 0 : entry.costNanoUsd);
  const data = {
    api_type: 'completions',
    app_id: null,
    cache_discount: null,
    cancelled: entry.cancelled,
    created_at: entry.at,
    data_region: 'global',
    external_user: null,
    finish_reason: entry.finishReason,
    generation_time: 1,
    http_referer: null,
    id: entry.id,
    is_byok: model.byok ?? false,
    latency: 1,
    model: entry.model,
    moderation_latency: null,
    native_finish_reason: entry.finishReason,
    native_tokens_cached: 0,
    native_tokens_completion: entry.completionTokens,
    native_tokens_completion_images: null,
    native_tokens_prompt: entry.promptTokens,
    native_tokens_reasoning: 0,
    num_fetches: null,
    num_input_audio_prompt: null,
    num_media_completion: null,
    num_media_prompt: null,
    num_search_results: null,
    origin: '',
    preset_id: null,
    provider_name: providerOf(model),
    provider_responses: null,
    router: null,
    service_tier: null,
    streamed: entry.streamed,
    tokens_completion: entry.completionTokens,
    tokens_prompt: entry.promptTokens,
    total_cost: charged,
    upstream_id: null,
    upstream_inference_cost: model.byok ? toUsd(entry.costNanoUsd) : null,
    usage: charged,
    user_agent: null,
    web_search_engine: null,
    workspace_id: null,
    ...(entry.cacheSourceId === null ? {} : { response_cache_source_id: entry.cacheSourceId }),
  };
  return { data };
}

/** The body of `GET /key`. */
export function keyBody(spentNanoUsd: number, limitNanoUsd: number | null): Record<string, unknown> {
  const usage = toUsd(spentNanoUsd);
  const data = {
    label: 'sk-or-v1-stand-in',
    limit: limitNanoUsd === null ? null : toUsd(limitNanoUsd),
    limit_remaining: limitNanoUsd === null ? null : toUsd(Math.max(0, limitNanoUsd - spentNanoUsd)),
    limit_reset: null,
    usage,
    usage_daily: usage,
    usage_weekly: usage,
    usage_monthly: usage,
    byok_usage: 0,
    byok_usage_daily: 0,
    byok_usage_weekly: 0,
    byok_usage_monthly: 0,
    include_byok_in_limit: false,
    is_free_tier: false,
    is_management_key: false,
    is_provisioning_key: false,
    creator_user_id: null,
    organization_id: null,
    workspace_id: null,
    expires_at: null,
    allowed_data_regions: ['global'],
    free_model_daily_requests: { limit: 1000, remaining: 1000, used: 0, resets_at: '2099-01-01T00:00:00Z' },
    rate_limit: { interval: '10s', note: 'deprecated', requests: -1 },
  };
  return { data };
}

/** The body of `GET /credits`. Without a limit the account holds 100 dollars, a round figure. */
export function creditsBody(spentNanoUsd: number, limitNanoUsd: number | null): Record<string, unknown> {
  return {
    data: {
      total_credits: limitNanoUsd === null ? 100 : toUsd(limitNanoUsd),
      total_usage: toUsd(spentNanoUsd),
    },
  };
}
